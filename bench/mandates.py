"""Agents to measure: one under the widest mandate there is, one under a mandate with every kind of rule."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.services import CreatedKey, bursar
from bench.wire import Endpoint
from bench.workloads import ACCOUNTS
from bursar.client import Bursar
from bursar.wire.mandates import MandateTerms

WIDE: Final[dict[str, Any]] = {
    "actions": ["create_transfer"],
    "counterparties": {"mode": "any"},
}
# Limits that are looked up and counted with every transfer, and are never reached.
EVERY_RULE: Final[dict[str, Any]] = {
    "actions": ["create_transfer"],
    "accounts": list(ACCOUNTS),
    "per_transaction": [{"currency": "USD", "max": "1000.00", "auto_max": "900.00"}],
    "windows": [
        {"period": "day", "currency": "USD", "max_amount": "90000000.00"},
        {"kind": "rolling", "period": "hour", "max_count": 100_000_000},
        {"period": "day", "currency": "USD", "max_amount": "9000000.00", "per_payee": True},
    ],
    "counterparties": {"mode": "any_known"},
    "hours": {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "23:59"},
    "approvals": [{"when": {"amount_over": [{"currency": "USD", "amount": "800.00"}], "new_payee": True}, "quorum": 2}],
    "velocity": {"max_count": 100_000_000, "seconds": 60},
    "duplicate_window_seconds": 1,
}
MANDATES: Final = {"widest mandate": WIDE, "every rule": EVERY_RULE}


def agent_under(name: str, operator: Endpoint, data: Path) -> Endpoint:
    """Enrol an agent of this name, with a key and its mandate in force; every account is a payee the tenant knows."""
    created = bursar("key", "create", "--data", str(data), "--agent", name.replace(" ", "-"), "--json")
    asyncio.run(_give(operator, name))
    return replace(operator, key=CreatedKey.model_validate_json(created).key)


async def _give(operator: Endpoint, name: str) -> None:
    agent = name.replace(" ", "-")
    async with Bursar(f"http://{operator.host}:{operator.port}", operator.key) as client:
        terms = MandateTerms.model_validate(MANDATES[name])
        drafted = await client.draft_mandate(name=agent, agent=agent, terms=terms)
        await client.activate_mandate(drafted.id)
        known = {payee.account async for payee in client.iterate_counterparties()}
        for number in set(ACCOUNTS) - known:
            await client.create_counterparty(account=number, name=number)
