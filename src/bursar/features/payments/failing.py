"""What becomes of a call that a provider refused, that was never sent, or of which nobody knows what became of it."""

from datetime import datetime

from bursar.features.payments import booking, store, telling
from bursar.features.payments.applying import FIRST_QUESTION, give_back_limits
from bursar.features.payments.booking import Subject
from bursar.features.payments.machine import Place, lost, reported
from bursar.features.payments.model import OPEN, PREFIX, Attempt, AttemptStatus, Payment
from bursar.features.payments.ports import Standing
from bursar.kernel.db import Tx


async def _locked(tx: Tx, attempt: Attempt) -> tuple[Subject, Attempt]:
    payment = await store.find_payment(tx, attempt.payment_id, locked=True) if attempt.payment_id else None
    found = await store.find_attempt(tx, attempt.id, locked=True)
    assert found
    return Subject(found.provider, found.account_id, payment, found), found


async def refuse(tx: Tx, attempt: Attempt, code: str, reference: str | None) -> None:
    """Nothing happened and nothing will: what was set aside is given back."""
    await _end(tx, attempt, "failed", code, reference)


async def cancel(tx: Tx, attempt: Attempt, why: str) -> None:
    """It was never sent and never will be: an approval was refused or has expired."""
    await _end(tx, attempt, "canceled", why, None)


async def _end(tx: Tx, attempt: Attempt, status: AttemptStatus, code: str, reference: str | None) -> None:
    subject, found = await _locked(tx, attempt)
    if found.status not in OPEN:
        return
    own = reference if found.kind in PREFIX else None
    await store.update_attempt(tx, found.id, status, own, code, None)
    await booking.release(tx, subject, found, code)
    if found.kind in PREFIX:
        telling.attempt_changed(tx, found, status)
    if subject.payment and found.kind == "charge":
        standing: Standing = "failed" if status == "failed" else "canceled"
        await _fall(tx, subject.payment, found, standing, code)


async def _fall(tx: Tx, payment: Payment, attempt: Attempt, standing: Standing, code: str) -> None:
    before = Place(payment.status, payment.attempt, payment.rank)
    after = reported(before, attempt.number, standing)
    if after == before:
        return
    await store.update_place(tx, payment.id, after)
    await store.update_told(tx, payment.id, None, code, None)
    found = await store.find_payment(tx, payment.id)
    assert found
    telling.payment_changed(tx, found, code)
    # An approval that ended gave them back itself.
    if attempt.status != "waiting":
        await give_back_limits(tx, found, attempt.number)


async def lose(tx: Tx, attempt: Attempt, now: datetime) -> None:
    """Nobody knows what became of it: it is asked for, and meanwhile said so."""
    subject, found = await _locked(tx, attempt)
    if found.status not in OPEN:
        return
    await store.update_attempt(tx, found.id, "unknown", None, None, found.ask_at or now + FIRST_QUESTION)
    if subject.payment and found.kind == "charge":
        payment = subject.payment
        before = Place(payment.status, payment.attempt, payment.rank)
        after = lost(before, found.number)
        if after != before:
            await store.update_place(tx, payment.id, after)
            again = await store.find_payment(tx, payment.id)
            assert again
            telling.payment_changed(tx, again, "outcome_unknown")


async def put_off(tx: Tx, attempt: Attempt, now: datetime) -> None:
    """Nothing has left this process: the same call is made again later."""
    _, found = await _locked(tx, attempt)
    if found.status in OPEN:
        status: AttemptStatus = "unknown" if found.status == "unknown" else "pending"
        await store.update_attempt(tx, found.id, status, None, None, found.ask_at or now + FIRST_QUESTION)
