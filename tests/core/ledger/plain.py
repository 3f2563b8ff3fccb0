"""A ledger of dictionaries and no cleverness, to hold the real one against: it knows what must be refused, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bursar.core.ledger.orders import CaptureHold, Move, PlaceHold, ReleaseHold, ReverseEntry, SendMoney, SingleOrder
from bursar.kernel.money import Money


@dataclass(slots=True)
class PlainAccount:
    """Minor units on the normal side."""

    debit: bool
    floor: int | None
    posted: int = 0
    held: int = 0
    version: int = 0
    frozen: bool = False


@dataclass(slots=True)
class PlainHold:
    account: str
    target: str | None
    minor: int
    status: str = "pending"


@dataclass(slots=True)
class PlainEntry:
    moves: list[tuple[str, str, int]]
    reversal: bool
    taken_back: int = 0


@dataclass
class Plain:
    """All amounts are USD. `send` and its sisters return "" when done, else the code of the refusal."""

    accounts: dict[str, PlainAccount] = field(default_factory=dict[str, PlainAccount])
    holds: dict[UUID, PlainHold] = field(default_factory=dict[UUID, PlainHold])
    entries: dict[UUID, PlainEntry] = field(default_factory=dict[UUID, PlainEntry])

    def carry_out(self, order: SingleOrder) -> str:
        match order:
            case SendMoney():
                return self._send(order)
            case PlaceHold():
                return self._place(order)
            case CaptureHold():
                return self._capture(order)
            case ReleaseHold():
                return self._release(order)
            case ReverseEntry():
                return self._reverse(order)
            case _:
                raise AssertionError(order)

    def _send(self, order: SendMoney) -> str:
        moves = [_plain(move) for move in order.moves]
        if any(self.accounts[source].frozen for source, _, _ in moves):
            return "account_frozen"
        return self._post(order.entry_id, moves)

    def _place(self, order: PlaceHold) -> str:
        assert isinstance(order.account, str)
        assert not isinstance(order.target, UUID)
        account, minor = self.accounts[order.account], order.money.minor
        if account.frozen:
            return "account_frozen"
        if order.target == order.account or account.debit:
            return "invalid_argument"
        if account.floor is not None and account.posted - account.held - minor < account.floor:
            return "insufficient_funds"
        account.held += minor
        self.holds[order.hold_id] = PlainHold(order.account, order.target, minor)
        return ""

    def _capture(self, order: CaptureHold) -> str:
        hold = self.holds[order.hold_id]
        minor = _minor(order.amount) if order.amount else hold.minor
        assert not isinstance(order.target, UUID)
        if hold.status != "pending":
            return "state_conflict"
        target = hold.target or order.target
        if minor > hold.minor or target is None or (order.target and order.target != target) or target == hold.account:
            return "invalid_argument"
        self.accounts[hold.account].held -= hold.minor
        refused = self._post(order.entry_id, [(hold.account, target, minor)])
        if refused:
            self.accounts[hold.account].held += hold.minor
        else:
            hold.status = "posted"
        return refused

    def _release(self, order: ReleaseHold) -> str:
        hold = self.holds[order.hold_id]
        if hold.status != "pending":
            return "state_conflict"
        self._end(hold, "voided")
        return ""

    def run_out(self, hold: PlainHold) -> None:
        """The time of a pending hold is over."""
        self._end(hold, "expired")

    def _end(self, hold: PlainHold, status: str) -> None:
        hold.status = status
        self.accounts[hold.account].held -= hold.minor

    def _reverse(self, order: ReverseEntry) -> str:
        entry = self.entries[order.reverses_id]
        left = sum(minor for _, _, minor in entry.moves) - entry.taken_back
        if entry.reversal or not left:
            return "state_conflict"
        if order.amount and len(entry.moves) > 1:
            return "invalid_argument"
        back = [(target, source, minor) for source, target, minor in reversed(entry.moves)]
        if len(back) == 1:
            minor = _minor(order.amount) if order.amount else left
            if minor > left:
                return "state_conflict"
            back = [(*back[0][:2], minor)]
        refused = self._post(order.entry_id, back, reversal=True)
        if not refused:
            entry.taken_back += sum(minor for _, _, minor in back)
        return refused

    def _post(self, entry_id: UUID, moves: Sequence[tuple[str, str, int]], *, reversal: bool = False) -> str:
        before = {number: (a.posted, a.version) for number, a in self.accounts.items()}
        for source, target, minor in moves:
            refused = "invalid_argument" if source == target else self._move(source, target, minor)
            if refused:
                for number, (posted, version) in before.items():
                    self.accounts[number].posted, self.accounts[number].version = posted, version
                return refused
        self.entries[entry_id] = PlainEntry(list(moves), reversal)
        return ""

    def _move(self, source: str, target: str, minor: int) -> str:
        for account, change in (
            (self.accounts[source], minor if self.accounts[source].debit else -minor),
            (self.accounts[target], -minor if self.accounts[target].debit else minor),
        ):
            account.posted += change
            account.version += 1
            if change < 0 and account.floor is not None and account.posted - account.held < account.floor:
                return "insufficient_funds"
        return ""


def _plain(move: Move) -> tuple[str, str, int]:
    assert isinstance(move.source, str)
    assert isinstance(move.target, str)
    assert isinstance(move.money, Money)
    return move.source, move.target, move.money.minor


def _minor(amount: str) -> int:
    return round(float(amount) * 100)
