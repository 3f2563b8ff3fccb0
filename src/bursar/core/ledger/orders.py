"""The orders the book takes.

Each carries the id of the event that is its cause; the ids it makes are chosen by whoever gives it. `world` says
whether whoever gives it may post to world accounts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.ledger.model import NO_METADATA, AccountRef, Metadata
from bursar.kernel.money import Money


class Claims(NamedTuple):
    """What its giver says beside an order, by ids of ours; authority reads it, the book does not."""

    mandate_id: UUID | None = None
    # An earlier payment that this one resembles and does not repeat, by its event.
    acknowledges: UUID | None = None
    # On which rail it goes: in the book, or through a provider outside.
    rail: str = "book"
    # With whom outside the book: the payment method, the payment that goes back, the destination. Ids of ours.
    whom_id: UUID | None = None


NO_CLAIMS = Claims()


class Move(NamedTuple):
    """One wanted posting. Bare text as `money` is an amount in the source account's currency."""

    source: AccountRef
    target: AccountRef
    money: Money | str


class SendMoney(NamedTuple):
    """Post one entry of one or more postings."""

    entry_id: UUID
    event_id: UUID
    moves: tuple[Move, ...]
    kind: Literal["transfer", "statement", "payment", "loan"] = "transfer"
    effective_at: datetime | None = None
    description: str | None = None
    metadata: Metadata = NO_METADATA
    world: bool = False
    claims: Claims = NO_CLAIMS


class PlaceHold(NamedTuple):
    """Set funds aside, for a target if one is known. With an owner, only an order that names it ends the hold."""

    hold_id: UUID
    event_id: UUID
    account: AccountRef
    target: AccountRef | None
    money: Money
    expires_at: datetime | None = None
    description: str | None = None
    metadata: Metadata = NO_METADATA
    world: bool = False
    claims: Claims = NO_CLAIMS
    owner_id: UUID | None = None


class Undertake(NamedTuple):
    """Begin what is to move money later: it uses limits as a payment does; nothing is held and nothing moves.

    A payment that is to come to the account from outside, or a loan that is to be paid from it. What does not `count`
    uses no limit, such as the refusal of a loan: it must be covered by the mandate all the same.
    """

    event_id: UUID
    account: AccountRef
    money: Money
    description: str | None = None
    claims: Claims = NO_CLAIMS
    # An undertaking names no world account: the flag is there because the gate asks every order for it.
    world: bool = False
    subject: Literal["payment", "loan"] = "payment"
    counts: bool = True


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Post a hold in full (`amount` None) or in part; the remainder is released. Only its owner's, if it has one."""

    entry_id: UUID
    event_id: UUID
    hold_id: UUID
    amount: str | None = None
    target: AccountRef | None = None
    world: bool = False
    claims: Claims = NO_CLAIMS
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give held funds back; those of an approval only for that approval, those of an owner only for that owner."""

    event_id: UUID
    hold_id: UUID
    approval_id: UUID | None = None
    owner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ExpireHold:
    """Give back the funds of a hold whose time is over."""

    event_id: UUID
    hold_id: UUID


@dataclass(frozen=True, slots=True)
class ReverseEntry:
    """Take an entry back: what is left of it (`amount` None), or a part."""

    entry_id: UUID
    event_id: UUID
    reverses_id: UUID
    amount: str | None = None
    description: str | None = None
    world: bool = False
    claims: Claims = NO_CLAIMS


class Propose(NamedTuple):
    """Try an order that a person must approve first: nothing of it stays but a hold of its funds."""

    approval_id: UUID
    hold_id: UUID
    order: SendMoney | PlaceHold | CaptureHold | ReverseEntry | Undertake

    @property
    def event_id(self) -> UUID:
        """The event of the order."""
        return self.order.event_id


SingleOrder: TypeAlias = SendMoney | PlaceHold | CaptureHold | ReleaseHold | ExpireHold | ReverseEntry | Undertake


@dataclass(frozen=True, slots=True)
class Together:
    """Orders that happen all or not at all."""

    orders: tuple[SingleOrder, ...]


Order: TypeAlias = SingleOrder | Together
