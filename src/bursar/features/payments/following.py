"""The first half of a capture or a cancel: neither sets anything aside, for the charge has done so."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.payments import store
from bursar.features.payments.intents import Intent, Wish, known_customer, locked_payment, new_payment
from bursar.features.payments.machine import Place, reported
from bursar.features.payments.model import OPEN, AboveCaptured, Attempt, AttemptUnderWay, Payment
from bursar.features.payments.ports import CallKind
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument


async def create_unconfirmed(tx: Tx, actor: Actor, intent: Intent, wish: Wish) -> tuple[Payment, Happening]:
    """Write a payment that somebody confirms later; no limit is used and nothing is sent."""
    await known_customer(tx, wish.customer_id)
    payment = await new_payment(tx, actor, new_id(), wish, intent.now)
    if payment.currency != (await reading.find_account(tx, payment.account_id)).currency:
        raise InvalidArgument("currency", "is not that of the account")
    store.insert_payment(tx, payment)
    facts: dict[str, Json] = {"amount": str(payment.money), "currency": payment.currency}
    return payment, Happening("payment.created", payment.status, facts, show("pay", payment.id))


@dataclass(slots=True)
class Following(Intent):
    """A capture (of `read`, or of all that is left) or a cancel of a payment that is authorised."""

    payment_id: UUID | None = None
    read: Callable[[str], Money] | None = None
    final: bool = True
    # Of the instruction itself; the call rests on it.
    event: UUID = field(default_factory=new_id)

    async def capture(self, tx: Tx, actor: Actor) -> tuple[Attempt, Happening]:
        """Write the call of a capture; `final` says that no other follows, and what is left is let go."""
        if await self.begun_before(tx, actor):
            return self._asked_again()
        found = await self._idle(tx)
        if found.status != "requires_capture":
            raise StateConflict(f"The payment is {found.status}.")
        left = Money(found.amount_minor - found.captured_minor, found.currency)
        money = self.read(found.currency) if self.read else left
        if money.minor > left.minor:
            raise AboveCaptured(left, "capture")
        return self._write(tx, actor, found, "capture", money)

    async def cancel(self, tx: Tx, actor: Actor) -> tuple[Attempt | None, Happening]:
        """Write the call of a cancel; what nobody has confirmed is canceled at once, and there is nothing to call."""
        if await self.begun_before(tx, actor):
            return self._asked_again()
        found = await self._idle(tx)
        if found.status not in ("requires_confirmation", "requires_action", "requires_capture"):
            raise StateConflict(f"The payment is {found.status}.")
        if found.status == "requires_confirmation":
            self.payment = replace(found, status="canceled")
            await store.update_place(
                tx, found.id, reported(Place(found.status, found.attempt, 0), found.attempt, "canceled")
            )
            return None, Happening("payment.canceled", "canceled", {}, self._name())
        if found.captured_minor:
            raise StateConflict("Some of the payment is captured; capture the rest or nothing more of it.")
        return self._write(tx, actor, found, "cancel", Money(0, found.currency))

    async def _idle(self, tx: Tx) -> Payment:
        """The payment, locked, with no call of its own under way but for a customer who has yet to act."""
        found = self.payment = await locked_payment(tx, self.payment_id)
        for attempt in await store.list_attempts(tx, found.id):
            waits_for_customer = attempt.kind == "charge" and found.status == "requires_action"
            if attempt.status in OPEN and attempt.kind != "refund" and not waits_for_customer:
                raise AttemptUnderWay(attempt.kind)
        return found

    def _asked_again(self) -> tuple[Attempt, Happening]:
        assert self.attempt
        facts: dict[str, Json] = {"asked_again": True}
        return self.attempt, Happening(f"{self.attempt.kind}.asked", self.attempt.status, facts, self._name())

    def _name(self) -> str | None:
        return show("pay", self.payment.id) if self.payment else None

    def _write(self, tx: Tx, actor: Actor, payment: Payment, kind: CallKind, money: Money) -> tuple[Attempt, Happening]:
        self.providers.refuse_if_down(payment.provider)
        self.attempt = self.new_attempt(
            actor, new_id(), kind, payment, money, self.event, provider=payment.provider,
            account_id=payment.account_id, number=payment.attempt, final=self.final,
        )  # fmt: skip
        store.insert_attempt(tx, self.attempt)
        facts: dict[str, Json] = {"amount": str(money), "currency": money.currency}
        return self.attempt, Happening(f"{kind}.asked", "pending", facts, self._name())
