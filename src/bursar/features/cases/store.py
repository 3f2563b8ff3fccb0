"""The statements of cases and their notes."""

from datetime import datetime
from uuid import UUID

from bursar.features.cases.model import Case, Note, State, Subject, Wanted
from bursar.kernel.db import Tx


def _case(
    id: UUID, kind: str, subject_kind: str, subject_id: str, state: State, owner_id: UUID | None, owner: str | None,
    opened_by: UUID | None, opened_at: datetime, changed_at: datetime, version: int,
) -> Case:  # fmt: skip
    subject = Subject(subject_kind, subject_id)
    return Case(id, kind, subject, state, owner_id, owner, opened_by, opened_at, changed_at, version)


async def insert_case(
    tx: Tx, case_id: UUID, kind: str, subject: Subject, owner_id: UUID | None, opened_by: UUID | None
) -> bool:
    """Open a case; False when the subject has one of this kind that is not settled."""
    found = await tx.row(
        bool,
        """INSERT INTO case_record (tenant_id, id, kind, subject_kind, subject_id, state, owner_id, opened_by)
           VALUES ($1, $2, $3, $4, $5, 'open', $6, $7)
           ON CONFLICT (tenant_id, kind, subject_kind, subject_id) WHERE state IN ('open', 'in_progress')
           DO NOTHING RETURNING true""",
        tx.tenant,
        case_id,
        kind,
        subject.kind,
        subject.id,
        owner_id,
        opened_by,
    )
    return bool(found)


async def find_unsettled(tx: Tx, kind: str, subject: Subject) -> UUID | None:
    """The case of this kind that the subject has and that is not settled."""
    found = await tx.column(
        UUID,
        """SELECT id FROM case_record
           WHERE tenant_id = $1 AND kind = $2 AND subject_kind = $3 AND subject_id = $4
             AND state IN ('open', 'in_progress')""",
        tx.tenant,
        kind,
        subject.kind,
        subject.id,
    )
    return found[0] if found else None


async def find_case(tx: Tx, case_id: UUID) -> Case | None:
    """One case."""
    return await tx.row(
        _case,
        """SELECT c.id, c.kind, c.subject_kind, c.subject_id, c.state, c.owner_id, p.name, c.opened_by, c.opened_at,
                  c.changed_at, c.version
           FROM case_record c LEFT JOIN principal p ON p.tenant_id = c.tenant_id AND p.id = c.owner_id
           WHERE c.tenant_id = $1 AND c.id = $2""",
        tx.tenant,
        case_id,
    )


async def lock_case(tx: Tx, case_id: UUID) -> Case | None:
    """One case that nobody else changes until the transaction ends."""
    await tx.run("SELECT FROM case_record WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", tx.tenant, case_id)
    return await find_case(tx, case_id)


async def update_state(tx: Tx, case_id: UUID, state: State) -> None:
    """Write where a locked case stands from now on."""
    await tx.run(
        """UPDATE case_record SET state = $3, version = version + 1, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        case_id,
        state,
    )


async def update_owner(tx: Tx, case_id: UUID, owner_id: UUID | None) -> None:
    """Write who owns a locked case from now on."""
    await tx.run(
        """UPDATE case_record SET owner_id = $3, version = version + 1, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND id = $2""",
        tx.tenant,
        case_id,
        owner_id,
    )


async def list_cases(tx: Tx, wanted: Wanted, after: UUID | None, limit: int) -> list[Case]:
    """Cases, oldest first, after the one named."""
    return await tx.rows(
        _case,
        """SELECT c.id, c.kind, c.subject_kind, c.subject_id, c.state, c.owner_id, p.name, c.opened_by, c.opened_at,
                  c.changed_at, c.version
           FROM case_record c LEFT JOIN principal p ON p.tenant_id = c.tenant_id AND p.id = c.owner_id
           WHERE c.tenant_id = $1 AND ($2::text IS NULL OR c.state = $2) AND ($3::text IS NULL OR c.kind = $3)
             AND ($4::uuid IS NULL OR c.owner_id = $4)
             AND ($5::text IS NULL OR (c.subject_kind = $5 AND c.subject_id = $6))
             AND ($7::uuid IS NULL OR c.id > $7)
           ORDER BY c.id LIMIT $8""",
        tx.tenant,
        wanted.state,
        wanted.kind,
        wanted.owner_id,
        wanted.subject.kind if wanted.subject else None,
        wanted.subject.id if wanted.subject else None,
        after,
        limit,
    )


def insert_note(tx: Tx, note_id: UUID, case_id: UUID, author_id: UUID | None, text: str) -> None:
    """Append a note."""
    tx.later(
        "INSERT INTO case_note (tenant_id, id, case_id, author_id, text) SELECT $1, $2::uuid, $3::uuid, $4::uuid, $5",
        tx.tenant,
        note_id,
        case_id,
        author_id,
        text,
    )


async def find_note(tx: Tx, note_id: UUID) -> Note | None:
    """One note."""
    return await tx.row(
        Note,
        """SELECT n.id, n.author_id, p.name, p.kind, n.text, n.noted_at
           FROM case_note n LEFT JOIN principal p ON p.tenant_id = n.tenant_id AND p.id = n.author_id
           WHERE n.tenant_id = $1 AND n.id = $2""",
        tx.tenant,
        note_id,
    )


async def list_notes(tx: Tx, case_id: UUID, after: UUID | None, limit: int) -> list[Note]:
    """The notes of a case, oldest first, after the one named."""
    return await tx.rows(
        Note,
        """SELECT n.id, n.author_id, p.name, p.kind, n.text, n.noted_at
           FROM case_note n LEFT JOIN principal p ON p.tenant_id = n.tenant_id AND p.id = n.author_id
           WHERE n.tenant_id = $1 AND n.case_id = $2 AND ($3::uuid IS NULL OR n.id > $3)
           ORDER BY n.id LIMIT $4""",
        tx.tenant,
        case_id,
        after,
        limit,
    )
