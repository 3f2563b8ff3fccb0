"""Frauds to plant among the real payments of an account: of known kinds, at places and of sizes drawn from a seed."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.features.risk.berka import CURRENCY, draw, in_office_hours, made_id
from bursar.features.risk.model import Payment

Kind = Literal["amount_outlier", "structuring", "night_transfer"]

KINDS: Sequence[Kind] = ("amount_outlier", "structuring", "night_transfer")
# The mandate of every agent in the evaluation lets this much through without an approval: 10,000.00 CZK.
AUTO_MAX_MINOR = 1_000_000
# A fraud comes only after this many payments, and into accounts that have more.
EARLIER_PAYMENTS = 10


class Fraud(NamedTuple):
    """A planted fraud: one payment, or several that belong together."""

    kind: Kind
    payments: Sequence[Payment]


def plant(real: Sequence[Payment], seed: int) -> list[Fraud]:
    """One fraud of each kind, each at a place of its own among the payments of one account, given in order of time."""
    if len(real) <= EARLIER_PAYMENTS:
        return []
    return [_fraud(kind, real, seed) for kind in KINDS]


def _fraud(kind: Kind, real: Sequence[Payment], seed: int) -> Fraud:
    label = (kind, real[0].source_id.hex)
    place = EARLIER_PAYMENTS + draw(len(real) - EARLIER_PAYMENTS, seed, *label, "place")
    day = datetime.combine(real[place].at, time.min, UTC)
    # What is earlier on the same day may come after the fraud.
    earlier = [p for p in real[:place] if p.at < day] or real[:1]
    if kind == "amount_outlier":
        return Fraud(kind, [_outlier(earlier, day, seed, *label)])
    if kind == "structuring":
        return Fraud(kind, _structured(earlier, day, seed, *label))
    return Fraud(kind, [_at_night(earlier, day, seed, *label)])


def _outlier(earlier: Sequence[Payment], day: datetime, seed: int, *label: str) -> Payment:
    """To a payee the account has paid, in office hours: 2 to 10 times the largest payment so far."""
    percent = 200 + draw(801, seed, *label, "percent")
    amount = max(p.amount_minor for p in earlier) * percent // 100
    return _payment(earlier, in_office_hours(day, seed, *label), _known_payee(earlier, seed, *label), amount)


def _structured(earlier: Sequence[Payment], day: datetime, seed: int, *label: str) -> list[Payment]:
    """3 to 5 payments to one payee, every second time a new one, each of 92 to 99.9 % of what needs no approval."""
    new = draw(2, seed, *label, "is new")
    payee = _new_payee(seed, *label) if new else _known_payee(earlier, seed, *label)
    at, payments = in_office_hours(day, seed, *label), list[Payment]()
    for number in map(str, range(3 + draw(3, seed, *label, "payments"))):
        amount = AUTO_MAX_MINOR * (920 + draw(80, seed, *label, "share", number)) // 1000
        payments.append(_payment(earlier, at, payee, amount))
        at += timedelta(minutes=2 + draw(119, seed, *label, "pause", number))
    return payments


def _at_night(earlier: Sequence[Payment], day: datetime, seed: int, *label: str) -> Payment:
    """To a new payee between midnight and 5:00, of an amount the account has paid before: only hour and payee tell."""
    at = day + timedelta(seconds=draw(5 * 3600, seed, *label, "second"))
    amount = earlier[draw(len(earlier), seed, *label, "amount")].amount_minor
    return _payment(earlier, at, _new_payee(seed, *label), amount)


def _payment(earlier: Sequence[Payment], at: datetime, payee: UUID | None, amount_minor: int) -> Payment:
    return Payment(at, earlier[0].source_id, payee, CURRENCY, amount_minor)


def _known_payee(earlier: Sequence[Payment], seed: int, *label: str) -> UUID | None:
    return earlier[draw(len(earlier), seed, *label, "payee")].target_id


def _new_payee(seed: int, *label: str) -> UUID:
    return made_id("thief", str(seed), *label)
