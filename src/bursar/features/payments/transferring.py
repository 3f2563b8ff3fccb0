"""The first half of a transfer between two accounts that live upstream, and what says that an account does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from bursar.core.authority.model import Begun, Told
from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts, reading
from bursar.core.ledger.model import Account, AccountRef
from bursar.core.ledger.orders import Claims, Order, PlaceHold
from bursar.core.ledger.outcomes import LivesUpstream, Refused, UnknownAccount
from bursar.features.payments import store
from bursar.features.payments.intents import RAIL, Intent, approval_of
from bursar.features.payments.upstream import NAME, NoUpstream
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import read_amount


async def both_upstream(tx: Tx, source: AccountRef, target: AccountRef) -> tuple[str, str] | None:
    """The numbers here of two accounts that both live upstream.

    None: one does not, or there is none; that is refused where money moves.
    """
    try:
        one, other = [await reading.find_account(tx, ref) for ref in (source, target)]
    except UnknownAccount:
        return None
    return (one.number, other.number) if one.upstream and other.upstream else None


async def live_upstream(tx: Tx, ref: AccountRef, number: str) -> tuple[Account, Happening]:
    """From now on this account lives upstream under this number; what the record says of it."""
    # One after the other, so that of two accounts that ask for one number the second is told.
    await identity.take_turn(tx)
    account = await accounts.live_upstream(tx, ref, number)
    facts = {"currency": account.currency, "number": account.number, "upstream": number}
    return account, Happening("account.lives_upstream", "done", facts, show("acct", account.id))


@dataclass(slots=True)
class Transferring(Intent):
    """Money moves upstream. Here it is held meanwhile, so that the mandate, limits and freezes of payments hold.

    The book knows no floor for such an account: whether it can afford it is decided there.
    """

    source: AccountRef = ""
    target: AccountRef = ""
    amount: str = ""
    # False: this service has no upstream for whoever asks.
    connected: bool = False
    # Refuses an actor who may not ask for this.
    refuse: Callable[[Actor], None] | None = None
    made: UUID = field(default_factory=new_id)
    event: UUID = field(default_factory=new_id)
    _accounts: tuple[Account, ...] = ()

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Find both accounts."""
        if before := await self.begun_before(tx, actor):
            return before
        if not self.connected:
            raise NoUpstream
        self._accounts = tuple([await reading.find_account(tx, ref) for ref in (self.source, self.target)])
        for account in self._accounts:
            if account.upstream is None:
                raise LivesUpstream(account.number)
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """Held for the account that it goes to."""
        if self.refuse:
            self.refuse(actor)
        source, target = self._accounts
        money = read_amount(self.amount, source.currency)
        hold = PlaceHold(
            new_id(), self.event, source.id, target.id, money, claims=Claims(rail=RAIL), owner_id=self.made
        )  # fmt: skip
        return [hold]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write the call."""
        if isinstance(outcomes[0], Refused):
            return
        source, target = self._accounts
        attempt = self.new_attempt(
            actor, self.made, "transfer", None, read_amount(self.amount, source.currency), event_id, provider=NAME,
            account_id=source.id, number=1, method=target.upstream, approval_id=approval_of(outcomes),
        )  # fmt: skip
        self.attempt = replace(attempt, target_id=target.id, origin=source.upstream)
        store.insert_attempt(tx, self.attempt)
