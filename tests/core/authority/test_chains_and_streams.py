"""Whatever the chain and whatever came before, the verdict is what plain sums say."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from bursar.core.authority.counting import Counters
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import ANY_PAYEE, VELOCITY, Earlier, Meter, Payee, Risk, Used
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.periods import span_of, span_of_velocity
from bursar.kernel.money import Money
from tests.core.authority.mandates import (
    ANYBODY,
    EVENT,
    GUARDED,
    HALF,
    NEVER_ALONE,
    NOW,
    SHOP_ACCOUNT,
    STRANGER,
    VELOCITY_5,
    approval_json,
    counterparties_json,
    facts,
    hours_json,
    mandate,
    payee,
    payment,
    terms_json,
    window_json,
)

TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


FORMS = st.sampled_from([
    {}, HALF, NEVER_ALONE, ANYBODY, GUARDED, VELOCITY_5, {"actions": []}, {"accounts": ["ACC2"]}, {"rails": ["ach"]},
    {"hours": hours_json()}, {"hours": hours_json(days=["sun"])}, {"windows": [window_json()]},
    {"windows": [window_json(per_payee=True, max_amount="30.00")]},
    {"approvals": [approval_json({"risk_at_least": 50})]}, {"counterparties": counterparties_json(allow=[])},
    {"counterparties": counterparties_json(cool_off_seconds=90_000)},
])  # fmt: skip
STATUSES = st.sampled_from(["active"] * 9 + ["paused"])
RISKS = st.none() | st.sampled_from([Risk(60, "allow", "why"), Risk(70, "step_up", "why"), Risk(90, "deny", "why")])


@given(
    st.lists(st.tuples(FORMS, STATUSES, st.integers(0, 9000)), min_size=1, max_size=4),
    st.sampled_from(["10.00", "50.01", "100.01"]),
    st.sampled_from([payee(), STRANGER, None]),
    st.none() | st.just(EVENT),
    RISKS,
)
def test_a_chain_allows_what_each_of_its_mandates_alone_would_allow(
    links: list[tuple[dict[str, Any], Any, int]], amount: str, to: Payee | None, earlier: UUID | None, risk: Risk | None
) -> None:
    chain = [mandate(n, terms_json(**form), status=status) for n, (form, status, _) in enumerate(links, 1)]
    used = {
        (m.id, window.key, payee_id): Used(minor, minor % 5)
        for m, (_, _, minor) in zip(chain, links, strict=True)
        for window in m.terms.windows
        for payee_id in (ANY_PAYEE, SHOP_ACCOUNT)
    }
    asked = payment(amount, payee=to)
    before = Earlier(earlier, NOW) if earlier else None
    whole = evaluate(facts(*chain, used=used, duplicate_of=before, risk=risk), asked)
    alone = [evaluate(facts(m, used=used, duplicate_of=before, risk=risk), asked) for m in chain]
    outcomes = {verdict.outcome for verdict in alone}
    strictest = next(outcome for outcome in ("deny", "needs_approval", "allow") if outcome in outcomes)
    assert whole.outcome == strictest
    assert {r.detail for r in whole.refusals} == {r.detail for verdict in alone for r in verdict.refusals}
    if whole.outcome != "deny":
        assert list(whole.after.items()) == [use for verdict in alone for use in verdict.after.items()]
        every = {why for verdict in alone if verdict.needs for why in verdict.needs.why}
        assert (set(whole.needs.why) if whole.needs else set()) == every


class Paid(NamedTuple):
    """A payment of the plain model."""

    at: datetime
    money: Money
    payee: Payee


WINDOW_ROWS = [
    window_json(time_zone="Europe/Prague", max_count=4),
    window_json(period="hour", max_amount="60.00"),
    window_json(period="week", currency=None, max_amount=None, max_count=9),
    window_json(period="lifetime", currency="EUR", max_amount="150.00"),
    window_json(kind="rolling", max_amount="80.00", per_payee=True),
    window_json(kind="rolling", period="hour", currency=None, max_amount=None, max_count=3),
]
STEPS = st.tuples(
    st.sampled_from([timedelta(0), TICK, timedelta(seconds=59), timedelta(minutes=61), 7 * HOUR, 25 * HOUR])
    | st.timedeltas(timedelta(0), timedelta(hours=3)),
    st.integers(1, 7000),
    st.sampled_from(["USD", "USD", "EUR"]),
    st.sampled_from([payee(), payee(account_id=UUID(int=9), number="ACC8")]),
)


def _same_period(row: dict[str, Any], earlier: datetime, now: datetime) -> bool:
    """Whether a window counts at `now` what was paid earlier, by the wall clock or in whole sixtieths."""
    if row["kind"] == "rolling":
        piece = {"hour": 60, "day": 1440}[row["period"]]
        return int(now.timestamp()) // piece - int(earlier.timestamp()) // piece <= 60
    here, there = (at.astimezone(ZoneInfo(row["time_zone"])) for at in (now, earlier))
    match row["period"]:
        case "hour":
            return f"{here:%Y-%m-%d %H}" == f"{there:%Y-%m-%d %H}"
        case "day":
            return here.date() == there.date()
        case "week":
            return here.isocalendar()[:2] == there.isocalendar()[:2]
        case _:
            return True


def _plainly_fits(row: dict[str, Any], before: Sequence[Paid], new: Paid) -> bool:
    if row["currency"] not in {None, new.money.currency}:
        return True
    counted = [new] + [
        paid
        for paid in before
        if row["currency"] in {None, paid.money.currency}
        and (not row["per_payee"] or paid.payee == new.payee)
        and _same_period(row, paid.at, new.at)
    ]
    cents = sum(paid.money.minor for paid in counted)
    fits = row["max_amount"] is None or cents <= int(row["max_amount"].replace(".", ""))
    return fits and (row["max_count"] is None or len(counted) <= row["max_count"])


def _plainly_covered(rows: Sequence[dict[str, Any]], currency: str) -> bool:
    """A mandate that limits some currencies covers no others."""
    named = {row["currency"] for row in rows} - {None}
    return not named or currency in named


def _plainly_slow(before: Sequence[Paid], new: Paid) -> bool:
    """At most 5 payments a minute, in whole seconds."""
    return sum(int(new.at.timestamp()) - int(paid.at.timestamp()) <= 60 for paid in before) < 5


def _used(counts: dict[Meter, Used], chain: Sequence[Mandate], now: datetime) -> dict[tuple[UUID, str, UUID], Used]:
    """What the store would find: the sums of the pieces that still count."""
    since = {(m.id, w.key): span_of(w, now).since for m in chain for w in m.terms.windows}
    since |= {(m.id, VELOCITY): span_of_velocity(m.terms.velocity, now).since for m in chain if m.terms.velocity}
    used: defaultdict[tuple[UUID, str, UUID], Used] = defaultdict(lambda: Used(0, 0))
    for meter, count in counts.items():
        if meter.bucket >= since[meter.mandate_id, meter.window_key]:
            before = used[meter[:3]]
            used[meter[:3]] = Used(before.amount_minor + count.amount_minor, before.uses + count.uses)
    return used


@given(
    st.sets(st.integers(0, len(WINDOW_ROWS) - 1)),
    st.sets(st.integers(0, 5)),
    st.booleans(),
    st.lists(STEPS, max_size=40),
)
@example({0, 1, 2, 3, 4, 5}, {0}, True, [(timedelta(minutes=61), 2000, "USD", payee())] * 40)
def test_a_stream_of_payments_agrees_with_plain_sums(
    ours: set[int], above: set[int], slow: bool, steps: list[tuple[timedelta, int, str, Payee]]
) -> None:
    velocity = VELOCITY_5 if slow else {}
    child = mandate(2, terms_json(windows=[WINDOW_ROWS[n] for n in sorted(ours)], **velocity))
    parent = mandate(1, terms_json(windows=[WINDOW_ROWS[n] for n in sorted(above)]))
    rows = [WINDOW_ROWS[n] for n in ours | above]
    counts: dict[Meter, Used] = defaultdict(lambda: Used(0, 0))
    admitted: list[Paid] = []
    now = NOW
    for step, minor, currency, to in steps:
        now += step
        new = Paid(now, Money(minor, currency), to._replace(known_since=None, counterparty_id=None))
        asked = payment()._replace(money=new.money, payee=to)
        verdict = evaluate(facts(child, parent, now=now, used=_used(counts, [child, parent], now)), asked)
        fits = all(_plainly_fits(row, admitted, new) for row in rows) and (not slow or _plainly_slow(admitted, new))
        fits = fits and all(_plainly_covered([WINDOW_ROWS[n] for n in of], currency) for of in (ours, above))
        assert verdict.outcome == ("allow" if fits else "deny")
        for meter in Counters([child, parent], now).meters(verdict.after):
            counts[meter] = Used(counts[meter].amount_minor + minor, counts[meter].uses + 1)
        if fits:
            admitted.append(new)
