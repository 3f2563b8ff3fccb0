"""What a job has a provider do: each call is named by the job, what it is and the share, so that there is one of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.authority.settling import Ground, settle
from bursar.core.ledger.model import AccountRef
from bursar.core.ledger.orders import Claims, Order, PlaceHold, ReleaseHold, Undertake
from bursar.core.ledger.outcomes import Done
from bursar.features.jobs.definition import Effect
from bursar.features.jobs.model import Job, Road, Share
from bursar.features.jobs.trail_store import NewEffect
from bursar.features.payments import effect_store, mapping, people_store, store
from bursar.features.payments.applying import FIRST_QUESTION
from bursar.features.payments.intents import LEASE, RAIL
from bursar.features.payments.model import OPEN, Attempt, Payment
from bursar.features.payments.ports import CallKind
from bursar.kernel.db import Tx
from bursar.kernel.ids import id_from, new_id, show
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal

WayBack: TypeAlias = Literal["refund", "cancel"]
# What a step has the provider do. A payout's funds are held by its reserve; there is nothing to call for yet.
CALLS: dict[tuple[Road, Effect], CallKind] = {
    ("charge", "reserve"): "charge",
    ("charge", "capture"): "capture",
    ("payout", "capture"): "payout",
}


class NotUndone(Exception):
    """Something could not be given back now: nothing of the step is undone."""

    def __init__(self, reason: str) -> None:
        """`reason` is a sentence for people."""
        super().__init__(reason)
        self.reason = reason


class Cause(NamedTuple):
    """Why a provider is called: the event that allowed it, who asked (None: Bursar itself), what it waits for."""

    event_id: UUID
    principal_id: UUID | None
    approval_id: UUID | None = None


def call_id(job_id: UUID, kind: CallKind, share: int, again: int = 0) -> UUID:
    """The id of a call, and so its key at the provider: whoever repeats the step, it is the same."""
    return id_from(job_id, kind, share, again)


def money_of(job: Job, share: Share) -> Money:
    """What a priced share comes to."""
    assert share.amount_minor
    return Money(share.amount_minor, job.currency)


def undertaking(
    event_id: UUID, account: AccountRef, money: Money, whom_id: UUID | None, what: str | None = None
) -> Undertake:
    """What a charge takes of limits; `whom_id` is the payment method."""
    return Undertake(event_id, account, money, what, Claims(rail=RAIL, whom_id=whom_id))


def reserve_order(job: Job, share: Share, event_id: UUID) -> Undertake | PlaceHold:
    """What reserving a share takes of limits, and of funds where they go out."""
    money, claims = money_of(job, share), Claims(rail=RAIL, whom_id=share.method_id)
    if share.road == "charge":
        assert share.target_id
        return undertaking(event_id, share.target_id, money, share.method_id, job.reference)
    assert share.source_id
    assert share.provider
    return PlaceHold(
        new_id(), event_id, share.source_id, mapping.transit(share.provider, job.currency), money, None, job.reference,
        {"job": show("job", job.id)}, world=True, claims=claims, owner_id=call_id(job.id, "payout", share.no),
    )  # fmt: skip


async def begin(
    tx: Tx, job: Job, share: Share, kind: CallKind, cause: Cause, now: datetime, claim: tuple[UUID, bytes] | None = None
) -> Attempt:
    """Write down the call of a step, and for a charge its payment: whoever asked has the right to send it.

    `claim` is the caller's key and the hash of what was asked with it, where the call itself is to be found by them.
    """
    assert share.method_id
    method = await people_store.find_method(tx, share.method_id)
    assert method
    money, payment_id = money_of(job, share), None
    if kind != "payout":
        payment_id = id_from(job.id, "payment", share.no)
    if kind == "charge":
        assert share.target_id
        assert payment_id
        assert cause.principal_id
        payment = Payment(
            payment_id, method.provider, share.target_id, money.currency, money.minor, "manual", method.customer_id,
            method.id, "requires_confirmation" if cause.approval_id else "processing", 1, 0, 0, 0, 0, 0, None, None,
            None, False, False, job.reference, {"job": show("job", job.id)}, cause.principal_id, now, now,
        )  # fmt: skip
        store.insert_payment(tx, payment)
    reference = None if kind == "capture" else method.reference
    attempt = _attempt(job, share, kind, call_id(job.id, kind, share.no), payment_id, money, cause, now, reference)
    if claim:
        attempt = replace(attempt, claim_id=claim[0], request_hash=claim[1])
    store.insert_attempt(tx, attempt)
    return attempt


def _attempt(
    job: Job, share: Share, kind: CallKind, attempt_id: UUID, payment_id: UUID | None, money: Money, cause: Cause,
    now: datetime, method: str | None = None,
) -> Attempt:  # fmt: skip
    account_id = share.source_id if kind == "payout" else share.target_id
    assert account_id
    assert share.provider
    waits, own = cause.approval_id is not None, cause.principal_id is None
    ask_at = now if own else now + FIRST_QUESTION
    return Attempt(
        attempt_id, payment_id, 1, kind, share.provider, account_id, money.currency, money.minor,
        "waiting" if waits else "pending", None, method, True, None, job.reference, cause.event_id, cause.approval_id,
        cause.principal_id, None, None, 0, None if waits else ask_at, None if waits or own else now + LEASE, now, None,
        job_id=job.id, job_share=share.no,
    )  # fmt: skip


async def calls_of(tx: Tx, job: Job, road: Road, effect: Effect) -> list[Attempt]:
    """The calls that a step has had made."""
    kind = CALLS.get((road, effect))
    return [call for call in await store.list_attempts_of_job(tx, job.id) if call.kind == kind]


async def give_back(tx: Tx, job: Job, shares: Sequence[Share], now: datetime) -> list[NewEffect] | None:
    """Have everything given back that a provider did for these shares; what it was, or None while that is under way.

    Payments are locked before accounts, as by those who book what a provider says. Raises `NotUndone`.
    """
    calls = await store.list_attempts_of_job(tx, job.id)
    begun = [(share, share.payment_id) for share in reversed(shares) if share.payment_id]
    found = [(share, await store.find_payment(tx, payment_id, locked=True)) for share, payment_id in begun]
    pairs = [(share, payment) for share, payment in found if payment]
    if any(call.status in OPEN for call in calls):
        raise NotUndone("A provider has yet to say what became of a call.")
    if any(payment.quarantined for _, payment in pairs):
        raise NotUndone("A payment waits for people to look at what its provider says.")
    wanted: list[tuple[Share, Payment, WayBack]] = [
        (share, payment, kind) for share, payment in pairs if (kind := _way_back(payment))
    ]
    if not wanted:
        return [_given_back(share, payment, calls) for share, payment in pairs]
    await _ask_back(tx, job, wanted, calls, now)
    return None


async def _ask_back(
    tx: Tx, job: Job, wanted: Sequence[tuple[Share, Payment, WayBack]], calls: Sequence[Attempt], now: datetime
) -> None:
    """Write the calls down; what is refunded is held until the provider has it, as with any refund."""
    refunds: list[PlaceHold] = []
    for share, payment, kind in wanted:
        left = Money(payment.captured_minor - payment.refunded_minor, payment.currency)
        mine = [call for call in calls if call.job_share == share.no]
        made = call_id(job.id, kind, share.no, sum(1 for call in mine if call.kind == kind))
        event_id = mine[0].event_id
        if kind == "refund":
            event_id = new_id()
            refunds.append(
                PlaceHold(new_id(), event_id, payment.account_id, None, left, description=job.reference, owner_id=made)
            )
        call = _attempt(job, share, kind, made, payment.id, left, Cause(event_id, None), now)
        store.insert_attempt(tx, call)
    await _settled(tx, job, "refund_payment", refunds)


def _way_back(payment: Payment) -> WayBack | None:
    """How what is there of a payment is given back; None when there is nothing of it."""
    if payment.captured_minor > payment.refunded_minor:
        return "refund"
    stands = payment.status in ("requires_action", "requires_capture")
    return "cancel" if stands and not payment.captured_minor else None


async def _settled(tx: Tx, job: Job, action: str, orders: Sequence[Order]) -> None:
    if not orders:
        return
    for outcome in await settle(tx, Ground(action, None, show("job", job.id), {}), orders):
        if not isinstance(outcome, Done):
            raise NotUndone(outcome.detail if isinstance(outcome, Refusal) else "It could not be given back.")


def _given_back(share: Share, payment: Payment, calls: Sequence[Attempt]) -> NewEffect:
    own = [call for call in calls if call.job_share == share.no]
    last = next((call for call in reversed(own) if call.kind in ("refund", "cancel")), own[0])
    return NewEffect(0, share.no, "reversed" if payment.captured_minor else "released", None, None, last.id)


async def release_payouts(tx: Tx, job: Job, shares: Sequence[Share]) -> list[NewEffect]:
    """Give back what payouts that were never begun had reserved; what a provider refused was given back by that."""
    held: list[tuple[Share, UUID, UUID]] = []
    for share in shares:
        owner_id = call_id(job.id, "payout", share.no)
        if hold_id := await effect_store.find_hold_of(tx, owner_id):
            held.append((share, hold_id, owner_id))
    orders = [ReleaseHold(new_id(), hold_id, owner_id=owner_id) for _, hold_id, owner_id in held]
    await _settled(tx, job, "create_payout", orders)
    return [NewEffect(0, share.no, "released", hold_id, None) for share, hold_id, _ in held]
