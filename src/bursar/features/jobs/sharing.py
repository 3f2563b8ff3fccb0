"""Who pays whom in a job: the shares as they are asked for, held against what they name."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.core.ledger.model import WORLD, AccountRef
from bursar.core.ledger.outcomes import UnknownAccount
from bursar.features.jobs import trail_store
from bursar.features.jobs.store import NewShare
from bursar.features.jobs.trail_store import Found
from bursar.features.payments import people
from bursar.features.payments.intents import ready_accounts
from bursar.kernel.db import Tx
from bursar.kernel.money import split
from bursar.kernel.refusal import InvalidArgument


class Wanted(NamedTuple):
    """A share as it is asked for: from a source or by a payment method, to a target or to a destination.

    A destination is a payment method that is a bank account.
    """

    source: AccountRef | None
    target: AccountRef | None
    weight: int
    method_id: UUID | None = None
    destination_id: UUID | None = None

    @property
    def road(self) -> tuple[bool, bool]:
        """Whether it begins, and whether it ends, outside the ledger."""
        return self.method_id is not None, self.destination_id is not None


def shares_of(minor: int, weights: Sequence[int]) -> list[int]:
    """What each share comes to, to the cent; refuses an amount of which somebody would pay nothing."""
    shares = split(minor, weights)
    if min(shares) == 0:
        raise InvalidArgument("amount", "is too little for so many shares: one of them would be nothing")
    return shares


async def checked(tx: Tx, wanted: Sequence[Wanted], currency: str, actor: Actor) -> list[NewShare]:
    """The shares of a new job, numbered from 1; refuses what is not there, not in the currency, or makes no sense."""
    refs = {ref for share in wanted for ref in (share.source, share.target) if ref is not None}
    ids, numbers = [r for r in refs if isinstance(r, UUID)], [r for r in refs if isinstance(r, str)]
    found = await trail_store.list_accounts(tx, ids, numbers)
    known: dict[AccountRef, Found] = {account.number: account for account in found}
    known |= {account.id: account for account in found}
    if len({share.road for share in wanted}) > 1:
        raise InvalidArgument("shares", "all move in the same way: in the ledger, by a payment method, or out of it")
    new = [_share(place, share, known, currency, actor) for place, share in enumerate(wanted)]
    for place, (share, made) in enumerate(zip(wanted, new, strict=True)):
        if made.method_id:
            method = await people.find_method(tx, made.method_id)
            if share.destination_id and method.kind != "bank_account":
                raise InvalidArgument(f"shares.{place}.destination", "is no bank account")
            await ready_accounts(tx, method.provider, currency)
    return new


def _share(place: int, share: Wanted, known: dict[AccountRef, Found], currency: str, actor: Actor) -> NewShare:
    pairs = ("source", share.source, "payment_method", share.method_id), (
        "target", share.target, "destination", share.destination_id,
    )  # fmt: skip
    for name, ref, other, method_id in pairs:
        if (ref is None) == (method_id is None):
            raise InvalidArgument(f"shares.{place}.{name}", f"is an account, or in its place there is a {other}")
        if ref is not None:
            _refuse_account(f"shares.{place}.{name}", ref, known, currency, actor, inside=share.road == (False, False))
    source, target = (known[ref].id if ref is not None else None for ref in (share.source, share.target))
    if source is None and target is None:
        raise InvalidArgument(f"shares.{place}.destination", "is paid from an account, not by a payment method")
    if source == target:
        raise InvalidArgument(f"shares.{place}.target", "is the same account as the source")
    return NewShare(place + 1, source, target, share.method_id or share.destination_id, share.weight, None)


def _refuse_account(
    at: str, ref: AccountRef, known: dict[AccountRef, Found], currency: str, actor: Actor, *, inside: bool
) -> None:
    if ref not in known:
        raise UnknownAccount(at)
    if known[ref].currency != currency:
        raise InvalidArgument(at, f"the account is in {known[ref].currency}, not {currency}")
    if known[ref].number.startswith(WORLD) and not (inside and "world:move" in actor.scopes):
        raise InvalidArgument(at, "is a world account; your key may not use it")
