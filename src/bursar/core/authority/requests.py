"""Other terms for a mandate that somebody asks for, an agent most of all: nothing changes unless a person says so."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from bursar.core.authority import approval_store as store
from bursar.core.authority import approvals, mandates, superseding, superseding_store
from bursar.core.authority.approval_store import Approval, NewRequest, Vote
from bursar.core.authority.approvals import payload_of, refuse_other_people
from bursar.core.authority.facts import Needs
from bursar.core.authority.mandate import DEFAULT_TTL_SECONDS, Mandate
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, Principal
from bursar.core.ledger import reading
from bursar.core.ledger.outcomes import StateConflict
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import InvalidArgument, Refusal

ACTION = "request_mandate_change"
# Any one operator may change a mandate, so one is enough here.
_NEEDS = Needs(1, (), DEFAULT_TTL_SECONDS, False, ("Only a person may change what a mandate says.",))


async def request(
    tx: Tx, actor: Actor, mandate_id: UUID | None, wanted: Mapping[str, Any], purpose: str
) -> tuple[UUID, Happening]:
    """Ask people to change these fields of a mandate's terms; the approval's id.

    `purpose` is the words of whoever asks, for people to read; no rule reads it. What they asked before of the same
    mandate, and nobody decided, is superseded: nobody has more than one request for a mandate waiting.
    """
    found, parent = await mandates.locked_with_parent(tx, mandate_id)
    before: dict[str, Any] = orjson.loads(found.text)
    terms = {**before, **wanted}
    _refuse_words(before, terms)
    mandates.refuse_terms(found, parent, terms)
    if canonical(terms) == found.text:
        raise InvalidArgument("terms", "say nothing that the mandate does not say already")
    made = new_id()
    before_it = await superseding_store.lock_pending_request(tx, found.id, actor.principal_id)
    await superseding.end_all(tx, before_it, f"{show('apr', made)} was asked for in its place.")
    await _write(tx, actor, made, found, terms, purpose)
    facts = {"mandate": show("mnd", found.id), "purpose": purpose, "terms": terms, "version": found.version}
    return made, Happening("approval.requested", "pending", facts, show("apr", made), "needs_approval")


def _refuse_words(before: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """What an agent writes is shown to people as an agent's words, and nowhere as the granter's."""
    if terms["purpose"] != before["purpose"]:
        raise InvalidArgument("terms.purpose", "is the granter's to write; say yours in `purpose`")


async def _write(tx: Tx, actor: Actor, made: UUID, mandate: Mandate, terms: Mapping[str, Any], purpose: str) -> None:
    """Bind an approval to the mandate, its version and the whole of the terms."""
    payload = canonical(
        {
            "action": ACTION,
            "mandate_id": mandate.id.hex,
            "purpose": purpose,
            "terms": dict(terms),
            "version": mandate.version,
        }
    )
    now = await reading.clock(tx)
    until = now + timedelta(seconds=_NEEDS.ttl_seconds)
    bound = sha256(payload.encode()).digest()
    needs = canonical(_NEEDS._asdict())
    store.insert_request(tx, NewRequest(made, mandate.id, actor.principal_id, payload, bound, needs, now, until))


async def execute(tx: Tx, asked: Approval, votes: Sequence[Vote]) -> bool:
    """Change the mandate as people approved, or supersede the request; False when there is nothing to do any more."""
    people = await identity.lock_principals(tx, [asked.maker_id, *(vote.operator_id for vote in votes)])
    found, _ = await mandates.locked_with_parent(tx, asked.mandate_id)
    approval = await store.lock_approval(tx, asked.id)
    if approval is None or not approvals.still_waits(approval):
        return False
    try:
        # What it wrote before a refusal is undone; the locks of above stay.
        async with tx.savepoint():
            await _change(tx, approval, found, votes, people)
    except Refusal as refusal:
        await approvals.supersede(tx, approval, refusal)
    return True


async def _change(
    tx: Tx, approval: Approval, found: Mandate, votes: Sequence[Vote], people: Mapping[UUID, Principal]
) -> None:
    refuse_other_people(approval, votes, people)
    payload = payload_of(approval)
    if sha256(approval.payload.encode()).digest() != approval.payload_hash:
        raise StateConflict("The terms are not those that were approved.")
    if found.version != payload["version"]:
        raise StateConflict("The mandate has changed since its change was asked for.")
    last = people[votes[-1].operator_id]
    operator = Actor(tx.tenant, last.id, last.kind, last.name, None, frozenset(), None, frozenset(last.roles))
    event_id = new_id()
    # First, so that the change does not supersede the very request that it carries out.
    store.mark_executed(tx, approval.id, event_id)
    changed = await mandates.change(tx, operator, found.id, payload["terms"])
    happening = _changed(changed, approval, votes, people)
    about: dict[str, Json] = {"event": show("evt", event_id), "object": happening.object}
    told = Happening("approval.executed", "executed", about, show("apr", approval.id))
    events.record(
        tx,
        [
            event_of(event_id, operator, "", "change_mandate", happening),
            event_of(new_id(), None, "", "execute_approval", told),
        ],
    )


def _changed(
    mandate: Mandate, approval: Approval, votes: Sequence[Vote], people: Mapping[UUID, Principal]
) -> Happening:
    maker = people[approval.maker_id]
    facts: dict[str, Json] = {
        "approval": show("apr", approval.id),
        "approvers": [{"id": show("prn", vote.operator_id), "name": vote.operator} for vote in votes],
        "asked_by": {"id": show("prn", maker.id), "kind": maker.kind, "name": maker.name},
        "name": mandate.name,
        "terms": orjson.loads(mandate.text),
        "version": mandate.version,
    }
    return Happening("mandate.changed", mandate.status, facts, show("mnd", mandate.id))
