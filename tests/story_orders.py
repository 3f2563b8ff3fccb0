"""The orders of the story language, each read from its line."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bursar.core.ledger.model import AccountRef
from bursar.core.ledger.orders import (
    CaptureHold,
    Move,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
    Together,
)
from bursar.kernel.ids import new_id
from bursar.kernel.money import read_amount

AMOUNT = r"[0-9.]+"
MOVE = rf"\S+ -> \S+ {AMOUNT} [A-Z]{{3}}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads orders. `names` keeps what lines name with `as`; `world` says whether orders may use such accounts."""

    names: dict[str, UUID]
    world: bool

    def read(self, text: str) -> SingleOrder:
        """The order that a line gives."""
        for pattern, make in _ORDERS:
            if found := re.fullmatch(pattern, text.strip()):
                return make(self, *found.groups())
        raise AssertionError(f"no line of a story: {text}")

    def read_together(self, text: str) -> Together:
        """Orders between semicolons that happen all or not at all."""
        return Together(tuple(self.read(part) for part in text.split(";")))

    def _named(self, name: str | None) -> UUID:
        fresh = new_id()
        if name:
            self.names[name] = fresh
        return fresh

    def _known(self, name: str) -> UUID:
        """What was named, or an id of nothing."""
        return self.names.get(name) or new_id()

    def send(self, moves: str, day: str | None, name: str | None) -> SendMoney:
        """Postings of one entry."""
        effective_at = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
        parts = tuple(_move(move) for move in moves.split(", "))
        return SendMoney(self._named(name), new_id(), parts, effective_at=effective_at, world=self.world)

    def hold(
        self, source: str, amount: str, currency: str, name: str, target: AccountRef | None, seconds: str | None
    ) -> PlaceHold:
        """Funds set aside, for some seconds from now if it says so."""
        until = datetime.now(UTC) + timedelta(seconds=float(seconds)) if seconds else None
        money = read_amount(amount, currency)
        return PlaceHold(self._named(name), new_id(), source, target, money, until, world=self.world)

    def capture(self, hold: str, amount: str | None, target: AccountRef | None, name: str | None) -> CaptureHold:
        """A hold in full or in part."""
        return CaptureHold(self._named(name), new_id(), self._known(hold), amount, target, self.world)

    def release(self, hold: str) -> ReleaseHold:
        """A hold given back."""
        return ReleaseHold(new_id(), self._known(hold))

    def reverse(self, entry: str, amount: str | None, name: str | None) -> ReverseEntry:
        """An entry taken back in full or in part."""
        return ReverseEntry(self._named(name), new_id(), self._known(entry), amount, world=self.world)


def _move(text: str) -> Move:
    source, _, target, amount, currency = text.split()
    return Move(source, target, read_amount(amount, currency))


_NAMED = r"(?: as (\S+))?"
_ORDERS: tuple[tuple[str, Callable[..., SingleOrder]], ...] = (
    (rf"(?:entry: )?({MOVE}(?:, {MOVE})*)(?: on (\S+))?{_NAMED}", Reader.send),
    (rf"(\S+) holds ({AMOUNT}) ([A-Z]{{3}}) as (\S+)(?: for (\S+))?(?: until (\S+)s)?", Reader.hold),
    (rf"capture (\S+)(?: ({AMOUNT}))?(?: to (\S+))?{_NAMED}", Reader.capture),
    (r"release (\S+)", Reader.release),
    (rf"reverse (\S+)(?: ({AMOUNT}))?{_NAMED}", Reader.reverse),
)
