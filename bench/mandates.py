"""Agents to measure: under the widest mandate there is, and under mandates with every kind of rule."""

import asyncio
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from bench.services import Place, new_key
from bench.wire import Endpoint
from bench.workloads import ACCOUNTS
from bursar.client import Bursar
from bursar.wire.mandates import MandateTerms

WIDE: Final[dict[str, Any]] = {
    "actions": ["create_transfer", "create_transfers"],
    "counterparties": {"mode": "any"},
}
# Limits that are looked up and counted with every transfer, and are never reached.
ALL_RULES: Final[dict[str, Any]] = {
    "actions": ["create_transfer", "create_transfers"],
    "accounts": list(ACCOUNTS),
    "per_transaction": [{"currency": "USD", "max": "1000.00", "auto_max": "900.00"}],
    "windows": [
        {"period": "day", "currency": "USD", "max_amount": "90000000000.00"},
        {"kind": "rolling", "period": "hour", "max_count": 100_000_000},
        {"period": "day", "currency": "USD", "max_amount": "9000000000.00", "per_payee": True},
    ],
    "counterparties": {"mode": "any_known"},
    "hours": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "23:59"},
    "approvals": [{"when": {"amount_over": [{"currency": "USD", "amount": "800.00"}], "new_payee": True}, "quorum": 2}],
    "velocity": {"max_count": 100_000_000, "seconds": 60},
    "duplicate_window_seconds": 1,
}
# The side that other benchmarks hold against an operator.
EVERY_RULE: Final = "1 agent, every rule"
# By the name of the side: the terms, and how many agents there are, each with a mandate of its own.
MANDATES: Final = {
    "1 agent, no limits": (WIDE, 1),
    EVERY_RULE: (ALL_RULES, 1),
    "8 agents, every rule": (ALL_RULES, 8),
}


def agents_under(
    name: str, operator: Endpoint, place: Place, strangers: Collection[str] = frozenset(ACCOUNTS)
) -> Endpoint:
    """Enrol the agents of a side, with keys and mandates in force.

    `strangers` are accounts that the tenant perhaps does not know as payees, and knows then.
    """
    terms, count = MANDATES[name]
    names = [re.sub("[^a-z0-9]+", "-", f"{name} {number}") for number in range(count)]
    first, *others = [new_key(place, "--agent", agent) for agent in names]
    asyncio.run(_give(operator, names, terms, strangers))
    return replace(operator, key=first, others=tuple(others))


async def _give(operator: Endpoint, names: Sequence[str], terms: dict[str, Any], strangers: Collection[str]) -> None:
    async with Bursar(f"http://{operator.host}:{operator.port}", operator.key) as client:
        for name in names:
            drafted = await client.draft_mandate(name=name, agent=name, terms=MandateTerms.model_validate(terms))
            await client.activate_mandate(drafted.id)
        known = {payee.account async for payee in client.iterate_counterparties()} if strangers else set[str]()
        for number in set(strangers) - known:
            await client.create_counterparty(account=number, name=number)
