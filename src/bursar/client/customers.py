"""Customers and payment methods: who pays or is paid, and how, by a provider's references."""

from collections.abc import AsyncIterator, Mapping

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.payments import Customer, PaymentMethod


class Customers(Room):
    """Numbers of cards are never sent: a provider's reference stands for them."""

    async def create_customer(
        self,
        *,
        name: str,
        external_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Customer:
        """Enter somebody who pays or is paid."""
        body = given(name=name, external_id=external_id, metadata=metadata)
        return await self._change(Customer, "create_customer", "/v1/customers", body, idempotency_key)

    async def get_customer(self, customer_id: str) -> Customer:
        """One customer."""
        return await self._read(Customer, "get_customer", f"/v1/customers/{segment(customer_id)}")

    async def list_customers(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Customer]:
        """Customers, oldest first, a page at a time."""
        return await self._read(Page[Customer], "list_customers", "/v1/customers", given(cursor=cursor, limit=limit))

    def iterate_customers(self) -> AsyncIterator[Customer]:
        """All customers, oldest first."""
        return items_of(lambda cursor: self.list_customers(cursor=cursor, limit=500))

    async def create_payment_method(
        self,
        *,
        reference: str,
        kind: str | None = None,
        customer: str | None = None,
        provider: str | None = None,
        label: str | None = None,
        idempotency_key: str | None = None,
    ) -> PaymentMethod:
        """Enter how somebody pays; a `bank_account`, where money may be paid out to, is for people to enter."""
        body = given(reference=reference, kind=kind, customer=customer, provider=provider, label=label)
        path = "/v1/payment-methods"
        return await self._change(PaymentMethod, "create_payment_method", path, body, idempotency_key)

    async def get_payment_method(self, payment_method_id: str) -> PaymentMethod:
        """One payment method."""
        path = f"/v1/payment-methods/{segment(payment_method_id)}"
        return await self._read(PaymentMethod, "get_payment_method", path)

    async def list_payment_methods(
        self, *, customer: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[PaymentMethod]:
        """Payment methods, oldest first, a page at a time."""
        query = given(customer=customer, cursor=cursor, limit=limit)
        return await self._read(Page[PaymentMethod], "list_payment_methods", "/v1/payment-methods", query)

    def iterate_payment_methods(self, *, customer: str | None = None) -> AsyncIterator[PaymentMethod]:
        """All payment methods, oldest first."""
        return items_of(lambda cursor: self.list_payment_methods(customer=customer, cursor=cursor, limit=500))
