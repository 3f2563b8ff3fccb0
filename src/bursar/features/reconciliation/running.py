"""The verbs of a run: gather both sides of every leg, compare, keep what was found, and open a case for each break."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import Account
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.reconciliation import finding_store as store
from bursar.features.reconciliation import line_store
from bursar.features.reconciliation.finding_store import Found, Run, scope_text
from bursar.features.reconciliation.legs import (
    MOST_DAYS,
    MOST_ITEMS,
    PAYOUT,
    Compared,
    Leg,
    Scope,
    Settled,
    Sides,
    compare_all,
)
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.refusal import InvalidArgument

CASE_KIND = "reconciliation_break"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that a run compares, as one snapshot had it."""

    scope: Scope
    account: Account | None
    clearing: Account | None
    sides: Sides
    settled: Mapping[Leg, Settled]


async def gather(tx: Tx, scope: Scope) -> Gathered:
    """Read both sides of every leg, a little beyond the period, and what people have settled of them."""
    account, clearing = await _account(tx, scope, scope.account), await _account(tx, scope, scope.clearing)
    first, last = scope.first - scope.margin, scope.last + scope.margin
    rest = (scope.currency, first, last, MOST_ITEMS + 1)
    ours = await line_store.list_ledger_items(tx, account.id, *rest) if account else []
    cleared = await line_store.list_ledger_items(tx, clearing.id, *rest) if clearing else []
    bank = await line_store.list_bank_items(tx, scope.source, scope.bank_account or "", *rest) if scope.source else []
    booked = await line_store.list_provider_items(tx, scope.provider, *rest) if scope.provider else []
    if max(map(len, (ours, cleared, bank, booked))) > MOST_ITEMS:
        raise InvalidArgument("last_day", f"there are more than {MOST_ITEMS} lines on a side; choose a shorter period")
    payouts = [item._replace(change_minor=-item.change_minor) for kind, item in booked if kind == PAYOUT]
    sides = Sides(ours, cleared, [item for _, item in booked], payouts, bank)
    return Gathered(scope, account, clearing, sides, {leg: await _settled(tx, scope, leg) for leg in scope.legs})


async def _account(tx: Tx, scope: Scope, ref: str | None) -> Account | None:
    if ref is None:
        return None
    found = await reading.find_account(tx, read("acct", ref) or ref)
    if found.currency != scope.currency:
        raise InvalidArgument("currency", "is not that of the account")
    return found


async def _settled(tx: Tx, scope: Scope, leg: Leg) -> Settled:
    """A break may lie as far from the items of this period as two of its own may lie apart."""
    apart = timedelta(days=MOST_DAYS)
    left, right = set[str](), set[str]()
    for text, entry_id in await store.list_settled(tx, scope.pairing(leg), scope.first - apart, scope.last + apart):
        items: Mapping[str, Sequence[str]] = orjson.loads(text)
        left.update(items["left"])
        right.update(items["right"])
        if entry_id:
            left.add(f"{show('tr', entry_id)}.0")
    return Settled(frozenset(left), frozenset(right))


async def compare(gathered: Gathered) -> list[Compared]:
    """Compare in a thread: it is work for the processor alone."""
    return await asyncio.to_thread(compare_all, gathered.scope, gathered.sides, gathered.settled)


async def keep(
    tx: Tx, actor: Actor, gathered: Gathered, compared: Sequence[Compared], owner: str | None
) -> tuple[Run, Happening]:
    """Keep a run: its matches, its breaks with a case each, and that breaks of before are none any more."""
    scope, run_id = gathered.scope, new_id()
    matched = sum(len(c.findings.matches) for c in compared)
    broken, settled = sum(len(c.findings.breaks) for c in compared), sum(c.settled for c in compared)
    store.insert_matches(tx, run_id, compared)
    owner_id = await cases.principal_id_of(tx, owner)
    cleared = 0
    for one in compared:
        cleared += await _keep_breaks(tx, actor, run_id, gathered, one, owner_id)
    run = Run(
        run_id, scope_text(scope), scope.first, scope.last, scope.currency, matched, broken, settled, cleared,
        actor.principal_id, await reading.clock(tx),
    )  # fmt: skip
    await store.insert_run(tx, run)
    facts: dict[str, Json] = {"broken": broken, "cleared": cleared, "matched": matched, "scope": scope.shown}
    return run, Happening("reconciliation.run", "done", facts, show("rec", run_id))


async def _keep_breaks(
    tx: Tx, actor: Actor, run_id: UUID, gathered: Gathered, compared: Compared, owner_id: UUID | None
) -> int:
    scope, leg = gathered.scope, compared.leg
    account = gathered.account if leg == "ledger_bank" else gathered.clearing if leg == "ledger_provider" else None
    account_id = account.id if account else None
    found = await store.upsert_breaks(tx, run_id, scope, leg, account_id, compared.findings.breaks)
    without = [b for b in found if b.state == "open" and b.case_id is None]
    opened = [(b.id, await _open_case(tx, actor, b, owner_id)) for b in without]
    await store.update_cases(tx, opened)
    cleared = await store.clear_breaks(tx, run_id, scope, leg)
    for gone in cleared:
        await cases.settle_if_open(tx, gone.case_id, "Both sides agree now.")
    return len(cleared)


async def _open_case(tx: Tx, actor: Actor, found: Found, owner_id: UUID | None) -> UUID:
    subject = Subject("break", show("brk", found.id))
    return await cases.open_case(tx, CASE_KIND, subject, found.why, actor=actor, owner_id=owner_id)


def items_of(text: str) -> Mapping[str, list[str]]:
    """The ids of a match's or break's items, by side."""
    found: Any = orjson.loads(text)
    return found
