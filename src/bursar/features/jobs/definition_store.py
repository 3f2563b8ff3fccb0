"""The statements of definitions: keep a version, find one, list them all."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.kernel.db import Tx


class Kept(NamedTuple):
    """A version as it is kept; `body` is canonical JSON. Made by nobody: it comes with Bursar."""

    name: str
    version: int
    body: str
    made_by: UUID | None
    made_at: datetime | None


async def insert(tx: Tx, kept: Kept, body_hash: bytes) -> None:
    """Keep a version, unless it is kept already."""
    await tx.run(
        """INSERT INTO job_definition (tenant_id, name, version, body, body_hash, made_by)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        tx.tenant,
        kept.name,
        kept.version,
        kept.body,
        body_hash,
        kept.made_by,
    )


async def find(tx: Tx, name: str, version: int | None) -> Kept | None:
    """A version that is kept, or the latest of them."""
    return await tx.row(
        Kept,
        """SELECT name, version, body, made_by, CASE WHEN made_by IS NOT NULL THEN kept_at END FROM job_definition
           WHERE tenant_id = $1 AND name = $2 AND ($3::int IS NULL OR version = $3) ORDER BY version DESC LIMIT 1""",
        tx.tenant,
        name,
        version,
    )


async def list_all(tx: Tx, after: tuple[str, int], limit: int) -> list[Kept]:
    """Every version that is kept after the one named, by name and version."""
    return await tx.rows(
        Kept,
        """SELECT name, version, body, made_by, CASE WHEN made_by IS NOT NULL THEN kept_at END FROM job_definition
           WHERE tenant_id = $1 AND (name COLLATE "C", version) > ($2::text, $3::int)
           ORDER BY name COLLATE "C", version LIMIT $4""",
        tx.tenant,
        *after,
        limit,
    )


async def list_named(tx: Tx, names: Sequence[str], versions: Sequence[int]) -> list[Kept]:
    """The versions of these names and numbers, which are kept."""
    return await tx.rows(
        Kept,
        """SELECT d.name, d.version, d.body, d.made_by, CASE WHEN d.made_by IS NOT NULL THEN d.kept_at END
           FROM job_definition d
           JOIN (SELECT DISTINCT * FROM unnest($2::text[], $3::int[])) w (name, version)
             ON w.name = d.name AND w.version = d.version
           WHERE d.tenant_id = $1""",
        tx.tenant,
        names,
        versions,
    )
