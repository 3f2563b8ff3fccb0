"""What happens to jobs by themselves: leases run out, approvals are decided, what failed is undone."""

from uuid import UUID

from bursar.core.authority.undoing import undo
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.ledger import reading
from bursar.core.ledger.orders import ReleaseHold, ReverseEntry
from bursar.core.ledger.outcomes import Done
from bursar.features.jobs import machine, store, through, trail_store
from bursar.features.jobs.definition import read_definition
from bursar.features.jobs.machine import Moved
from bursar.features.jobs.model import Job, Kind, Share
from bursar.features.jobs.service import locked, told, write
from bursar.features.jobs.store import Loaded
from bursar.features.jobs.through import NotUndone
from bursar.features.jobs.trail_store import NewEffect, Settled
from bursar.features.payments.model import OPEN
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

_ACTION = "go_on_with_job"


async def time_out(tx: Tx, job_id: UUID) -> bool:
    """Free a step whose lease is over, or give a job up whose step took too long; False: neither is so."""
    found = await store.lock_job(tx, job_id)
    moved = machine.overdue(found.job, read_definition(found.definition), found.now) if found else None
    if found is None or moved is None:
        return False
    await _go(tx, found.job, moved)
    return True


async def settle(tx: Tx, job_id: UUID) -> bool:
    """Go on with a job that waited for a person or a provider: the step is done by what came of it, or has failed."""
    found = await store.lock_job(tx, job_id)
    if found and found.job.state == "awaiting_payment":
        return await _settle_payments(tx, found)
    if found is None or found.job.state != "awaiting_approval":
        return False
    assert found.job.approval_id
    settled = await trail_store.find_settled(tx, found.job.approval_id)
    assert settled
    if settled.executed_event_id:
        await _pass(tx, found, settled)
        return True
    if settled.status in ("pending", "approved"):
        return False
    why = f"The approval was {settled.status}." + (f" {settled.why}" if settled.why else "")
    await _go(tx, found.job, machine.undoing(found.job, "failed", None, why, found.now))
    return True


async def _pass(tx: Tx, found: Loaded, settled: Settled) -> None:
    job, definition = found.job, read_definition(found.definition)
    assert job.holder_id
    kind: Kind = "reserved" if definition.step(job.step).effect == "reserve" else "captured"
    shares = await trail_store.list_shares(tx, [job.id])
    assert len(shares) == 1, "only a payment that is alone waits for a person"
    hold_id = settled.hold_id if kind == "reserved" else shares[0][1].hold_id
    moved = machine.passed(job, definition, job.holder_id, found.done, found.now, None)
    await _go(tx, job, moved)
    trail_store.insert_effects(tx, job.id, [NewEffect(job.step, 1, kind, hold_id, settled.entry_id)])


async def _settle_payments(tx: Tx, found: Loaded) -> bool:
    """The step is done once every call for it has succeeded; one that came to nothing gives the job up."""
    job, definition = found.job, read_definition(found.definition)
    assert job.holder_id
    shares, effect = await trail_store.list_shares(tx, [job.id]), definition.step(job.step).effect
    calls = await through.calls_of(tx, job, shares[0][1].road, effect)
    if any(call.status in OPEN for call in calls):
        return False
    failed = next((call for call in calls if call.status != "succeeded"), None)
    if failed:
        why = f"The {failed.kind} of share {failed.job_share} came to nothing: {failed.failure or failed.status}."
        await _go(tx, job, machine.undoing(job, "failed", None, why, found.now))
        return True
    note = await trail_store.find_note(tx, job.id, job.version)
    await _go(tx, job, machine.passed(job, definition, job.holder_id, found.done, found.now, note))
    kind: Kind = "reserved" if effect == "reserve" else "captured"
    effects = [NewEffect(job.step, call.job_share or 0, kind, None, None, call.id) for call in calls]
    trail_store.insert_effects(tx, job.id, effects)
    return True


async def compensate(tx: Tx, job_id: UUID) -> bool:
    """Undo the last step that is not undone; with the first of them the job has ended. False: there is nothing to do.

    The job is looked at, then money moves, then the job is written if it stands where it stood: accounts are locked
    before the job, as by those who complete a step.
    """
    found = await store.find_job(tx, job_id)
    if found is None or found.job.status != "compensating":
        return False
    shares = [share for _, share in await trail_store.list_shares(tx, [job_id])]
    captured = [share for share in shares if share.state == "captured"]
    held = [share for share in shares if share.state == "reserved"]
    try:
        async with tx.savepoint():
            if not shares or shares[0].road == "book":
                await _undo(tx, found, captured, held)
            else:
                await _undo_calls(tx, found, shares)
    except NotUndone as refused:
        await _go(tx, found.job, machine.undo_put_off(found.job, found.now, refused.reason))
    return True


