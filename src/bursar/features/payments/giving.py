"""The first half of what goes out: a refund of what was captured, a payout of what an account has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bursar.core.authority.model import Begun, Told
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import AccountRef
from bursar.core.ledger.orders import Claims, Order, PlaceHold
from bursar.core.ledger.outcomes import CounterpartyNotAllowed, Refused
from bursar.features.payments import mapping, store
from bursar.features.payments.booking import ready_accounts
from bursar.features.payments.intents import RAIL, Intent, approval_of, locked_payment, method_of
from bursar.features.payments.model import OPEN, AboveCaptured
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument


@dataclass(slots=True)
class Refunding(Intent):
    """Part or all of what was captured goes back; what is under way counts."""

    payment_id: UUID | None = None
    amount: Money | None = None
    description: str | None = None
    mandate_id: UUID | None = None
    acknowledges: UUID | None = None
    # Reads what was asked in the payment's currency, which only the payment knows; None: all that is left.
    read: Callable[[str], Money] | None = None
    made: UUID = field(default_factory=new_id)
    event: UUID = field(default_factory=new_id)

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Lock the payment, so that of two refunds the second sees the first."""
        if before := await self.begun_before(tx, actor):
            return before
        found = self.payment = await locked_payment(tx, self.payment_id)
        self.providers.refuse_if_down(found.provider)
        under_way = sum(
            a.amount_minor for a in await store.list_attempts(tx, found.id) if a.kind == "refund" and a.status in OPEN
        )
        left = Money(found.captured_minor - found.refunded_minor - under_way, found.currency)
        asked = self.read(found.currency) if self.read else None
        money = asked or left
        if money.minor > left.minor or not money.minor:
            raise AboveCaptured(left, "refund")
        self.amount = money
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """What goes back is held until the provider has it."""
        del actor
        assert self.payment
        assert self.amount
        claims = Claims(self.mandate_id, self.acknowledges, RAIL, self.payment.id)
        hold = PlaceHold(
            new_id(), self.event, self.payment.account_id, None, self.amount, None, self.description, claims=claims,
            owner_id=self.made,
        )  # fmt: skip
        return [hold]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write the call."""
        if isinstance(outcomes[0], Refused):
            return
        assert self.payment
        assert self.amount
        self.attempt = self.new_attempt(
            actor, self.made, "refund", self.payment, self.amount, event_id, provider=self.payment.provider,
            account_id=self.payment.account_id, number=self.payment.attempt, description=self.description,
            approval_id=approval_of(outcomes),
        )  # fmt: skip
        store.insert_attempt(tx, self.attempt)


@dataclass(slots=True)
class PayingOut(Intent):
    """Money of an account leaves through a provider, to a destination that people have entered."""

    account: AccountRef = ""
    money: Money | None = None
    provider: str = ""
    destination_id: UUID | None = None
    description: str | None = None
    mandate_id: UUID | None = None
    acknowledges: UUID | None = None
    made: UUID = field(default_factory=new_id)
    event: UUID = field(default_factory=new_id)
    _reference: str | None = None
    _account_id: UUID | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Find the account and the destination."""
        if before := await self.begun_before(tx, actor):
            return before
        assert self.money
        self.providers.refuse_if_down(self.provider)
        account = await reading.find_account(tx, self.account)
        if account.is_world:
            raise CounterpartyNotAllowed(account.number)
        self._account_id = account.id
        if self.destination_id:
            found = await method_of(tx, self.destination_id, self.provider, "destination")
            if found.kind != "bank_account":
                raise InvalidArgument("destination", "is no bank account")
            self._reference = found.reference
        await ready_accounts(tx, self.provider, self.money.currency)
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """Held for the account of what is in transit: a mandate's rule of payees asks about that."""
        del actor
        assert self.money
        assert self._account_id
        target = mapping.transit(self.provider, self.money.currency)
        claims = Claims(self.mandate_id, self.acknowledges, RAIL, self.destination_id)
        hold = PlaceHold(
            new_id(), self.event, self._account_id, target, self.money, None, self.description, world=True,
            claims=claims, owner_id=self.made,
        )  # fmt: skip
        return [hold]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write the call."""
        if isinstance(outcomes[0], Refused):
            return
        assert self.money
        assert self._account_id
        self.attempt = self.new_attempt(
            actor, self.made, "payout", None, self.money, event_id, provider=self.provider,
            account_id=self._account_id, number=1, method=self._reference, description=self.description,
            approval_id=approval_of(outcomes),
        )  # fmt: skip
        store.insert_attempt(tx, self.attempt)
