"""`bursar approval`: what waits for a person, decided from the machine that holds the database."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from bursar.core.authority import approval_reading, approvals, step_up
from bursar.core.authority.approval_reading import Paying, Seen
from bursar.core.authority.approval_store import ApprovalStatus
from bursar.core.authority.approvals import needs_of, payload_of
from bursar.core.authority.model import refused
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.faces.cli.place import opened
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.money import show_minor
from bursar.kernel.refusal import UnknownObject

_MOST_LISTED = 500


async def listed(
    operator: str, status: ApprovalStatus | None, tenant: str | None, data: Path | None
) -> list[dict[str, Any]]:
    """The oldest approvals, in one status if asked, as an operator sees them."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        return [_show(seen) for seen in await approval_reading.list_for(tx, actor, status, None, _MOST_LISTED)]


async def approve(
    operator: str, approval_id: str, payload_hash: str, code: str | None, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Vote for the payment that was looked at; the running service executes it."""

    async def work(tx: Tx, actor: Actor, found: UUID | None) -> Happening | StepUpFailed:
        return await approvals.approve(tx, actor, found, _bytes(payload_hash), code)

    return await _decide("approve_approval", operator, approval_id, tenant, data, work)


async def reject(operator: str, approval_id: str, reason: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """End an approval by a no."""

    async def work(tx: Tx, actor: Actor, found: UUID | None) -> Happening:
        return await approvals.reject(tx, actor, found, reason)

    return await _decide("reject_approval", operator, approval_id, tenant, data, work)


async def totp(operator: str, tenant: str | None, data: Path | None) -> str:
    """Enrol an operator's authenticator, in place of an earlier one; its otpauth URI is shown this once."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        found = await identity.find_principal_named(tx, operator)
        if found is None or found.kind != "operator":
            raise UnknownObject("operator")
        uri = step_up.enrol(tx, found)
        facts = {"by": "command line", "operator": found.name}
        happening = Happening("totp.enrolled", "done", facts, show("prn", found.id))
        events.record(tx, [event_of(new_id(), None, "", "totp_enrol", happening)])
        return uri


async def _decide(
    action: str,
    operator: str,
    approval_id: str,
    tenant: str | None,
    data: Path | None,
    decide: Callable[[Tx, Actor, UUID | None], Awaitable[Happening | StepUpFailed]],
) -> dict[str, Any]:
    found = read("apr", approval_id)
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        decided = await decide(tx, actor, found)
        happening = refused(action, decided) if isinstance(decided, StepUpFailed) else decided
        told = happening._replace(payload={**happening.payload, "by": "command line"})
        events.record(tx, [event_of(new_id(), actor, "", action, told)])
        seen = await approval_reading.find_for(tx, actor, found)
    # Only now, for that a wrong code came must be committed.
    if isinstance(decided, StepUpFailed):
        raise decided
    return _show(seen)


def _bytes(payload_hash: str) -> bytes:
    """What is no hash is no payment's hash."""
    try:
        return bytes.fromhex(payload_hash)
    except ValueError:
        return b""


def _show(seen: Seen) -> dict[str, Any]:
    approval, needs = seen.approval, needs_of(seen.approval)
    return {
        "id": show("apr", approval.id),
        "kind": approval.kind,
        "status": approval.status,
        "agent": seen.maker,
        **_about(seen),
        "why": list(needs.why),
        "quorum": needs.quorum,
        "roles": list(needs.roles),
        "step_up": needs.step_up,
        "votes": [{"operator": vote.operator, "vote": vote.vote} for vote in seen.votes],
        "expires_at": approval.expires_at.isoformat(),
        "payload_hash": approval.payload_hash.hex(),
    }


def _about(seen: Seen) -> dict[str, Any]:
    """The payment, or the mandate and each field of its terms as it is and as it would be."""
    payload, about = payload_of(seen.approval), seen.about
    if isinstance(about, Paying):
        return {
            "action": payload["action"],
            **about._asdict(),
            "amount": show_minor(payload["amount_minor"], payload["currency"]),
            "currency": payload["currency"],
        }
    assert seen.approval.mandate_id
    return {
        "action": payload["action"],
        "mandate": about.mandate,
        "mandate_id": show("mnd", seen.approval.mandate_id),
        "version": payload["version"],
        "changes": [{"field": name, "before": old, "after": new} for name, old, new in about.fields],
        "agents_words": payload["purpose"],
    }