async def _undo(tx: Tx, found: Loaded, captured: list[Share], held: list[Share]) -> None:
    effects = read_definition(found.definition)
    numbers = {step.effect: number for number, step in enumerate(effects.steps, 1)}
    done: list[NewEffect] = []
    step = 1
    if captured:
        step = numbers["capture"]
        done = await _reverse(tx, step, captured)
    elif held:
        step = numbers["reserve"]
        done = await _release(tx, found.job.id, step, held)
    left = bool(captured and held)
    await _go(tx, found.job, machine.undone(found.job, found.now, step, is_all=not left))
    if done:
        trail_store.insert_effects(tx, found.job.id, done)


async def _undo_calls(tx: Tx, found: Loaded, shares: list[Share]) -> None:
    """Have the provider give back what it did; the job has ended once it has."""
    job, definition = found.job, read_definition(found.definition)
    if shares[0].road == "payout":
        done = await through.release_payouts(tx, job, shares)
    else:
        given = await through.give_back(tx, job, shares, found.now)
        if given is None:
            await _go(tx, job, machine.undo_put_off(job, found.now, "The provider is asked to give it back."))
            return
        done = given
    numbers = {step.effect: number for number, step in enumerate(definition.steps, 1)}
    reverses = any(effect.kind == "reversed" for effect in done)
    step = numbers["capture" if reverses else "reserve"] if done else 1
    await _go(tx, job, machine.undone(job, found.now, step, is_all=True))
    if done:
        trail_store.insert_effects(tx, job.id, [effect._replace(step=step) for effect in done])


async def _reverse(tx: Tx, step: int, shares: list[Share]) -> list[NewEffect]:
    orders = [ReverseEntry(new_id(), new_id(), share.entry_id) for share in reversed(shares) if share.entry_id]
    for outcome in await undo(tx, _ACTION, orders):
        if not isinstance(outcome, Done):
            raise NotUndone(outcome.detail if isinstance(outcome, Exception) else "It could not be reversed.")
    made = zip(reversed(shares), orders, strict=True)
    return [NewEffect(step, share.no, "reversed", None, order.entry_id) for share, order in made]


async def _release(tx: Tx, job_id: UUID, step: int, shares: list[Share]) -> list[NewEffect]:
    """Give the holds back that are still there; what a freeze released is back already."""
    there = [share for share in shares if share.hold_id and await _is_pending(tx, share.hold_id)]
    orders = [ReleaseHold(new_id(), share.hold_id, owner_id=job_id) for share in reversed(there) if share.hold_id]
    for outcome in await undo(tx, _ACTION, orders) if orders else ():
        if not isinstance(outcome, Done):
            raise NotUndone(outcome.detail if isinstance(outcome, Exception) else "It could not be released.")
    return [NewEffect(step, share.no, "released", share.hold_id, None) for share in shares]


async def _is_pending(tx: Tx, hold_id: UUID) -> bool:
    return (await reading.find_hold(tx, hold_id)).status == "pending"


async def give_up(tx: Tx, job_id: UUID, reason: str) -> None:
    """For other rooms: end a job whose object is gone, whoever holds its step; one that is over stays as it is."""
    found = await locked(tx, job_id)
    if found.job.status == "active":
        await _go(tx, found.job, machine.undoing(found.job, "canceled", None, reason, found.now))


async def note(tx: Tx, job_id: UUID, fact: str) -> None:
    """For other rooms: have those who work on a job know a fact."""
    found = await locked(tx, job_id)
    if found.job.status == "active":
        await _go(tx, found.job, machine.noted(found.job, fact, found.now))


async def _go(tx: Tx, before: Job, moved: Moved) -> None:
    """Write it, with its event: nobody asked for it."""
    await write(tx, before, moved)
    happening: Happening = told(moved.job, moved.happened.type, moved.job.status, note=moved.happened.note)
    events.record(tx, [event_of(new_id(), None, "", _ACTION, happening)])
