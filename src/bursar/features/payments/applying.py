"""What a provider reports, made ours: checked, booked, and written down as where things stand now, in one transaction.

Reports may come twice, late, out of order, from an answer, an event or an answer to a question: it comes to the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from bursar.core.authority import settling
from bursar.features.payments import booking, effect_store, mapping, store, telling
from bursar.features.payments.booking import Subject
from bursar.features.payments.cases import open_for
from bursar.features.payments.judging import in_turn, is_early, mismatch, overshoot
from bursar.features.payments.machine import Place, reported
from bursar.features.payments.model import OPEN, PREFIX, Attempt, AttemptStatus, Booked, Payment
from bursar.features.payments.ports import CallKind, Effect, EffectKind, Report
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show

FIRST_QUESTION = timedelta(minutes=1)
# Which statuses of a call may follow which: never back to what is open, and what came last at a provider wins.
_LATER: dict[AttemptStatus, int] = {
    "waiting": 0, "pending": 1, "unknown": 1, "canceled": 2, "succeeded": 3, "failed": 4,
}  # fmt: skip
_ENDS: dict[str, AttemptStatus] = {
    "capture": "succeeded", "refund": "succeeded", "refund_failed": "failed", "payout_paid": "succeeded",
    "payout_failed": "failed", "transfer": "succeeded",
}  # fmt: skip


async def apply(
    tx: Tx, payment_id: UUID | None, attempt_id: UUID | None, report: Report, provider: str, now: datetime
) -> bool:
    """Book what is new of a report and write where things stand; False when some of it came before its time.

    `attempt_id` is the call that the report is about, where it was ours. What contradicts what was asked is not
    booked: the payment waits for people.
    """
    payment = await store.find_payment(tx, payment_id, locked=True) if payment_id else None
    attempt = await store.find_attempt(tx, attempt_id, locked=True) if attempt_id else None
    owner = payment or attempt
    assert owner
    if payment and payment.quarantined:
        return True
    booked = await (
        effect_store.list_effects(tx, payment.id) if payment else effect_store.list_effects_of_attempt(tx, owner.id)
    )
    fresh = fresh_of(report, booked)
    subject = Subject(provider, owner.account_id, payment, attempt)
    if (payment and payment.in_suspense) or (attempt and attempt.in_suspense):
        await _book_to_suspense(tx, subject, fresh)
        return True
    if why := contradiction(payment, attempt, report, booked):
        await _quarantine(tx, subject, why)
        return True
    early = await _book_all(tx, subject, fresh, booked)
    if payment and report.kind != "refund":
        await _place(tx, payment.id, attempt, report)
    if payment:
        await store.update_told(tx, payment.id, _reference(report), report.failure, report.action_url)
    if attempt:
        await _write_attempt(tx, subject, attempt.id, report, now, ask=early or not report.complete)
    return not early


def fresh_of(report: Report, booked: Sequence[Booked]) -> list[Effect]:
    """What of a report is not booked yet, in the order in which it is to be."""
    known = {each.reference for each in booked}
    return in_turn(e for e in report.effects if e.reference not in known)


def contradiction(
    payment: Payment | None, attempt: Attempt | None, report: Report, booked: Sequence[Booked]
) -> str | None:
    """Where a report contradicts what was asked, as a sentence for people; None where it agrees."""
    why = mismatch(payment, attempt, report) if attempt else None
    return why or (overshoot(payment, booked, fresh_of(report, booked)) if payment else None)


async def _book_to_suspense(tx: Tx, subject: Subject, fresh: Sequence[Effect]) -> None:
    """The balance at the provider is what it is; whose the money is, people sort out."""
    for effect in fresh:
        await booking.ready_accounts(tx, subject.provider, effect.currency)
        await booking.book(tx, subject, mapping.to_suspense(effect), None)
        if subject.payment:
            await store.add_sums(tx, subject.payment.id, 0, 0, 0, effect.fee_minor)


def _reference(report: Report) -> str | None:
    return None if report.kind in PREFIX else report.reference


async def _quarantine(tx: Tx, subject: Subject, why: str) -> None:
    if subject.payment:
        await store.mark_quarantined(tx, subject.payment.id)
        telling.payment_changed(tx, replace(subject.payment, status="unknown"), why)
    if subject.attempt and subject.attempt.status in OPEN:
        await store.update_attempt(tx, subject.attempt.id, "unknown", None, None, None)
    await open_for(tx, "payment_mismatch", subject.name, why)


async def _book_all(tx: Tx, subject: Subject, fresh: Sequence[Effect], booked: Sequence[Booked]) -> bool:
    """Book what can be; True when some of it builds on what is not there yet."""
    payment, early = subject.payment, False
    begun: set[tuple[EffectKind, str | None]] = {(each.kind, each.about) for each in booked}
    captured, refunded = (payment.captured_minor, payment.refunded_minor) if payment else (0, 0)
    for effect in fresh:
        if is_early(effect, captured, refunded, begun):
            early = True
            continue
        cause = await _cause(tx, effect, subject)
        if not await booking.book(tx, subject, effect, cause, begun):
            note = f"The account could not take {effect.kind} {effect.reference}; suspense has it."
            await open_for(tx, "payment_suspense", subject.name, note)
        begun.add((effect.kind, effect.about))
        captured += effect.amount_minor if effect.kind == "capture" else 0
        refunded += {"refund": effect.amount_minor, "refund_failed": -effect.amount_minor}.get(effect.kind, 0)
        await _tell(tx, subject, effect, cause)
    return early


async def _cause(tx: Tx, effect: Effect, subject: Subject) -> Attempt | None:
    """Our own call that had this effect, if it was one and is of the same payment."""
    attempt_id = read("key", f"key_{effect.key}") if effect.key else None
    found = await store.find_attempt(tx, attempt_id) if attempt_id else None
    if found is None and effect.about and effect.kind in ("refund_failed", "payout_paid", "payout_failed"):
        kind: CallKind = "refund" if effect.kind == "refund_failed" else "payout"
        found = await store.find_attempt_by_reference(tx, subject.provider, kind, effect.about)
    if found is None:
        return subject.attempt if subject.payment is None else None
    return found if found.payment_id == (subject.payment.id if subject.payment else None) else None


async def _tell(tx: Tx, subject: Subject, effect: Effect, cause: Attempt | None) -> None:
    """Keep the sums, end the call that had the effect, and record what people and agents want to hear of."""
    payment, minor = subject.payment, effect.amount_minor
    if payment:
        sums = {
            "capture": (minor, 0, 0), "refund": (0, minor, 0), "refund_failed": (0, -minor, 0),
            "dispute": (0, 0, minor), "dispute_won": (0, 0, -minor),
        }.get(effect.kind, (0, 0, 0))  # fmt: skip
        await store.add_sums(tx, payment.id, *sums, effect.fee_minor)
        if effect.kind.startswith("dispute"):
            telling.dispute_changed(tx, payment, effect)
    ends = _ENDS.get(effect.kind)
    if cause and ends and _LATER[ends] > _LATER[cause.status]:
        reference = effect.about if cause.kind in PREFIX else None
        await store.update_attempt(tx, cause.id, ends, reference, None, None)
        if cause.kind in PREFIX:
            telling.attempt_changed(tx, cause, ends)


async def _place(tx: Tx, payment_id: UUID, attempt: Attempt | None, report: Report) -> None:
    """Move the payment on, if the report is of its present attempt and says more than was known."""
    payment = await store.find_payment(tx, payment_id)
    assert payment
    before = Place(payment.status, payment.attempt, payment.rank)
    number = attempt.number if attempt else payment.attempt
    if number < before.attempt and report.standing in ("requires_capture", "succeeded"):
        await open_for(tx, "payment_mismatch", show("pay", payment_id), "An attempt that was given up came true.")
    # Without its captures a success is only half told; the rest is asked for.
    if report.standing == "succeeded" and not payment.captured_minor:
        return
    after = reported(before, number, report.standing)
    if after == before:
        return
    await store.update_place(tx, payment_id, after)
    if after.status != before.status:
        told = replace(payment, status=after.status, failure=report.failure)
        telling.payment_changed(tx, told, report.failure)
    if after.is_over and not before.is_over:
        await give_back_limits(tx, payment, after.attempt)


async def give_back_limits(tx: Tx, payment: Payment, number: int) -> None:
    """What an attempt used of the limits and did not bring."""
    charges = [a for a in await store.list_attempts(tx, payment.id) if a.kind == "charge" and a.number == number]
    left = payment.amount_minor - payment.captured_minor
    for charge in charges:
        await settling.give_back(tx, charge.event_id, left, whole=not payment.captured_minor)


async def _write_attempt(
    tx: Tx, subject: Subject, attempt_id: UUID, report: Report, now: datetime, *, ask: bool
) -> None:
    attempt = await store.find_attempt(tx, attempt_id)
    assert attempt
    effects = subject.payment and await effect_store.list_effects(tx, subject.payment.id)
    mine = effects or await effect_store.list_effects_of_attempt(tx, attempt_id)
    became = _became(attempt, report, {each.kind for each in mine if each.attempt_id == attempt_id})
    status = became if _LATER[became] >= _LATER[attempt.status] and attempt.status in OPEN else attempt.status
    own = report.reference if attempt.kind in PREFIX else None
    asks_again = status in OPEN
    ask_at = now if ask else (attempt.ask_at or now + FIRST_QUESTION) if asks_again else None
    await store.update_attempt(tx, attempt_id, status, own, report.failure, ask_at)
    if status == "failed" and attempt.status in OPEN:
        await booking.release(tx, subject, attempt, report.failure or "failed")
    if status != attempt.status and attempt.kind in PREFIX:
        telling.attempt_changed(tx, attempt, status)


def _became(attempt: Attempt, report: Report, booked: set[str]) -> AttemptStatus:
    """What a report makes of its call. A success whose effect is not booked is not believed to be over."""
    standing = report.standing
    match attempt.kind:
        case "charge":
            authorised = standing in ("requires_capture", "succeeded")
            return "succeeded" if authorised else _plain(standing)
        case "capture":
            return "succeeded" if "capture" in booked else "failed" if standing in ("canceled", "failed") else "pending"
        case "cancel":
            return "succeeded" if standing == "canceled" else "failed" if standing == "succeeded" else "pending"
        case "refund":
            return _plain(standing) if "refund" in booked or standing != "succeeded" else "pending"
        case "transfer":
            return _plain(standing) if "transfer" in booked or standing != "succeeded" else "pending"
        case "payout":
            return _plain(standing) if "payout_paid" in booked or standing != "succeeded" else "pending"


def _plain(standing: str) -> AttemptStatus:
    match standing:
        case "succeeded" | "failed" | "canceled":
            return standing
        case _:
            return "pending"
