"""A steady agent, whose habits the tests of risk start from, and any history and payment there may be."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from bursar.features.risk.model import History, Payment
from bursar.features.risk.ruleset import DEFAULT_RULES, RuleSet

SOURCE, PAYEE = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
AUTO_MAX = 100_000

# 40 payments from 9:00 to 17:00, nearly all of them of at most 200.00 USD; the last one was yesterday.
STEADY = History(
    payments=40,
    busiest_hour=2,
    hours=tuple(5 if 9 <= hour < 17 else 0 for hour in range(24)),
    payments_in_currency=40,
    usual_most_minor=20_000,
    last_hour=0,
    near_threshold=0,
    payee_since=NOON - timedelta(days=90),
    source_last_at=NOON - timedelta(days=1),
    habits_since=NOON - timedelta(days=90),
)
USUAL = Payment(NOON, SOURCE, PAYEE, "USD", 15_000)

_times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - made aware there
_counts = st.integers(0, 10_000)
_amounts = st.integers(1, 10**15)

payments = st.builds(Payment, _times, st.uuids(), st.uuids(), st.sampled_from(["USD", "CZK", "JPY", "KWD"]), _amounts)
thresholds = st.none() | _amounts


@st.composite
def histories(draw: st.DrawFn, payment: Payment) -> History:
    """Anything that can have been known before the payment."""
    hours = draw(st.lists(_counts, min_size=24, max_size=24))
    count = sum(hours)
    earlier = st.none() | st.integers(0, 10**8).map(lambda seconds: payment.at - timedelta(seconds=seconds))
    return History(
        payments=count,
        busiest_hour=draw(st.integers(0, count)),
        hours=tuple(hours),
        payments_in_currency=draw(st.integers(0, count)),
        usual_most_minor=draw(_amounts),
        last_hour=draw(_counts),
        near_threshold=draw(_counts),
        payee_since=draw(earlier),
        source_last_at=draw(earlier),
        habits_since=draw(earlier),
    )


known = payments.flatmap(lambda payment: st.tuples(histories(payment), st.just(payment)))


@st.composite
def rulesets(draw: st.DrawFn) -> RuleSet:
    """Rules with any version, points and outcomes, and the default thresholds."""
    data = DEFAULT_RULES.model_dump()
    data["version"] = draw(st.integers(1, 1_000_000))
    for name in ("velocity", "new_payee", "unusual_hour", "amount_outlier", "structuring", "dormant"):
        data[name]["points"] = draw(st.integers(0, 100))
    steps = sorted(draw(st.lists(st.integers(1, 101), min_size=3, max_size=3)))
    data["outcomes"] = dict(zip(("needs_approval", "step_up", "deny"), steps, strict=True))
    return RuleSet.model_validate(data)
