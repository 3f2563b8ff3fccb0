"""The statements of products and decisions."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.features.lending.application import Outcome
from bursar.features.lending.catalog import Product, Version
from bursar.kernel.db import Tx


class Decision(NamedTuple):
    """A decision; the columns of `loan_decision` in their order. `inputs` and `judgement` are canonical JSON."""

    id: UUID
    application_id: UUID
    application_version: int
    outcome: Outcome
    decided_by: UUID
    reason: str | None
    inputs: str
    inputs_hash: bytes
    judgement: str
    event_id: UUID
    decided_at: datetime


class Offer(NamedTuple):
    """An offer; the columns of `loan_offer` in their order. `terms` is canonical JSON."""

    id: UUID
    application_id: UUID
    # The version of the application that it brought about.
    application_version: int
    terms: str
    terms_hash: bytes
    made_by: UUID
    made_at: datetime
    expires_at: datetime


async def insert_product(tx: Tx, code: str, terms: str, terms_hash: bytes, actor_id: UUID) -> int | None:
    """Write the next version of a product; its number, or None when another was written in that moment."""
    return await tx.row(
        int,
        """INSERT INTO loan_product (tenant_id, code, version, terms, terms_hash, made_by)
           SELECT $1, $2::text, coalesce(max(version), 0) + 1, $3::text, $4::bytea, $5::uuid
           FROM loan_product WHERE tenant_id = $1 AND code = $2
           ON CONFLICT (tenant_id, code, version) DO NOTHING RETURNING version""",
        tx.tenant,
        code,
        terms,
        terms_hash,
        actor_id,
    )


async def find_product(tx: Tx, code: str, version: int | None = None) -> Product | None:
    """A version of a product, or its latest."""
    return await tx.row(
        Product,
        """SELECT code, version, terms FROM loan_product
           WHERE tenant_id = $1 AND code = $2 AND ($3::int IS NULL OR version = $3) ORDER BY version DESC LIMIT 1""",
        tx.tenant,
        code,
        version,
    )


async def list_products(tx: Tx, after: tuple[str, int], limit: int) -> list[Version]:
    """Every version of every product after the one named, by code and version."""
    return await tx.rows(
        _version,
        """SELECT code, version, terms, made_by, made_at FROM loan_product
           WHERE tenant_id = $1 AND (code, version) > ($2::text, $3::int) ORDER BY code, version LIMIT $4""",
        tx.tenant,
        *after,
        limit,
    )


def _version(code: str, version: int, terms: str, made_by: UUID, made_at: datetime) -> Version:
    return Version(Product(code, version, terms), made_by, made_at)


def insert_decision(tx: Tx, made: Decision) -> None:
    """Keep a decision."""
    tx.later(
        """INSERT INTO loan_decision (tenant_id, id, application_id, application_version, outcome, decided_by, reason,
                                      inputs, inputs_hash, judgement, event_id, decided_at)
           SELECT $1, $2::uuid, $3::uuid, $4::int, $5, $6::uuid, $7, $8, $9::bytea, $10, $11::uuid, $12::timestamptz""",
        tx.tenant,
        *made,
    )


async def list_decisions(tx: Tx, application_id: UUID) -> list[Decision]:
    """The decisions on an application, oldest first: at most one for each time it was decided or sent to review."""
    return await tx.rows(
        Decision,
        """SELECT id, application_id, application_version, outcome, decided_by, reason, inputs, inputs_hash, judgement,
                  event_id, decided_at
           FROM loan_decision WHERE tenant_id = $1 AND application_id = $2 ORDER BY application_version""",
        tx.tenant,
        application_id,
    )


def insert_offer(tx: Tx, made: Offer) -> None:
    """Keep an offer."""
    tx.later(
        """INSERT INTO loan_offer (tenant_id, id, application_id, application_version, terms, terms_hash, made_by,
                                   made_at, expires_at)
           SELECT $1, $2::uuid, $3::uuid, $4::int, $5, $6::bytea, $7::uuid, $8::timestamptz, $9::timestamptz""",
        tx.tenant,
        *made,
    )


async def find_offer(tx: Tx, application_id: UUID) -> Offer | None:
    """The offer of an application; there is at most one."""
    return await tx.row(
        Offer,
        """SELECT id, application_id, application_version, terms, terms_hash, made_by, made_at, expires_at
           FROM loan_offer WHERE tenant_id = $1 AND application_id = $2""",
        tx.tenant,
        application_id,
    )
