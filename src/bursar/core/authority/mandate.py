"""What a mandate says: which actions, from where, to whom, how much and when, and what a person must approve."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from bursar.kernel.ids import read
from bursar.kernel.money import exponent_of, read_amount
from bursar.kernel.refusal import InvalidArgument
from bursar.kernel.zones import known_zone

MandateStatus = Literal["draft", "active", "paused", "revoked"]
Period = Literal["hour", "day", "week", "month", "lifetime"]
Days = tuple[str, ...]
DAYS: Days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DEFAULT_TTL_SECONDS = 24 * 3600
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True)
class Cap:
    """What one payment of a currency may come to: up to `auto_max_minor` alone, up to `max_minor` with approval."""

    max_minor: int
    auto_max_minor: int


@dataclass(frozen=True, slots=True)
class Window:
    """What all payments of a period may come to, in one currency or as a number; to each payee apart if asked.

    A rolling window is counted in sixtieths of its period, so a payment counts for up to a sixtieth longer than it.
    """

    kind: Literal["calendar", "rolling"]
    period: Period
    time_zone: str = "UTC"
    currency: str | None = None
    max_minor: int | None = None
    max_count: int | None = None
    per_payee: bool = False
    # What its use is counted under: a new version of the mandate with another maximum counts on.
    key: str = field(init=False, compare=False)
    _hash: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Where the time zone decides nothing, another one starts no new count."""
        zone = self.time_zone if self.kind == "calendar" and self.period != "lifetime" else "*"
        key = f"{self.kind}:{self.period}:{zone}:{self.currency or '*'}:{'payee' if self.per_payee else ''}"
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_hash", hash((key, self.max_minor, self.max_count)))

    def __hash__(self) -> int:
        """Made once: where a window stands is asked for with every payment."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Velocity:
    """At most so many payments in any stretch of so many seconds."""

    max_count: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Payees:
    """Whom the agent may pay: those listed, any that an operator has entered, or anybody."""

    mode: Literal["allow_list", "any_known", "any"]
    allow: frozenset[UUID] = frozenset()
    cool_off: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Hours:
    """When the agent may pay: from and until as local time, on these days."""

    time_zone: str
    days: frozenset[str]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a rule applies: if any of what it names is so."""

    amount_over_minor: Mapping[str, int]
    new_payee: bool = False
    rails: frozenset[str] = frozenset()
    risk_at_least: int | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Who must approve when: `quorum` operators, of a role if it names one, within the time given."""

    when: Trigger
    role: str | None
    quorum: int
    ttl_seconds: int
    step_up: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """All that a mandate says. None means: not limited in this way."""

    actions: frozenset[str]
    accounts: frozenset[str] | None
    rails: frozenset[str]
    caps: Mapping[str, Cap] | None
    windows: tuple[Window, ...]
    payees: Payees
    hours: Hours | None
    approvals: tuple[ApprovalRule, ...]
    duplicate_seconds: int | None
    velocity: Velocity | None


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate as it stands. `text` is its terms as canonical JSON."""

    id: UUID
    version: int
    name: str
    agent_id: UUID | None
    team: str | None
    parent_id: UUID | None
    status: MandateStatus
    not_before: datetime | None
    expires_at: datetime | None
    text: str
    granted_by: UUID
    changed_at: datetime
    # The text, read.
    terms: Terms = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Every rule of every payment looks at the terms, so they are looked up once."""
        object.__setattr__(self, "terms", _terms_of(self.text))


@lru_cache(maxsize=1024)
def _terms_of(text: str) -> Terms:
    return read_terms(orjson.loads(text))


def read_terms(facts: Mapping[str, Any]) -> Terms:
    """Terms from their JSON form, whose shape the door has checked; refuses what makes no sense with the path to it."""
    hours, velocity = facts["hours"], facts["velocity"]
    return Terms(
        actions=frozenset(facts["actions"]),
        accounts=None if facts["accounts"] is None else frozenset(facts["accounts"]),
        rails=frozenset(facts["rails"]),
        caps=None if facts["per_transaction"] is None else _caps(facts["per_transaction"]),
        windows=_windows(facts["windows"]),
        payees=_payees(facts["counterparties"]),
        hours=_hours(hours) if hours else None,
        approvals=tuple(_approval(rule, f"terms.approvals.{i}") for i, rule in enumerate(facts["approvals"])),
        duplicate_seconds=facts["duplicate_window_seconds"],
        velocity=Velocity(velocity["max_count"], velocity["seconds"]) if velocity else None,
    )


def _caps(rows: Sequence[Mapping[str, Any]]) -> dict[str, Cap]:
    caps: dict[str, Cap] = {}
    for i, row in enumerate(rows):
        at, currency = f"terms.per_transaction.{i}", row["currency"]
        if currency in caps:
            raise InvalidArgument(f"{at}.currency", "is named twice")
        exponent_of(currency, f"{at}.currency")
        most = read_amount(row["max"], currency, f"{at}.max").minor
        alone = most if row["auto_max"] is None else _minor(row["auto_max"], currency, f"{at}.auto_max")
        if alone > most:
            raise InvalidArgument(f"{at}.auto_max", "is above max")
        caps[currency] = Cap(most, alone)
    return caps


def _minor(amount: str, currency: str, at: str) -> int:
    """An amount that may be zero: nothing is allowed alone, say."""
    return 0 if amount.strip("0") in {"", "."} else read_amount(amount, currency, at).minor


def _windows(rows: Sequence[Mapping[str, Any]]) -> tuple[Window, ...]:
    windows: dict[str, Window] = {}
    for i, row in enumerate(rows):
        window = _window(row, f"terms.windows.{i}")
        # Two of a key share one count, which a payment would raise twice.
        if window.key in windows:
            raise InvalidArgument(f"terms.windows.{i}", "is named twice; give one window max_amount and max_count")
        windows[window.key] = window
    return tuple(windows.values())


def _window(row: Mapping[str, Any], at: str) -> Window:
    currency, amount, count = row["currency"], row["max_amount"], row["max_count"]
    if amount is None and count is None:
        raise InvalidArgument(at, "needs max_amount, max_count or both")
    if amount is not None and currency is None:
        raise InvalidArgument(f"{at}.currency", "is needed beside max_amount")
    if currency is not None:
        exponent_of(currency, f"{at}.currency")
    if row["kind"] == "rolling" and row["period"] == "lifetime":
        raise InvalidArgument(f"{at}.kind", "a lifetime does not roll")
    most = read_amount(amount, currency, f"{at}.max_amount").minor if amount is not None and currency else None
    zone = known_zone(row["time_zone"], f"{at}.time_zone")
    return Window(row["kind"], row["period"], zone, currency, most, count, row["per_payee"])


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name."""
    return ZoneInfo(name)


