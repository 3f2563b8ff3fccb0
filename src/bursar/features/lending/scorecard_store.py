"""The statements of scorecards, and of the bank statements that they score."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.features.lending.evidence import Statement
from bursar.kernel.db import Tx

Status = Literal["draft", "active", "retired"]


class Standing(NamedTuple):
    """A version of a scorecard and where it stands; `card` is canonical JSON."""

    name: str
    version: int
    card: str
    card_hash: bytes
    status: Status
    drafted_at: datetime
    changed_at: datetime
    changed_by: UUID


async def insert_draft(tx: Tx, name: str, version: int, card: str, card_hash: bytes, drafted_by: UUID) -> bool:
    """Keep a new version as a draft; False if there is one of this number."""
    written = await tx.column(
        int,
        """INSERT INTO loan_scorecard (tenant_id, name, version, card, card_hash, drafted_by, drafted_at)
           VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING version""",
        tx.tenant,
        name,
        version,
        card,
        card_hash,
        drafted_by,
    )
    if written:
        await tx.run(
            """INSERT INTO loan_scorecard_stage (tenant_id, name, version, status, changed_by, changed_at)
               VALUES ($1, $2, $3, 'draft', $4, clock_timestamp())""",
            tx.tenant,
            name,
            version,
            drafted_by,
        )
    return bool(written)


async def lock_version(tx: Tx, name: str, version: int) -> Standing | None:
    """One version that stands nowhere else until the transaction ends."""
    return await tx.row(
        Standing,
        """SELECT c.name, c.version, c.card, c.card_hash, s.status, c.drafted_at, s.changed_at, s.changed_by
           FROM loan_scorecard_stage s
           JOIN loan_scorecard c ON c.tenant_id = s.tenant_id AND c.name = s.name AND c.version = s.version
           WHERE s.tenant_id = $1 AND s.name = $2 AND s.version = $3 FOR NO KEY UPDATE OF s""",
        tx.tenant,
        name,
        version,
    )


async def share_version(tx: Tx, name: str, version: int) -> Standing | None:
    """The same for many at once, who go by where it stands: whoever brings it elsewhere waits for them."""
    return await tx.row(
        Standing,
        """SELECT c.name, c.version, c.card, c.card_hash, s.status, c.drafted_at, s.changed_at, s.changed_by
           FROM loan_scorecard_stage s
           JOIN loan_scorecard c ON c.tenant_id = s.tenant_id AND c.name = s.name AND c.version = s.version
           WHERE s.tenant_id = $1 AND s.name = $2 AND s.version = $3 FOR SHARE OF s""",
        tx.tenant,
        name,
        version,
    )


async def list_versions(tx: Tx, after: tuple[str, int], limit: int) -> list[Standing]:
    """Every version of every scorecard after the one named, by name and version."""
    return await tx.rows(
        Standing,
        """SELECT c.name, c.version, c.card, c.card_hash, s.status, c.drafted_at, s.changed_at, s.changed_by
           FROM loan_scorecard c
           JOIN loan_scorecard_stage s ON s.tenant_id = c.tenant_id AND s.name = c.name AND s.version = c.version
           WHERE c.tenant_id = $1 AND (c.name, c.version) > ($2::text, $3::int) ORDER BY c.name, c.version LIMIT $4""",
        tx.tenant,
        *after,
        limit,
    )


async def mark(tx: Tx, name: str, version: int, status: Status, changed_by: UUID) -> None:
    """Have a locked version stand elsewhere."""
    await tx.run(
        """UPDATE loan_scorecard_stage SET status = $4, changed_by = $5, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND name = $2 AND version = $3""",
        tx.tenant,
        name,
        version,
        status,
        changed_by,
    )


def insert_statement(tx: Tx, application_id: UUID, made: Statement) -> None:
    """Keep a statement of a locked application."""
    tx.later(
        """INSERT INTO loan_statement (tenant_id, application_id, application_version, origin, document, body,
                                       body_hash)
           SELECT $1, $2::uuid, $3::int, $4, $5, $6, $7::bytea""",
        tx.tenant,
        application_id,
        *made,
    )


async def find_statement(tx: Tx, application_id: UUID) -> Statement | None:
    """The latest statement of an application, which is the one that counts."""
    return await tx.row(
        Statement,
        """SELECT application_version, origin, document, body, body_hash FROM loan_statement
           WHERE tenant_id = $1 AND application_id = $2 ORDER BY application_version DESC LIMIT 1""",
        tx.tenant,
        application_id,
    )
