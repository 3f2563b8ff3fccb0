"""The statements of customers and of how they pay."""

import json
from uuid import UUID

from bursar.features.payments.model import Customer, Method
from bursar.kernel.db import Tx


def _customer(id: UUID, name: str, external_id: str | None, metadata: str, created_at: object) -> Customer:
    return Customer(id, name, external_id, json.loads(metadata), created_at)  # pyright: ignore[reportArgumentType] -- timestamptz


async def insert_customer(tx: Tx, customer: Customer, created_by: UUID) -> bool:
    """Write a new customer; False when another has the same external id."""
    return bool(
        await tx.column(
            bool,
            """INSERT INTO customer (tenant_id, id, name, external_id, metadata, created_by)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING true""",
            tx.tenant,
            customer.id,
            customer.name,
            customer.external_id,
            json.dumps(dict(customer.metadata)),
            created_by,
        )
    )


async def find_customer(tx: Tx, customer_id: UUID) -> Customer | None:
    """One customer."""
    return await tx.row(
        _customer,
        "SELECT id, name, external_id, metadata, created_at FROM customer WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        customer_id,
    )


async def find_customer_called(tx: Tx, external_id: str) -> Customer | None:
    """The customer whom the tenant's own systems call so."""
    return await tx.row(
        _customer,
        "SELECT id, name, external_id, metadata, created_at FROM customer WHERE tenant_id = $1 AND external_id = $2",
        tx.tenant,
        external_id,
    )


async def list_customers(tx: Tx, after: UUID | None, limit: int) -> list[Customer]:
    """Customers, oldest first, after the one named."""
    return await tx.rows(
        _customer,
        """SELECT id, name, external_id, metadata, created_at FROM customer
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )


async def insert_method(tx: Tx, method: Method, created_by: UUID) -> None:
    """Write how somebody pays or is paid."""
    await tx.run(
        """INSERT INTO payment_method (tenant_id, id, customer_id, provider, kind, reference, label, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        tx.tenant,
        method.id,
        method.customer_id,
        method.provider,
        method.kind,
        method.reference,
        method.label,
        created_by,
    )


async def find_method(tx: Tx, method_id: UUID) -> Method | None:
    """One payment method."""
    return await tx.row(
        Method,
        """SELECT id, customer_id, provider, kind, reference, label, created_at
           FROM payment_method WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        method_id,
    )


async def list_methods(tx: Tx, customer_id: UUID | None, after: UUID | None, limit: int) -> list[Method]:
    """Payment methods, oldest first, after the one named; of one customer if asked."""
    return await tx.rows(
        Method,
        """SELECT id, customer_id, provider, kind, reference, label, created_at
           FROM payment_method
           WHERE tenant_id = $1 AND ($2::uuid IS NULL OR customer_id = $2) AND ($3::uuid IS NULL OR id > $3)
           ORDER BY id LIMIT $4""",
        tx.tenant,
        customer_id,
        after,
        limit,
    )