def _payees(row: Mapping[str, Any]) -> Payees:
    allow: set[UUID] = set()
    for i, text in enumerate(row["allow"]):
        found = read("cp", text)
        if found is None:
            raise InvalidArgument(f"terms.counterparties.allow.{i}", "is not the id of a counterparty")
        allow.add(found)
    if row["mode"] == "any" and row["cool_off_seconds"]:
        raise InvalidArgument("terms.counterparties.cool_off_seconds", "means nothing where anybody may be paid")
    return Payees(row["mode"], frozenset(allow), timedelta(seconds=row["cool_off_seconds"]))


def _hours(row: Mapping[str, Any]) -> Hours:
    start, end = _time_of_day(row["start"], "terms.hours.start"), _time_of_day(row["end"], "terms.hours.end")
    if start >= end:
        raise InvalidArgument("terms.hours.end", "must be later than start, on the same day")
    return Hours(known_zone(row["time_zone"], "terms.hours.time_zone"), frozenset(row["days"]), start, end)


def _time_of_day(text: str, at: str) -> time:
    if not _TIME_OF_DAY.fullmatch(text):
        raise InvalidArgument(at, "is not a time of day such as 08:00")
    return time.fromisoformat(text)


def _approval(row: Mapping[str, Any], at: str) -> ApprovalRule:
    when = row["when"]
    over = _amounts_over(when["amount_over"], f"{at}.when.amount_over")
    trigger = Trigger(over, when["new_payee"], frozenset(when["rails"]), when["risk_at_least"])
    if not (over or trigger.new_payee or trigger.rails or trigger.risk_at_least is not None):
        raise InvalidArgument(f"{at}.when", "names nothing that could happen")
    return ApprovalRule(trigger, row["role"], row["quorum"], row["ttl_seconds"], row["step_up"])


def _amounts_over(rows: Sequence[Mapping[str, Any]], at: str) -> dict[str, int]:
    over: dict[str, int] = {}
    for i, row in enumerate(rows):
        currency = row["currency"]
        exponent_of(currency, f"{at}.{i}.currency")
        if currency in over:
            raise InvalidArgument(f"{at}.{i}.currency", "is named twice")
        over[currency] = _minor(row["amount"], currency, f"{at}.{i}.amount")
    return over


def chain_of(leaf: Mandate, known: Iterable[Mandate]) -> list[Mandate]:
    """The mandate and those above it, from the narrowest to the widest."""
    by_id = {mandate.id: mandate for mandate in known}
    chain = [leaf]
    while (parent := chain[-1].parent_id) is not None:
        chain.append(by_id[parent])
    return chain
