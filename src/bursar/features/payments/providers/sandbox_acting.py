"""What the sandbox's provider does with what it is asked, and what happens there later by itself."""

from datetime import datetime, timedelta

import orjson

from bursar.features.payments.ports import Charge, Follow, Payout, ProviderRefused
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers import sandbox_telling as telling
from bursar.features.payments.providers.magic import DISPUTE_FEE_MINOR, Magic, fee_of, magic_of
from bursar.features.payments.providers.sandbox_store import Due, Made, Transaction
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

_PREFIX = {"charge": "pi", "capture": "cap", "cancel": "can", "refund": "re", "payout": "po"}


def _made(
    key: str,
    kind: str,
    parent: str | None,
    asked: str,
    method: str | None,
    order: Charge | Follow | Payout,
    now: datetime,
) -> Made:
    reference = f"{_PREFIX[kind]}_{key}"
    return Made(
        key, reference, parent, kind, asked, method, "succeeded", order.currency, order.amount_minor, None, now
    )  # fmt: skip


async def _is_known(tx: Tx, key: str, asked: str) -> bool:
    """Whether this was asked before; the same key with something else is refused."""
    found = await store.find(tx, key)
    if found and found.asked != asked:
        raise ProviderRefused("idempotency_key_reused")
    return found is not None


async def charged(tx: Tx, order: Charge, magic: Magic, asked: str, now: datetime) -> bool:
    """Create and confirm a payment; False when it was asked before."""
    if await _is_known(tx, order.key, asked):
        return False
    made = _made(order.key, "charge", None, asked, order.method, order, now)
    if magic.decline:
        return await store.insert(tx, made._replace(standing="failed", failure=magic.decline))
    if magic.first:
        due = Due(f"step_{order.key}", "authenticate", order.key, "")
        await store.insert_due(tx, due, now + timedelta(seconds=magic.seconds))
        return await store.insert(tx, made._replace(standing=magic.first))
    new = await store.insert(tx, made._replace(standing="succeeded" if order.capture else "requires_capture"))
    if new and order.capture:
        await _capture(tx, made, order.key, order.amount_minor, now)
    return new


async def _capture(tx: Tx, charge: Made, key: str, minor: int, now: datetime) -> None:
    await _enter(tx, "capture", f"txn_{key}", charge, key, charge.reference, minor, fee_of(minor), now)
    if magic_of(charge.method).disputed:
        await store.insert_due(tx, Due(f"step_dp_{charge.key}", "dispute", charge.key, ""), now + timedelta(seconds=1))


async def _enter(
    tx: Tx, kind: str, reference: str, subject: Made, key: str | None, about: str, minor: int, fee: int, now: datetime
) -> None:
    """Write a row of the books; its sign is that of its kind."""
    sign = {"capture": 1, "refund": -1, "refund_failed": 1, "dispute": -1, "dispute_won": 1, "payout": -1,
            "payout_failed": 1}.get(kind, 0)  # fmt: skip
    row = Transaction(
        reference, subject.key, key, about, kind, subject.currency, minor, fee, sign * minor - fee, now
    )  # fmt: skip
    await store.insert_transaction(tx, row)


async def act_on(tx: Tx, order: Follow, charge: Made, asked: str, now: datetime) -> bool:
    """Capture, cancel or refund a locked charge; False when it was asked before."""
    if await _is_known(tx, order.key, asked):
        return False
    made = _made(order.key, order.kind, charge.key, asked, charge.method, order, now)
    rows = await store.list_transactions_of(tx, charge.key)
    captured = sum(row.amount_minor for row in rows if row.kind == "capture")
    match order.kind:
        case "capture":
            if charge.standing != "requires_capture" or captured + order.amount_minor > charge.amount_minor:
                raise ProviderRefused("amount_too_large")
            await _capture(tx, charge, order.key, order.amount_minor, now)
            if order.final or captured + order.amount_minor == charge.amount_minor:
                await store.mark(tx, charge.key, "succeeded")
        case "cancel":
            if captured or charge.standing == "succeeded":
                raise ProviderRefused("already_captured")
            await store.mark(tx, charge.key, "canceled")
        case "refund":
            await _refund(tx, made, charge, rows, order.key, now)
    return await store.insert(tx, made)


async def _refund(tx: Tx, made: Made, charge: Made, rows: list[Transaction], key: str | None, now: datetime) -> None:
    kinds = {"capture": 1, "refund": -1, "refund_failed": 1}
    left = sum(kinds.get(row.kind, 0) * row.amount_minor for row in rows)
    if made.amount_minor > left:
        raise ProviderRefused("charge_already_refunded")
    await _enter(tx, "refund", f"txn_{made.key}", charge, key, made.reference, made.amount_minor, 0, now)


