"""The verbs of transfers: the orders that make and reverse them, and reading them back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import NO_METADATA, AccountRef, Metadata, Original
from bursar.core.ledger.orders import NO_CLAIMS, Claims, Move, Order, ReverseEntry, SendMoney, Together
from bursar.features.transfers.model import Transfer
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument


class Wish(NamedTuple):
    """A transfer that somebody asks for. Bare text as `money` is an amount in the source account's currency."""

    source: AccountRef
    target: AccountRef
    money: Money | str
    description: str | None = None
    metadata: Metadata = NO_METADATA
    effective_at: datetime | None = None
    claims: Claims = NO_CLAIMS


def send(actor: Actor, wish: Wish) -> SendMoney:
    """The order for one transfer; agents may not choose its time of effect, nor use world accounts."""
    source, target, money, description, metadata, effective_at, claims = wish
    if effective_at is not None and actor.kind == "agent":
        raise InvalidArgument("effective_at", "an agent may not choose it")
    moves = (Move(source, target, money),)
    return SendMoney(new_id(), new_id(), moves, "transfer", effective_at, description, metadata, _world(actor), claims)


def send_each(actor: Actor, wishes: Sequence[Wish]) -> list[Order]:
    """Orders that stand each on its own."""
    return [send(actor, wish) for wish in wishes]


def send_together(actor: Actor, wishes: Sequence[Wish]) -> list[Order]:
    """One order: all of them or none."""
    return [Together(tuple(send(actor, wish) for wish in wishes))]


def reverse(actor: Actor, entry_id: UUID, amount: str | None, description: str | None) -> ReverseEntry:
    """The order that takes a transfer back."""
    return ReverseEntry(new_id(), new_id(), entry_id, amount, description, _world(actor))


def _world(actor: Actor) -> bool:
    return "world:move" in actor.scopes


async def find(tx: Tx, entry_id: UUID | None) -> Transfer:
    """One transfer."""
    (transfer,) = await _named(tx, [await reading.find_entry(tx, entry_id)])
    return transfer


async def list_recent(tx: Tx, account: AccountRef | None, before: UUID | None, limit: int) -> list[Transfer]:
    """Transfers, newest first, before the one named; of one account if asked."""
    account_id = (await reading.find_account(tx, account)).id if account is not None else None
    return await _named(tx, await reading.list_entries(tx, account_id, before, limit))


async def _named(tx: Tx, originals: Sequence[Original]) -> list[Transfer]:
    touched = {account for o in originals for account in (o.postings[0].source_id, o.postings[0].target_id)}
    numbers = await reading.numbers_of(tx, list(touched))
    return [Transfer.of_original(original, numbers) for original in originals]
