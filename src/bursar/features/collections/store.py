"""The statements of collections, reminders and the rules and templates that these go by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from bursar.features.collections.model import Collection, Mail, Reminder
from bursar.features.collections.templates import Words
from bursar.features.lending.loan import Loan
from bursar.kernel.db import Tx


class KeptRules(NamedTuple):
    """A version of the rules of contact as it is kept; `text` is canonical JSON."""

    product: str
    version: int
    text: str
    made_by: UUID
    made_at: datetime


class KeptWords(NamedTuple):
    """A version of a template with whose it is; those that come with Bursar are nobody's."""

    words: Words
    made_by: UUID | None
    made_at: datetime | None


class Listed(NamedTuple):
    """A collection with its loan and how often the borrower was reminded since it was opened."""

    collection: Collection
    loan: Loan
    reminders: int


async def find_open(tx: Tx, loan_id: UUID) -> Collection | None:
    """The collection that a loan is in."""
    return await tx.row(
        Collection,
        """SELECT id, loan_id, job_id, opened_at, ended_at, ended_as FROM loan_collection
           WHERE tenant_id = $1 AND loan_id = $2 AND ended_at IS NULL""",
        tx.tenant,
        loan_id,
    )


async def insert_collection(tx: Tx, made: Collection) -> None:
    """Write a new collection of a locked loan."""
    await tx.run(
        """INSERT INTO loan_collection (tenant_id, id, loan_id, job_id, opened_at, ended_at, ended_as)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        tx.tenant,
        *made,
    )


async def end_collection(tx: Tx, ended: Collection) -> None:
    """Write that the collection of a locked loan is over."""
    await tx.run(
        "UPDATE loan_collection SET ended_at = $3, ended_as = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        ended.id,
        ended.ended_at,
        ended.ended_as,
    )


async def find_maker(tx: Tx, product: str, version: int) -> UUID:
    """Who made a version of a product."""
    return await tx.value(
        UUID,
        "SELECT made_by FROM loan_product WHERE tenant_id = $1 AND code = $2 AND version = $3",
        tx.tenant,
        product,
        version,
    )


async def list_to_follow(tx: Tx, limit: int) -> list[tuple[UUID, UUID]]:
    """Loans of all tenants that came to be late or are it no longer; for the worker's role only."""
    return await tx.pairs(
        """(SELECT l.tenant_id, l.id FROM loan l
            WHERE l.status = 'active' AND l.bucket <> 'current' AND l.state::jsonb ->> 'paused_since' IS NULL
              AND NOT EXISTS (
                  SELECT FROM loan_collection c
                  WHERE c.tenant_id = l.tenant_id AND c.loan_id = l.id AND c.ended_at IS NULL)
            LIMIT $1)
           UNION ALL
           (SELECT l.tenant_id, l.id FROM loan_collection c
            JOIN loan l ON l.tenant_id = c.tenant_id AND l.id = c.loan_id
            WHERE c.ended_at IS NULL AND (
                l.status <> 'active' OR l.bucket = 'current' OR l.state::jsonb ->> 'paused_since' IS NOT NULL)
            LIMIT $1)""",
        limit,
    )


def _listed(*columns: Any) -> Listed:
    return Listed(Collection(*columns[:6]), Loan(*columns[6:-1]), columns[-1])


async def list_collections(
    tx: Tx, seen_by: UUID | None, is_open: bool | None, loan_id: UUID | None, after: UUID | None, limit: int
) -> list[Listed]:
    """Collections, oldest first, after the one named.

    Those of loans that one principal took in or decided, or whose step it holds, if asked.
    """
    return await tx.rows(
        _listed,
        """SELECT c.id, c.loan_id, c.job_id, c.opened_at, c.ended_at, c.ended_as,
                  l.id, l.application_id, l.product, l.product_version, l.currency, l.principal_minor, l.installments,
                  l.made_by, l.decider_id, l.created_at, l.approval_id, l.awaits, l.disbursed_on, l.facts, l.status,
                  l.day, l.next_due, l.bucket, l.flows, l.state,
                  (SELECT count(*) FROM loan_reminder r WHERE r.tenant_id = $1 AND r.collection_id = c.id
                     AND r.loan_id = c.loan_id)
           FROM loan_collection c
           JOIN loan l ON l.tenant_id = c.tenant_id AND l.id = c.loan_id
           JOIN job j ON j.tenant_id = c.tenant_id AND j.id = c.job_id
           WHERE c.tenant_id = $1 AND ($2::uuid IS NULL OR l.made_by = $2 OR l.decider_id = $2 OR j.holder_id = $2)
             AND ($3::bool IS NULL OR (c.ended_at IS NULL) = $3) AND ($4::uuid IS NULL OR c.loan_id = $4)
             AND ($5::uuid IS NULL OR c.id > $5)
           ORDER BY c.id LIMIT $6""",
        tx.tenant,
        seen_by,
        is_open,
        loan_id,
        after,
        limit,
    )


async def insert_rules(tx: Tx, product: str, text: str, text_hash: bytes, made_by: UUID) -> tuple[int, datetime] | None:
    """Write the next version of the rules; None when another was written in that moment."""
    found = await tx.pairs(
        """INSERT INTO loan_contact_rules (tenant_id, product, version, rules, rules_hash, made_by)
           SELECT $1, $2::text, coalesce(max(version), 0) + 1, $3::text, $4::bytea, $5::uuid
           FROM loan_contact_rules WHERE tenant_id = $1 AND product = $2
           ON CONFLICT (tenant_id, product, version) DO NOTHING RETURNING version, made_at""",
        tx.tenant,
        product,
        text,
        text_hash,
        made_by,
    )
    return found[0] if found else None


async def find_rules(tx: Tx, products: Sequence[str]) -> KeptRules | None:
    """The latest rules of the first of these that has any."""
    return await tx.row(
        KeptRules,
        """SELECT product, version, rules, made_by, made_at FROM loan_contact_rules
           WHERE tenant_id = $1 AND product = ANY($2::text[])
           ORDER BY array_position($2::text[], product), version DESC LIMIT 1""",
        tx.tenant,
        products,
    )


async def list_rules(tx: Tx) -> list[KeptRules]:
    """Every version of all rules, by product."""
    return await tx.rows(
        KeptRules,
        """SELECT product, version, rules, made_by, made_at FROM loan_contact_rules
           WHERE tenant_id = $1 ORDER BY product, version""",
        tx.tenant,
    )


def _words(name: str, version: int, subject: str, body: str, made_by: UUID, made_at: datetime) -> KeptWords:
    return KeptWords(Words(name, version, subject, body), made_by, made_at)


async def insert_words(tx: Tx, words: Words, made_by: UUID) -> tuple[int, datetime] | None:
    """Write the next version of a template; None when another was written in that moment."""
    found = await tx.pairs(
        """INSERT INTO loan_reminder_template (tenant_id, name, version, subject, body, made_by)
           SELECT $1, $2::text, coalesce(max(version), 0) + 1, $3::text, $4::text, $5::uuid
           FROM loan_reminder_template WHERE tenant_id = $1 AND name = $2
           ON CONFLICT (tenant_id, name, version) DO NOTHING RETURNING version, made_at""",
        tx.tenant,
        words.name,
        words.subject,
        words.body,
        made_by,
    )
    return found[0] if found else None


async def list_words(tx: Tx, name: str | None = None) -> list[KeptWords]:
    """Every version of all templates that were made here, or of one."""
    return await tx.rows(
        _words,
        """SELECT name, version, subject, body, made_by, made_at FROM loan_reminder_template
           WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2) ORDER BY name, version""",
        tx.tenant,
        name,
    )


def insert_reminder(tx: Tx, made: Reminder) -> None:
    """Keep a reminder of a locked loan."""
    tx.later(
        """INSERT INTO loan_reminder (tenant_id, id, loan_id, collection_id, template, template_version, rules_product,
                                      rules_version, channel, recipient, subject, body, text_hash, sent_by, event_id,
                                      made_at)
           SELECT $1, $2::uuid, $3::uuid, $4::uuid, $5, $6::int, $7, $8::int, $9, $10, $11, $12, $13::bytea, $14::uuid,
                  $15::uuid, $16::timestamptz""",
        tx.tenant,
        *made,
    )


async def list_sent(tx: Tx, loan_id: UUID, since: datetime) -> list[datetime]:
    """When the borrower was reminded of a loan after that moment, oldest first."""
    return await tx.column(
        datetime,
        """SELECT made_at FROM loan_reminder
           WHERE tenant_id = $1 AND loan_id = $2 AND made_at > $3 ORDER BY made_at""",
        tx.tenant,
        loan_id,
        since,
    )


def _reminder(*columns: Any) -> tuple[Reminder, Mail | None]:
    mail = Mail(*columns[15:]) if columns[15] else None
    return Reminder(*columns[:15]), mail


async def list_reminders(tx: Tx, loan_id: UUID, after: UUID | None, limit: int) -> list[tuple[Reminder, Mail | None]]:
    """The reminders of a loan, oldest first, after the one named, each with its mail if it went by e-mail."""
    return await tx.rows(
        _reminder,
        """SELECT r.id, r.loan_id, r.collection_id, r.template, r.template_version, r.rules_product, r.rules_version,
                  r.channel, r.recipient, r.subject, r.body, r.text_hash, r.sent_by, r.event_id, r.made_at,
                  m.status, m.attempts, m.error, m.ended_at
           FROM loan_reminder r LEFT JOIN loan_mail m ON m.tenant_id = r.tenant_id AND m.reminder_id = r.id
           WHERE r.tenant_id = $1 AND r.loan_id = $2 AND ($3::uuid IS NULL OR r.id > $3) ORDER BY r.id LIMIT $4""",
        tx.tenant,
        loan_id,
        after,
        limit,
    )