async def paid_out(tx: Tx, order: Payout, magic: Magic, asked: str, now: datetime) -> bool:
    """Pay out of the balance; False when it was asked before."""
    if await _is_known(tx, order.key, asked):
        return False
    made = _made(order.key, "payout", None, asked, order.destination, order, now)._replace(standing="processing")
    balance = (await store.balances(tx)).get(order.currency, 0)
    refused = magic.decline or ("balance_insufficient" if balance < order.amount_minor else None)
    if refused:
        return await store.insert(tx, made._replace(standing="failed", failure=refused))
    await _enter(tx, "payout", f"txn_{order.key}", made, order.key, made.reference, order.amount_minor, 0, now)
    await store.insert_due(tx, Due(f"step_{order.key}", "pay", order.key, ""), now + timedelta(seconds=magic.seconds))
    return await store.insert(tx, made)


async def happen(tx: Tx, due: Due, now: datetime) -> None:
    """Do what is due, and have it told."""
    made = await store.find(tx, due.key)
    assert made
    magic = magic_of(made.method)
    match due.step:
        case "authenticate":
            await _authenticate(tx, made, magic, now)
        case "pay":
            await _pay(tx, made, magic, now)
        case _:
            await dispute(tx, made, made.amount_minor, now)


async def _authenticate(tx: Tx, made: Made, magic: Magic, now: datetime) -> None:
    if made.standing not in ("requires_action", "processing"):
        return
    capture = orjson.loads(made.asked)["capture"]
    if magic.then == "failed":
        await store.mark(tx, made.key, "failed")
        await tell(tx, "payment_intent.payment_failed", made.key, now)
        return
    await store.mark(tx, made.key, "succeeded" if capture else "requires_capture")
    if capture:
        await _capture(tx, made, made.key, made.amount_minor, now)
    await tell(tx, "payment_intent.succeeded" if capture else "payment_intent.amount_capturable_updated", made.key, now)


async def _pay(tx: Tx, made: Made, magic: Magic, now: datetime) -> None:
    came_back = made.standing == "succeeded"
    became = "paid" if magic.then == "succeeded" and not came_back else "failed"
    await store.mark(tx, made.key, "succeeded" if became == "paid" else "failed")
    await _enter(
        tx, f"payout_{became}", f"{made.reference}:{became}", made, made.key, made.reference, made.amount_minor, 0, now
    )
    await tell(tx, f"payout.{became}", made.key, now)
    if magic.returned and not came_back:
        due = Due(f"step_back_{made.key}", "pay", made.key, "")
        await store.insert_due(tx, due, now + timedelta(seconds=magic.seconds))


async def dispute(tx: Tx, charge: Made, minor: int, now: datetime) -> str:
    """The customer's bank takes an amount back, and the provider its fee; the dispute's reference."""
    about = f"dp_{charge.key}"
    await _enter(tx, "dispute", f"txn_{about}", charge, None, about, minor, DISPUTE_FEE_MINOR, now)
    await tell(tx, "charge.dispute.created", charge.key, now)
    return about


async def decide_dispute(tx: Tx, charge: Made, minor: int, *, won: bool, now: datetime) -> None:
    """A dispute ends: what is won comes back."""
    about = f"dp_{charge.key}"
    kind = "dispute_won" if won else "dispute_lost"
    await _enter(tx, kind, f"{about}:{kind}", charge, None, about, minor, 0, now)
    await tell(tx, "charge.dispute.closed", charge.key, now)


async def refund_outside(tx: Tx, charge: Made, minor: int, now: datetime) -> str:
    """Somebody refunds at the provider, past Bursar; the refund's reference."""
    key = new_id().hex
    made = Made(key, f"re_{key}", charge.key, "refund", "", None, "succeeded", charge.currency, minor, None, now)
    await _refund(tx, made, charge, await store.list_transactions_of(tx, charge.key), None, now)
    await store.insert(tx, made)
    await tell(tx, "charge.refunded", charge.key, now)
    return made.reference


async def tell(tx: Tx, kind: str, key: str, now: datetime) -> None:
    """Have how a call stands now told, as soon as somebody carries it."""
    report = await telling.report_of(tx, key)
    assert report
    event_id = f"evt_{new_id().hex}"
    body = telling.event_body(event_id, kind, tx.tenant.hex, report, now)
    await store.insert_due(tx, Due(event_id, "tell", key, body), now)
