"""The three ways: which side is held against which, what the items of each are, and where a run begins and ends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple

from bursar.features.reconciliation.items import Break, Findings, Item, Match, Rules, Side
from bursar.features.reconciliation.matching import match
from bursar.kernel.canonical import Json, canonical, digest
from bursar.kernel.refusal import InvalidArgument

Leg = Literal["ledger_bank", "ledger_provider", "provider_bank"]
SIDES: Mapping[Leg, tuple[Side, Side]] = {
    "ledger_bank": ("ledger", "bank"),
    "ledger_provider": ("ledger", "provider"),
    "provider_bank": ("provider", "bank"),
}
MOST_DAYS = 400
# What one side of one run may hold; more is a shorter period.
MOST_ITEMS = 100_000
# Of everything a provider books, this is what arrives at the bank.
PAYOUT = "payout"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run compares; each leg runs of which both sides are named.

    `account` is the ledger's own of the bank account that `source` prints as `bank_account`, `clearing` the ledger's
    own of what `provider` holds.
    """

    first: date
    last: date
    currency: str
    account: str | None = None
    source: str | None = None
    bank_account: str | None = None
    provider: str | None = None
    clearing: str | None = None
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        """Refuse a period that is none, and a scope with nothing to compare."""
        if not 0 <= (self.last - self.first).days < MOST_DAYS:
            raise InvalidArgument("last_day", f"must come at or after first_day, by less than {MOST_DAYS} days")
        if (self.source is None) != (self.bank_account is None):
            raise InvalidArgument("bank_account", "comes with source")
        if not self.legs:
            raise InvalidArgument("account", "with source, or clearing with provider, says what is compared")

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Which comparisons it comes to."""
        wanted: dict[Leg, bool] = {
            "ledger_bank": bool(self.account and self.source),
            "ledger_provider": bool(self.clearing and self.provider),
            "provider_bank": bool(self.provider and self.source),
        }
        return tuple(leg for leg, is_wanted in wanted.items() if is_wanted)

    @property
    def margin(self) -> timedelta:
        """How far beyond its period items are looked at, so that what crosses the edge is found whole."""
        return timedelta(days=max(self.rules.days, self.rules.far_days))

    def pairing(self, leg: Leg) -> bytes:
        """What the leg compares, whatever the period and the rules."""
        ledger = self.account if leg == "ledger_bank" else self.clearing if leg == "ledger_provider" else None
        bank = [self.source, self.bank_account] if leg != "ledger_provider" else None
        provider = self.provider if leg != "ledger_bank" else None
        return digest([leg, self.currency, ledger, bank, provider])

    def holds(self, found: Break | Match) -> bool:
        """Whether any of it lies in the period."""
        return any(self.first <= item.day <= self.last for item in (*found.left, *found.right))

    @property
    def shown(self) -> dict[str, Json]:
        """As the record shows it."""
        rules = self.rules
        return {
            "account": self.account,
            "bank_account": self.bank_account,
            "clearing": self.clearing,
            "counterparty_decides": rules.counterparty_decides,
            "currency": self.currency,
            "days": rules.days,
            "far_days": rules.far_days,
            "first_day": self.first.isoformat(),
            "last_day": self.last.isoformat(),
            "provider": self.provider,
            "source": self.source,
            "tolerance_minor": rules.tolerance_minor,
        }


class Sides(NamedTuple):
    """All items of a run. Of the provider, payouts are also seen from the bank's side, with the sign turned."""

    bank_account: Sequence[Item]
    clearing: Sequence[Item]
    provider: Sequence[Item]
    payouts: Sequence[Item]
    bank: Sequence[Item]

    def of(self, leg: Leg) -> tuple[Sequence[Item], Sequence[Item]]:
        """The two sides of a leg."""
        match leg:
            case "ledger_bank":
                return self.bank_account, self.bank
            case "ledger_provider":
                return self.clearing, self.provider
            case "provider_bank":
                return self.payouts, self.bank


class Settled(NamedTuple):
    """The ids of a leg's items that people have settled."""

    left: frozenset[str]
    right: frozenset[str]


class Compared(NamedTuple):
    """What a leg came to, within the period, and how many items people had settled before."""

    leg: Leg
    findings: Findings
    settled: int


def compare_all(scope: Scope, sides: Sides, settled: Mapping[Leg, Settled]) -> list[Compared]:
    """Run every leg. What the bank prints beside payouts is none of the provider's business."""
    return [_compare(scope, leg, *sides.of(leg), settled[leg]) for leg in scope.legs]


def _compare(scope: Scope, leg: Leg, left: Sequence[Item], right: Sequence[Item], settled: Settled) -> Compared:
    ours = [item for item in left if item.id not in settled.left]
    theirs = [item for item in right if item.id not in settled.right]
    found = match(ours, theirs, scope.rules, SIDES[leg], right_may_have_more=leg == "provider_bank")
    within = Findings([m for m in found.matches if scope.holds(m)], [b for b in found.breaks if scope.holds(b)])
    return Compared(leg, within, len(left) + len(right) - len(ours) - len(theirs))


def fingerprint(pairing: bytes, found: Break) -> bytes:
    """What a break is known by: what was compared, the kind, and the items."""
    return sha256(pairing + found.kind.encode() + items_text(found).encode()).digest()


def items_text(found: Break | Match) -> str:
    """The ids of its items, as they are kept."""
    return canonical({"left": sorted(i.id for i in found.left), "right": sorted(i.id for i in found.right)})


def numbered(compared: Sequence[Compared]) -> Iterator[tuple[int, Leg, Match]]:
    """All matches of a run, counted from 1."""
    every: list[tuple[Leg, Match]] = [(one.leg, found) for one in compared for found in one.findings.matches]
    for number, (leg, found) in enumerate(every, 1):
        yield number, leg, found


# A posting that settles a break names it here, so that nobody takes it for an ordinary transfer.
BREAK_KEY = "break"
ACCOUNT_OF: Mapping[Leg, Literal["account", "clearing"]] = {"ledger_bank": "account", "ledger_provider": "clearing"}
