"""The rules asked again: a decision with the facts it was made on, and a draft mandate over an agent's past."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.counting import Counters
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import (
    NOTHING_USED,
    Earlier,
    Facts,
    Limit,
    Meter,
    Payment,
    Risk,
    Used,
    Verdict,
)
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.record import denies, facts_in, payment_in, read_inputs


class Kept(NamedTuple):
    """A decision as it was kept, as far as the rules are concerned."""

    id: UUID
    outcome: str
    codes: str
    inputs: str
    results: str


class Change(NamedTuple):
    """A past payment that the draft would have decided otherwise."""

    decision_id: UUID
    at: datetime
    payment: Payment
    was: str
    verdict: Verdict


def replay(kept: Kept, versions: Mapping[tuple[UUID, int], Mandate]) -> Verdict:
    """Decide again on the very facts; `versions` holds the mandates as they stood. The same result is promised."""
    inputs = read_inputs(kept.inputs)
    return evaluate(facts_in(inputs, versions), payment_in(inputs))


def backtest(draft: Mandate, past: Sequence[Kept]) -> list[Change]:
    """What a draft mandate, alone and from the start, would have decided otherwise of an agent's past, oldest first.

    What the book refused then is left out: it would have refused it again. Reservations that were given back later
    count as used, so the draft is at most stricter here than in life.
    """
    draft = replace(draft, status="active")
    counted: dict[Meter, Used] = defaultdict(lambda: NOTHING_USED)
    latest: dict[tuple[UUID, str, int], Earlier] = {}
    changes: list[Change] = []
    for kept in past:
        inputs = read_inputs(kept.inputs)
        # What people approved was decided when it was asked for.
        if "payee" not in inputs or _refused_by_the_book(kept):
            continue
        now, payment = datetime.fromisoformat(inputs["now"]), payment_in(inputs)
        key = (payment.payee.account_id, payment.money.currency, payment.money.minor) if payment.payee else None
        risk = inputs["risk"]
        counters = Counters((draft,), now)
        used = _used(counters, counted)
        facts = Facts(now, [draft], used, latest.get(key) if key else None, Risk(*risk) if risk else None)
        verdict = evaluate(facts, payment)
        if verdict.outcome != kept.outcome:
            changes.append(Change(kept.id, now, payment, kept.outcome, verdict))
        for meter in counters.meters(verdict.after):
            before = counted[meter]
            counted[meter] = Used(before.amount_minor + payment.money.minor, before.uses + 1)
        if key and verdict.outcome != "deny":
            latest[key] = Earlier(kept.id, now)
    return changes


def _refused_by_the_book(kept: Kept) -> bool:
    """The rules let it pass, and yet it was refused."""
    return kept.outcome == "deny" and not denies(kept.results)


def _used(counters: Counters, counted: Mapping[Meter, Used]) -> dict[Limit, Used]:
    """What the windows hold at a moment: the sums of the pieces of time that still count."""
    used: dict[Limit, Used] = defaultdict(lambda: NOTHING_USED)
    for meter, use in counted.items():
        limit = meter[:3]
        if meter.bucket >= counters.since(limit):
            used[limit] = Used(used[limit].amount_minor + use.amount_minor, used[limit].uses + use.uses)
    return used
