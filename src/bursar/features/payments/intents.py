"""The first half of a payment: what was intended is written down with what authority said, or refused.

An intent is the `Aside` of one instruction. Nothing is sent before its transaction has committed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.model import Ask, Begun, PendingApproval, Told
from bursar.core.idempotency.model import UNDER_WAY, Answer, IdempotencyConflict, pin_id
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.model import NO_METADATA, AccountRef, Metadata
from bursar.core.ledger.orders import Claims, Order, Undertake
from bursar.core.ledger.outcomes import Refused, StateConflict
from bursar.features.payments import people_store, store
from bursar.features.payments.applying import FIRST_QUESTION
from bursar.features.payments.booking import ready_accounts
from bursar.features.payments.machine import Place, begun
from bursar.features.payments.model import OPEN, Attempt, AttemptUnderWay, Capture, Method, Payment
from bursar.features.payments.ports import CallKind
from bursar.features.payments.registry import NO_PROVIDERS, Providers
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument, UnknownObject

RAIL = "provider"
# Longer than any call takes: whoever sends has this long, and nobody else sends meanwhile.
LEASE = timedelta(seconds=30)
_UNDER_WAY = Answer(UNDER_WAY, b"")


class Wish(NamedTuple):
    """A payment that somebody asks for: from whoever pays by `method_id` to the tenant's own account."""

    account: AccountRef
    money: Money
    provider: str
    method_id: UUID | None
    customer_id: UUID | None = None
    capture: Capture = "automatic"
    description: str | None = None
    metadata: Metadata = NO_METADATA
    mandate_id: UUID | None = None
    acknowledges: UUID | None = None


@dataclass(slots=True)
class Intent:
    """What every first half has in common: who asks under which key, and the call that it comes to."""

    ask: Ask
    now: datetime
    attempt: Attempt | None = None
    payment: Payment | None = None
    # The key has begun it before: there is nothing to send, only to ask.
    again: bool = False
    # Nothing is begun with one of these that does not answer.
    providers: Providers = NO_PROVIDERS

    async def begun_before(self, tx: Tx, actor: Actor) -> Begun | None:
        """What this key has begun before; whoever calls holds its lock."""
        found = await store.find_attempt_by_claim(tx, self.claim_id(actor)) if self.ask.claim else None
        if found is None:
            return None
        assert self.ask.claim
        if found.request_hash != self.ask.claim.request_hash:
            raise IdempotencyConflict
        self.attempt, self.again = found, True
        self.payment = await store.find_payment(tx, found.payment_id) if found.payment_id else None
        return Begun(_UNDER_WAY, found.event_id)

    def claim_id(self, actor: Actor) -> UUID:
        """Where the caller's key is written with the call."""
        assert self.ask.claim
        return pin_id(actor.principal_id, self.ask.action.name, self.ask.claim.key)

    def new_attempt(
        self, actor: Actor, attempt_id: UUID, kind: CallKind, payment: Payment | None, money: Money, event_id: UUID,
        *, provider: str, account_id: UUID, number: int, method: str | None = None, final: bool = True,
        description: str | None = None, approval_id: UUID | None = None,
    ) -> Attempt:  # fmt: skip
        """The call as it is written down: its sender has the right to send it from now on."""
        claim = self.ask.claim
        waits = approval_id is not None
        return Attempt(
            attempt_id, payment.id if payment else None, number, kind, provider, account_id, money.currency,
            money.minor, "waiting" if waits else "pending", None, method, final, None, description, event_id,
            approval_id, actor.principal_id, self.claim_id(actor) if claim else None,
            claim.request_hash if claim else None, 0, None if waits else self.now + FIRST_QUESTION,
            None if waits else self.now + LEASE, self.now, None,
        )  # fmt: skip


async def method_of(tx: Tx, method_id: UUID | None, provider: str, argument: str) -> Method:
    """A payment method that the provider knows."""
    found = await people_store.find_method(tx, method_id) if method_id else None
    if found is None:
        raise UnknownObject("payment method")
    if found.provider != provider:
        raise InvalidArgument(argument, f"is one of {found.provider}, not of {provider}")
    return found


def approval_of(outcomes: Sequence[Told]) -> UUID | None:
    """The approval that the only order waits for."""
    first = outcomes[0]
    return first.approval_id if isinstance(first, PendingApproval) else None


