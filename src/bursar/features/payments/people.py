"""The verbs of customers and payment methods: references only, which a provider understands."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.features.payments import people_store as store
from bursar.features.payments.model import Customer, Method
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import Conflict, Forbidden, Retry, UnknownObject


class ExternalIdTaken(Conflict):
    """Another customer has this external id."""

    next: ClassVar[str] = "Use that customer, or choose another external id."

    @property
    def code(self) -> str:
        """A clash of names is a state conflict."""
        return "state_conflict"


class DestinationNeedsPerson(Forbidden):
    """Where money may be paid out to is entered by people."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Ask an operator to enter the bank account."

    @property
    def code(self) -> str:
        """A matter of whom one may pay."""
        return "counterparty_not_allowed"


async def create_customer(tx: Tx, actor: Actor, customer: Customer) -> tuple[Customer, Happening]:
    """Enter a customer."""
    if not await store.insert_customer(tx, customer, actor.principal_id):
        raise ExternalIdTaken
    made = await find_customer(tx, customer.id)
    facts = {"external_id": made.external_id, "name": made.name}
    return made, Happening("customer.created", "created", facts, show("cus", made.id))


async def find_customer(tx: Tx, customer_id: UUID | None) -> Customer:
    """One customer."""
    found = await store.find_customer(tx, customer_id) if customer_id else None
    if found is None:
        raise UnknownObject("customer")
    return found


async def create_method(tx: Tx, actor: Actor, method: Method) -> tuple[Method, Happening]:
    """Enter how somebody pays or is paid; an agent enters no place that money could go to."""
    if method.kind == "bank_account" and actor.kind == "agent":
        raise DestinationNeedsPerson
    if method.customer_id:
        await find_customer(tx, method.customer_id)
    await store.insert_method(tx, method, actor.principal_id)
    made = await find_method(tx, method.id)
    facts = {"kind": made.kind, "provider": made.provider, "reference": made.reference}
    return made, Happening("payment_method.created", "created", facts, show("pm", made.id))


async def find_method(tx: Tx, method_id: UUID | None) -> Method:
    """One payment method."""
    found = await store.find_method(tx, method_id) if method_id else None
    if found is None:
        raise UnknownObject("payment method")
    return found


async def revenue_account(tx: Tx, currency: str) -> str:
    """The number of the account that payments come to when none is named; opened with the first."""
    number = f"revenue:{currency}"
    if number not in await accounts.ids_of(tx, [number]):
        await accounts.open_many(tx, [OpenAccount(number, "Revenue", currency)])
    return number


async def customer_called(tx: Tx, actor: Actor, external_id: str) -> UUID:
    """The customer whom the caller calls so, entered if new."""
    found = await store.find_customer_called(tx, external_id)
    if found is None:
        made = Customer(new_id(), external_id, external_id, {}, _NEVER)
        await store.insert_customer(tx, made, actor.principal_id)
        found = await store.find_customer_called(tx, external_id)
    assert found
    return found.id


async def method_called(tx: Tx, actor: Actor, provider: str, reference: str, customer_id: UUID) -> UUID:
    """The method of a customer that the provider calls so, entered if new."""
    for method in await store.list_methods(tx, customer_id, None, _MOST_METHODS):
        if (method.provider, method.reference, method.kind) == (provider, reference, "card"):
            return method.id
    made = Method(new_id(), customer_id, provider, "card", reference, None, _NEVER)
    await store.insert_method(tx, made, actor.principal_id)
    return made.id


_MOST_METHODS = 1_000
# The database writes the time.
_NEVER = datetime.min.replace(tzinfo=UTC)
