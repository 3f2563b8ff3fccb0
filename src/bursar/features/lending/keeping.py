"""A loan's facts and its state as they are kept, and back; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, get_args

import orjson

from bursar.features.lending.events import Event
from bursar.features.lending.postings import Flows
from bursar.features.lending.schedule import Installment
from bursar.features.lending.state import Due, LoanState, Parts, Status

_BY_NAME: Mapping[str, type[Event]] = {kind.__name__.lower(): kind for kind in get_args(Event)}


def name_of(event: Event) -> str:
    """What a fact is called."""
    return type(event).__name__.lower()


def body_of(event: Event) -> str:
    """What a fact says beside its day and number, as JSON."""
    facts = asdict(event)
    del facts["on"], facts["seq"]
    return _text(facts)


def event_of(name: str, on: date, seq: int, body: str) -> Event:
    """A fact again."""
    facts: dict[str, Any] = orjson.loads(body)
    if facts.get("first_due"):
        facts["first_due"] = date.fromisoformat(facts["first_due"])
    return _BY_NAME[name](on=on, seq=seq, **facts)


def state_text(state: LoanState) -> str:
    """What of a state changes from night to night, as JSON: all but flows, the rest of the plan, what is paid."""
    return _text(
        {
            "base": state.base,
            "next": [*state.plan[0]] if state.plan else None,
            "open": _dues(state.open),
            "paused_since": state.paused_since,
            "pending": state.pending,
            "rate_ppm": state.rate_ppm,
        }
    )


def plan_text(state: LoanState) -> str:
    """What is still to come, as JSON."""
    return _text([[*row] for row in state.plan])


def closed_text(state: LoanState) -> str:
    """What was due and is paid, as JSON."""
    return _text(_dues(state.closed))


def read_state(
    status: Status, day: date, flows: Sequence[int], text: str, plan: str | None, closed: str | None
) -> LoanState:
    """A state again. Without `plan` it knows the next installment only: enough for days on which none falls due."""
    kept: dict[str, Any] = orjson.loads(text)
    ahead = orjson.loads(plan) if plan is not None else [kept["next"]] if kept["next"] else []
    paused = kept["paused_since"]
    return LoanState(
        status, day, kept["rate_ppm"],
        tuple(_installment(*row) for row in ahead),
        tuple(_due(*row) for row in kept["open"]),
        tuple(_due(*row) for row in orjson.loads(closed)) if closed is not None else (),
        kept["base"], kept["pending"], date.fromisoformat(paused) if paused else None, Flows(*flows),
    )  # fmt: skip


def _installment(number: int, start: str, due: str, *minors: int) -> Installment:
    return Installment(number, date.fromisoformat(start), date.fromisoformat(due), *minors)


def _dues(rows: Sequence[Due]) -> list[object]:
    return [[row.due, [*row.owed], [*row.unpaid], row.clock, row.is_late, row.carry] for row in rows]


def _due(due: str, owed: Sequence[int], unpaid: Sequence[int], clock: str, is_late: bool, carry: int) -> Due:
    return Due(date.fromisoformat(due), Parts(*owed), Parts(*unpaid), date.fromisoformat(clock), is_late, carry)


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