@dataclass(slots=True)
class Charging(Intent):
    """A payment is created and confirmed, or one that was created is confirmed."""

    wish: Wish | None = None
    payment_id: UUID | None = None
    method_id: UUID | None = None
    acknowledges: UUID | None = None
    made: UUID = field(default_factory=new_id)
    event: UUID = field(default_factory=new_id)
    _method: Method | None = None
    # The event of the last attempt, which has failed: to try again is no duplicate of it.
    _tried: UUID | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Find what the payment names; one that is to be confirmed is locked."""
        if before := await self.begun_before(tx, actor):
            return before
        self.payment = None  # A transaction that is tried again begins anew.
        if self.wish is None:
            self.payment, self._tried = await _confirmable(tx, self.payment_id)
            provider, currency = self.payment.provider, self.payment.currency
            method_id = self.method_id or self.payment.method_id
        else:
            provider, currency, method_id = self.wish.provider, self.wish.money.currency, self.wish.method_id
            await known_customer(tx, self.wish.customer_id)
        if method_id is None:
            raise InvalidArgument("payment_method_id", "is needed to confirm a payment")
        self.providers.refuse_if_down(provider)
        self._method = await method_of(tx, method_id, provider, "payment_method_id")
        await ready_accounts(tx, provider, currency)
        return None

    def orders(self, actor: Actor) -> list[Order]:
        """Limits are used as if it were spent: an agent's mandate says how much it may charge."""
        del actor
        assert self._method
        if self.payment:
            account, money, what = self.payment.account_id, self.payment.money, self.payment.description
            claims = Claims(None, self.acknowledges or self._tried, RAIL, self._method.id)
            return [Undertake(self.event, account, money, what, claims)]
        assert self.wish
        claims = Claims(self.wish.mandate_id, self.wish.acknowledges, RAIL, self._method.id)
        return [Undertake(self.event, self.wish.account, self.wish.money, self.wish.description, claims)]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write the payment and its first call."""
        if isinstance(outcomes[0], Refused):
            return
        assert self._method
        approval_id = approval_of(outcomes)
        payment = self.payment
        if payment is None:
            payment = await new_payment(tx, actor, self.made, self.wish, self.now)
            store.insert_payment(tx, payment)
        place = begun(Place(payment.status, payment.attempt, payment.rank))
        if approval_id:
            place = place._replace(status="requires_confirmation")
        await store.update_place(tx, payment.id, place, self._method.id)
        self.payment = replace(payment, status=place.status, attempt=place.attempt, rank=place.rank)
        self.attempt = self.new_attempt(
            actor, new_id(), "charge", payment, payment.money, event_id, provider=payment.provider,
            account_id=payment.account_id, number=place.attempt, method=self._method.reference,
            description=payment.description, approval_id=approval_id,
        )  # fmt: skip
        store.insert_attempt(tx, self.attempt)


async def known_customer(tx: Tx, customer_id: UUID | None) -> None:
    """Refuse a customer who is none."""
    if customer_id and await people_store.find_customer(tx, customer_id) is None:
        raise UnknownObject("customer")


async def new_payment(tx: Tx, actor: Actor, payment_id: UUID, wish: Wish | None, now: datetime) -> Payment:
    """A payment as it begins: nobody has confirmed it."""
    assert wish
    account = await reading.find_account(tx, wish.account)
    return Payment(
        payment_id, wish.provider, account.id, wish.money.currency, wish.money.minor, wish.capture, wish.customer_id,
        wish.method_id, "requires_confirmation", 0, 0, 0, 0, 0, 0, None, None, None, False, False, wish.description,
        wish.metadata, actor.principal_id, now, now,
    )  # fmt: skip


async def locked_payment(tx: Tx, payment_id: UUID | None) -> Payment:
    """A payment that nobody else changes; refuses one that waits for people to look."""
    found = await store.find_payment(tx, payment_id, locked=True) if payment_id else None
    if found is None:
        raise UnknownObject("payment")
    if found.quarantined:
        raise StateConflict("The payment waits for people to look at what its provider says.")
    if found.in_suspense:
        raise StateConflict("What the provider does with this payment goes to suspense, as people have decided.")
    return found


async def _confirmable(tx: Tx, payment_id: UUID | None) -> tuple[Payment, UUID | None]:
    """A payment that may be confirmed, and the event of the last charge that was tried."""
    found = await locked_payment(tx, payment_id)
    charges = [a for a in await store.list_attempts(tx, found.id) if a.kind == "charge"]
    if any(a.status in OPEN for a in charges):
        raise AttemptUnderWay("charge")
    if found.status not in ("requires_confirmation", "failed"):
        raise StateConflict(f"The payment is {found.status}.")
    return found, charges[-1].event_id if charges else None
