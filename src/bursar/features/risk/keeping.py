"""What is kept of an assessment with its decision, small, and read back so that it can be made again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bursar.features.risk.model import Assessment, History, Outcome
from bursar.kernel.canonical import Json


class Scored(NamedTuple):
    """What one version of the rules said; `near_threshold` is what it counted, for each has a band of its own."""

    version: int
    near_threshold: int
    score: int
    outcome: Outcome
    # Of each feature: what was measured, and its points.
    measured: Sequence[tuple[int | None, int]]


class Kept(NamedTuple):
    """An assessment as it is kept. The history is that of the version in force but for what each counted itself."""

    history: History
    auto_max_minor: int | None
    active: Scored | None
    shadow: Scored | None


def scored_of(assessment: Assessment, history: History) -> Scored:
    """What is kept of a version's assessment."""
    measured = [(c.value, c.points) for c in assessment.contributions]
    return Scored(
        assessment.rules_version, history.near_threshold, assessment.score, assessment.outcome, measured
    )  # fmt: skip


def write_kept(kept: Kept) -> Json:
    """As JSON for the inputs of the decision."""
    history = kept.history
    facts: list[Json] = [
        history.payments, history.busiest_hour, list(history.hours), history.payments_in_currency,
        history.usual_most_minor, history.last_hour, _time(history.payee_since), _time(history.source_last_at),
        _time(history.habits_since),
    ]  # fmt: skip
    versions = {name: _write(said) for name, said in (("active", kept.active), ("shadow", kept.shadow)) if said}
    return {"auto_max_minor": kept.auto_max_minor, "history": facts, **versions}


def read_kept(facts: Mapping[str, Any]) -> Kept:
    """What `write_kept` wrote: JSON of our own making, of several shapes, hence Any."""
    payments, busiest, hours, in_currency, usual_most, last_hour, *times = facts["history"]
    payee_since, source_last_at, habits_since = (_read_time(time) for time in times)
    history = History(
        payments, busiest, tuple(hours), in_currency, usual_most, last_hour, 0, payee_since, source_last_at,
        habits_since,
    )  # fmt: skip
    return Kept(history, facts["auto_max_minor"], _read(facts.get("active")), _read(facts.get("shadow")))


def _write(said: Scored) -> Json:
    return [*said[:4], [[value, points] for value, points in said.measured]]


def _read(facts: Sequence[Any] | None) -> Scored | None:
    if facts is None:
        return None
    *said, measured = facts
    return Scored(*said, measured=[(value, points) for value, points in measured])


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
