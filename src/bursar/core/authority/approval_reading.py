"""Approvals as a reader sees them: with names, votes, what would change, and what is known of the payee."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from bursar.core.authority import approval_store as store
from bursar.core.authority import mandate_store
from bursar.core.authority.approval_store import Approval, ApprovalStatus, Vote
from bursar.core.authority.approvals import payload_of
from bursar.core.authority.facts_store import Counterparty, look_up
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject


class Paying(NamedTuple):
    """The accounts of a payment, by their numbers, and with whom outside it is."""

    source: str
    payee: str | None
    # As the wire shows it: a payment method, a destination, or the payment that goes back.
    whom: str | None


class Changing(NamedTuple):
    """Other terms for a mandate: each field of them that would be another, as (name, before, after)."""

    mandate: str
    fields: Sequence[tuple[str, Any, Any]]


class Seen(NamedTuple):
    """An approval with what a reader needs to know what it is about."""

    approval: Approval
    maker: str
    about: Paying | Changing
    votes: Sequence[Vote]


class Background(NamedTuple):
    """What the system knows of a payee: the counterparty, and what this agent paid it before."""

    counterparty: Counterparty | None
    payments: int
    last_at: datetime | None


async def list_for(tx: Tx, actor: Actor, status: ApprovalStatus | None, after: UUID | None, limit: int) -> list[Seen]:
    """Approvals, oldest first; an agent sees its own."""
    maker_id = actor.principal_id if actor.kind == "agent" else None
    return await _seen(tx, await store.list_approvals(tx, maker_id, status, after, limit))


async def find_for(tx: Tx, actor: Actor, approval_id: UUID | None) -> Seen:
    """One approval; an agent finds its own."""
    found = await store.find_approval(tx, approval_id) if approval_id else None
    if found is None or (actor.kind == "agent" and found.maker_id != actor.principal_id):
        raise UnknownObject("approval")
    (seen,) = await _seen(tx, [found])
    return seen


async def background_of(tx: Tx, approval: Approval) -> Background | None:
    """What is known of the payee of an approval; None where nobody would be paid."""
    if approval.kind != "payment":
        return None
    target = payload_of(approval)["target_id"]
    if target is None:
        return Background(None, 0, None)
    known = (await look_up(tx, account_ids=[UUID(target)])).counterparties
    paid = await store.count_payments(tx, approval.maker_id, UUID(target), approval.executed_event_id)
    return Background(known.get(UUID(target)), *paid)


async def _seen(tx: Tx, found: Sequence[Approval]) -> list[Seen]:
    names = await store.list_names(tx, list({approval.maker_id for approval in found}))
    votes = await store.list_votes(tx, [approval.id for approval in found])
    about = {**await _payments(tx, found), **await _changes(tx, found)}
    return [
        Seen(
            approval,
            names[approval.maker_id],
            about[approval.id],
            [vote for vote in votes if vote.approval_id == approval.id],
        )
        for approval in found
    ]


async def _payments(tx: Tx, found: Sequence[Approval]) -> dict[UUID, Paying]:
    payloads = {approval.id: payload_of(approval) for approval in found if approval.kind == "payment"}
    touched = {UUID(p[end]) for p in payloads.values() for end in ("source_id", "target_id") if p[end]}
    numbers = await reading.numbers_of(tx, list(touched))
    return {
        approval_id: Paying(
            numbers[UUID(p["source_id"])], numbers[UUID(p["target_id"])] if p["target_id"] else None, _whom(p)
        )
        for approval_id, p in payloads.items()
    }  # fmt: skip


def _whom(payload: Mapping[str, Any]) -> str | None:
    prefix = "pay" if payload["action"] == "refund_payment" else "pm"
    return show(prefix, UUID(payload["whom_id"])) if payload["whom_id"] else None


async def _changes(tx: Tx, found: Sequence[Approval]) -> dict[UUID, Changing]:
    payloads = {a.id: (a.mandate_id, payload_of(a)) for a in found if a.kind == "mandate_change"}
    if not payloads:
        return {}
    at = [(mandate_id, p["version"]) for mandate_id, p in payloads.values() if mandate_id]
    before = {(b.mandate_id, b.version): b for b in await mandate_store.list_bound(tx, at)}
    return {
        approval_id: _changing(before[mandate_id, p["version"]], p)
        for approval_id, (mandate_id, p) in payloads.items()
        if mandate_id
    }


def _changing(before: mandate_store.Bound, payload: Mapping[str, Any]) -> Changing:
    return Changing(before.name, changes_of(orjson.loads(before.text), payload["terms"]))


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each field of a mandate's terms that is another one after: its name, before, after."""
    names = sorted(before.keys() | after.keys())
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
