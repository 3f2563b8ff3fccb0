"""The statements of tenants, principals and keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from bursar.core.identity.model import ApiKey, Principal, PrincipalKind, PrincipalStatus
from bursar.kernel.db import Draft, Tx


class KeyRow(NamedTuple):
    """A key with its principal, as a request is checked against it."""

    id: int
    secret_hash: bytes
    scopes: list[str]
    is_revoked: bool
    principal_id: UUID
    kind: PrincipalKind
    name: str
    status: PrincipalStatus
    team: str | None
    roles: list[str]


def _principal(
    id: UUID,
    kind: PrincipalKind,
    name: str,
    status: PrincipalStatus,
    created_at: datetime,
    team: str | None,
    roles: list[str],
) -> Principal:
    return Principal(id, kind, name, status, created_at, team, tuple(roles))


async def insert_tenant(tx: Tx, name: str) -> bool:
    """Insert the tenant the transaction is set to; False when it is there already."""
    found = await tx.row(
        bool,
        "INSERT INTO tenant (tenant_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
        tx.tenant,
        name,
    )
    return bool(found)


async def insert_principal(tx: Tx, principal_id: UUID, kind: PrincipalKind, name: str, team: str | None = None) -> bool:
    """Insert an active principal; False when the name is taken."""
    found = await tx.row(
        bool,
        """INSERT INTO principal (tenant_id, id, kind, name, team) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (tenant_id, name) DO NOTHING RETURNING true""",
        tx.tenant,
        principal_id,
        kind,
        name,
        team,
    )
    return bool(found)


async def find_principal(tx: Tx, *, principal_id: UUID | None = None, name: str | None = None) -> Principal | None:
    """A principal by id or by name."""
    return await tx.row(
        _principal,
        """SELECT id, kind, name, status, created_at, team, roles FROM principal
           WHERE tenant_id = $1 AND (id = $2 OR name = $3)""",
        tx.tenant,
        principal_id,
        name,
    )


async def take_turn(tx: Tx) -> None:
    """Come before those who ask to share a key or principal from now on.

    PostgreSQL lets them share a row past somebody who waits to change it, who would wait as long as they keep coming.
    """
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))", tx.tenant)


async def lock_principals_named(tx: Tx, names: Sequence[str]) -> list[Principal]:
    """Principals by name, shared: their status holds until the transaction ends."""
    return await tx.rows(
        _principal,
        """WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0)))
           SELECT p.id, p.kind, p.name,
                  CASE WHEN t.status = 'frozen' AND p.kind = 'agent' THEN 'suspended' ELSE p.status END, p.created_at,
                  p.team, p.roles
           FROM gate CROSS JOIN principal p JOIN tenant t ON t.tenant_id = p.tenant_id
           WHERE p.tenant_id = $1 AND p.name = ANY($2::text[]) ORDER BY p.id FOR SHARE OF p, t""",
        tx.tenant,
        names,
    )


async def lock_principals(tx: Tx, principal_ids: Sequence[UUID]) -> list[Principal]:
    """Principals by id, shared: what they may do holds until the transaction ends.

    An agent of a frozen tenant is suspended with it.
    """
    return await tx.rows(
        _principal,
        """SELECT p.id, p.kind, p.name,
                  CASE WHEN t.status = 'frozen' AND p.kind = 'agent' THEN 'suspended' ELSE p.status END, p.created_at,
                  p.team, p.roles
           FROM principal p JOIN tenant t ON t.tenant_id = p.tenant_id
           WHERE p.tenant_id = $1 AND p.id = ANY($2::uuid[]) ORDER BY p.id FOR SHARE""",
        tx.tenant,
        principal_ids,
    )


async def update_roles(tx: Tx, principal_id: UUID, roles: Sequence[str]) -> None:
    """Replace what an operator may decide."""
    await tx.run(
        "UPDATE principal SET roles = $3::text[] WHERE tenant_id = $1 AND id = $2", tx.tenant, principal_id, roles
    )


async def update_team(tx: Tx, principal_id: UUID, team: str | None) -> None:
    """Replace the team that an agent belongs to."""
    await tx.run("UPDATE principal SET team = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant, principal_id, team)


async def list_principals(tx: Tx, kind: PrincipalKind, after: UUID | None, limit: int) -> list[Principal]:
    """Principals of one kind, in the order of their making."""
    return await tx.rows(
        _principal,
        """SELECT id, kind, name, status, created_at, team, roles FROM principal
           WHERE tenant_id = $1 AND kind = $2 AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4""",
        tx.tenant,
        kind,
        after,
        limit,
    )


async def lock_keys(tx: Tx, key_ids: Sequence[int]) -> list[KeyRow]:
    """Keys and their principals, shared, so that a revocation that committed counts and a later one waits.

    An agent of a frozen tenant is suspended with it.
    """
    return await tx.rows(
        KeyRow,
        """WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0)))
           SELECT k.id, k.secret_hash, k.scopes, k.revoked_at IS NOT NULL, p.id, p.kind, p.name,
                  CASE WHEN t.status = 'frozen' AND p.kind = 'agent' THEN 'suspended' ELSE p.status END, p.team, p.roles
           FROM gate CROSS JOIN api_key k JOIN principal p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id
           JOIN tenant t ON t.tenant_id = k.tenant_id
           WHERE k.tenant_id = $1 AND k.id = ANY($2::bigint[]) ORDER BY k.id FOR SHARE OF k, p, t""",
        tx.tenant,
        key_ids,
    )


async def list_keys_as_they_are(tx: Tx, key_ids: Sequence[int]) -> list[tuple[KeyRow, str]]:
    """Keys and their principals without a lock, each with a text that is another after any change of theirs."""
    return await tx.rows(
        _key_and_version,
        """SELECT concat_ws(' ', k.xmin, p.xmin, t.xmin), k.id, k.secret_hash, k.scopes, k.revoked_at IS NOT NULL,
                  p.id, p.kind, p.name,
                  CASE WHEN t.status = 'frozen' AND p.kind = 'agent' THEN 'suspended' ELSE p.status END, p.team, p.roles
           FROM unnest($2::bigint[]) w (id) CROSS JOIN LATERAL (
               SELECT *, xmin FROM api_key WHERE tenant_id = $1 AND id = w.id LIMIT 1) k
           JOIN principal p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id
           JOIN tenant t ON t.tenant_id = k.tenant_id""",
        tx.tenant,
        key_ids,
    )


def _key_and_version(version: str, *columns: Any) -> tuple[KeyRow, str]:
    return KeyRow(*columns), version


def keys_must_stand(draft: Draft, versions: Mapping[int, str]) -> None:
    """Keys must be as they were, shared as by `lock_keys`: a revocation that committed counts, a later one waits."""
    draft.must(
        """SELECT w.id FROM (
               SELECT k.id, concat_ws(' ', k.xmin, p.xmin, t.xmin) AS version
               FROM (SELECT tenant_id, pg_advisory_xact_lock_shared(hashtextextended(tenant_id::text, 0)) FROM gate
                     OFFSET 0) turn
               CROSS JOIN unnest($1::bigint[]) i (id)
               CROSS JOIN LATERAL (
                   SELECT id, tenant_id, principal_id, xmin FROM api_key
                   WHERE tenant_id = turn.tenant_id AND id = i.id FOR SHARE) k
               CROSS JOIN LATERAL (
                   SELECT xmin FROM principal WHERE tenant_id = k.tenant_id AND id = k.principal_id FOR SHARE) p
               CROSS JOIN LATERAL (SELECT xmin FROM tenant WHERE tenant_id = k.tenant_id FOR SHARE) t
           ) found JOIN unnest($1::bigint[], $2::text[]) w (id, version) USING (id, version)""",
        list(versions),
        list(versions.values()),
        rows=len(versions),
    )


async def find_key(tx: Tx, key_id: int) -> KeyRow | None:
    """One key and its principal without a lock, for reads."""
    return await tx.row(
        KeyRow,
        """SELECT k.id, k.secret_hash, k.scopes, k.revoked_at IS NOT NULL, p.id, p.kind, p.name,
                  CASE WHEN t.status = 'frozen' AND p.kind = 'agent' THEN 'suspended' ELSE p.status END, p.team, p.roles
           FROM api_key k JOIN principal p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id
           JOIN tenant t ON t.tenant_id = k.tenant_id
           WHERE k.tenant_id = $1 AND k.id = $2""",
        tx.tenant,
        key_id,
    )


async def lock_principal(tx: Tx, principal_id: UUID) -> None:
    """Lock one principal, so that its keys are counted by one at a time."""
    await tx.run("SELECT FROM principal WHERE tenant_id = $1 AND id = $2 FOR UPDATE", tx.tenant, principal_id)


def _key(id: int, principal_id: UUID, scopes: list[str], created_at: datetime, revoked_at: datetime | None) -> ApiKey:
    return ApiKey(id, principal_id, tuple(scopes), created_at, revoked_at)


async def insert_key(tx: Tx, key_id: int, principal_id: UUID, secret_hash: bytes, scopes: Sequence[str]) -> ApiKey:
    """Insert a key."""
    key = await tx.row(
        _key,
        """INSERT INTO api_key (tenant_id, id, principal_id, secret_hash, scopes) VALUES ($1, $2, $3, $4, $5::text[])
           RETURNING id, principal_id, scopes, created_at, revoked_at""",
        tx.tenant,
        key_id,
        principal_id,
        secret_hash,
        scopes,
    )
    assert key
    return key


async def list_keys(tx: Tx, principal_id: UUID) -> list[ApiKey]:
    """All keys of a principal, revoked ones included."""
    return await tx.rows(
        _key,
        """SELECT id, principal_id, scopes, created_at, revoked_at FROM api_key
           WHERE tenant_id = $1 AND principal_id = $2 ORDER BY created_at, id""",
        tx.tenant,
        principal_id,
    )


async def mark_key_revoked(tx: Tx, key_id: int | None) -> ApiKey | None:
    """Revoke a key; the first time stands. None when there is no such key."""
    return await tx.row(
        _key,
        """UPDATE api_key SET revoked_at = coalesce(revoked_at, clock_timestamp())
           WHERE tenant_id = $1 AND id = $2 RETURNING id, principal_id, scopes, created_at, revoked_at""",
        tx.tenant,
        key_id,
    )
