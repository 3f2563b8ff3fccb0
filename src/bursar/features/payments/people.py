"""The verbs of customers and payment methods: references only, which a provider understands."""

from typing import ClassVar
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.payments import people_store as store
from bursar.features.payments.model import Customer, Method
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
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
