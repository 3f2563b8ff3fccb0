"""What ends or goes on by itself: approvals of an application that are decided, and its time running out."""

from uuid import UUID

from bursar.core.authority import approval_store, approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.lending import application as model
from bursar.features.lending import application_store
from bursar.features.lending.agreeing import agree
from bursar.features.lending.application import Application
from bursar.features.lending.trail import told, write
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show

CASE = "loan_review"
_ACTION = "go_on_with_application"


async def end_what_waits(tx: Tx, found: Application, why: str, actor: Actor | None) -> None:
    """Supersede the approval that a locked application waits for, and settle the case that people have of it."""
    approval = await approval_store.lock_approval(tx, found.approval_id) if found.approval_id else None
    if approval and approval.status in ("pending", "approved") and approval.executed_event_id is None:
        happening = await approvals.end(tx, approval, "superseded", why)
        events.record(tx, [event_of(new_id(), None, "", _ACTION, happening)])
    await cases.settle_if_open(tx, found.case_id, why, actor)


async def have_looked_at(tx: Tx, found: Application, note: str, actor: Actor | None, request_id: str) -> UUID:
    """Open the case by which people come to look at an application, if it has none."""
    subject = Subject("application", show("app", found.id))
    return await cases.open_case(tx, CASE, subject, note, actor=actor, request_id=request_id)


async def expire(tx: Tx, application_id: UUID) -> bool:
    """End an application whose time is over; False: it is not."""
    found = await application_store.lock_application(tx, application_id)
    now = await reading.clock(tx)
    if found is None or found.expires_at is None or found.expires_at > now:
        return False
    await end_what_waits(tx, found, "The application has expired.", None)
    await _go(tx, model.moved(found, "expired", now), "expired")
    return True


async def settle(tx: Tx, application_id: UUID) -> bool:
    """Go on with an application whose approval is decided: it comes to where it was to come, or people look at it."""
    found = await application_store.lock_application(tx, application_id)
    if found is None or found.approval_id is None:
        return False
    assert found.awaits
    approval = await approval_store.find_approval(tx, found.approval_id)
    assert approval
    now = await reading.clock(tx)
    if approval.executed_event_id and found.awaits != "review":
        await end_what_waits(tx, found, f"The application is {found.awaits}.", None)
        after = model.moved(found, found.awaits, now)
        await _go(tx, after, "decided")
        if after.status == "accepted":
            await agree(tx, after)
        return True
    if approval.status in ("pending", "approved") and not approval.executed_event_id:
        return False
    why = f"The approval was {approval.status}." + (f" {approval.ended_why}" if approval.ended_why else "")
    after = model.not_approved(found, now)
    if after.status == "review" and after.case_id is None:
        after = after._replace(case_id=await have_looked_at(tx, after, why, None, ""))
    await _go(tx, after, "not_approved")
    return True


async def _go(tx: Tx, after: Application, type_: model.EventType) -> None:
    """Write it, with its event: nobody asked for it."""
    await write(tx, after, type_, None, {})
    events.record(tx, [event_of(new_id(), None, "", _ACTION, told(type_, after))])
