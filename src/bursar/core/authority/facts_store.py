"""The statements that find what the rules look at: mandates, what is used of them, payees, earlier payments."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from bursar.core.authority.facts import Earlier, Limit, Used
from bursar.core.authority.mandate import Mandate
from bursar.kernel.db import Tx


class Counterparty(NamedTuple):
    """Somebody the tenant pays, known by the account on our side."""

    id: UUID
    account_id: UUID
    name: str
    status: str
    version: int
    created_at: datetime


class Known(NamedTuple):
    """What the rules look at: what is used of limits, who payees are, and the latest payments of a fingerprint.

    Where it is not `exact`, less may be used than it says: what is let go may go, what is not has to be asked again.
    """

    used: dict[Limit, Used]
    counterparties: dict[UUID, Counterparty]
    latest: dict[UUID, Earlier]
    exact: bool = True


# Each part has one way to go, by its own index: a tenant may have as many mandates as it has agents.
_CHAINS: Final = """
    WITH RECURSIVE chain AS (
        SELECT m.id, m.parent_id FROM unnest($2::uuid[]) a (id) CROSS JOIN LATERAL (
            SELECT id, parent_id FROM mandate
            WHERE tenant_id = $1 AND agent_id = a.id AND status <> 'draft' OFFSET 0) m
        UNION
        SELECT m.id, m.parent_id FROM unnest($3::text[]) t (name) CROSS JOIN LATERAL (
            SELECT id, parent_id FROM mandate
            WHERE tenant_id = $1 AND agent_id IS NULL AND team = t.name AND status <> 'draft' OFFSET 0) m
        UNION
        SELECT id, parent_id FROM mandate
        WHERE tenant_id = $1 AND agent_id IS NULL AND team IS NULL AND status <> 'draft'
        UNION
        SELECT m.id, m.parent_id FROM chain c CROSS JOIN LATERAL (
            SELECT id, parent_id FROM mandate WHERE tenant_id = $1 AND id = c.parent_id OFFSET 0) m),
    wanted AS MATERIALIZED (SELECT DISTINCT id FROM chain ORDER BY id)
    SELECT m.* FROM wanted w CROSS JOIN LATERAL (
        SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
               changed_at
        FROM mandate WHERE tenant_id = $1 AND id = w.id"""


async def lock_mandates_for(tx: Tx, agents: Iterable[tuple[UUID, str | None]]) -> list[Mandate]:
    """All mandates for these agents (id and team) or for all agents, with those above them; locked in id order."""
    ids, teams = zip(*agents, strict=True)
    return await tx.rows(Mandate, _CHAINS + " FOR NO KEY UPDATE) m", tx.tenant, ids, [team for team in teams if team])


async def list_mandates_for(tx: Tx, agents: Iterable[tuple[UUID, str | None]]) -> list[Mandate]:
    """The same without a lock."""
    ids, teams = zip(*agents, strict=True)
    return await tx.rows(Mandate, _CHAINS + " OFFSET 0) m", tx.tenant, ids, [team for team in teams if team])


async def look_up(
    tx: Tx,
    limits: Sequence[tuple[UUID, str, UUID, datetime]] = (),
    account_ids: Sequence[UUID] = (),
    payments: Sequence[tuple[UUID, datetime]] = (),
) -> Known:
    """All in one round trip, under the locks the caller holds.

    What is used of each (mandate, window, payee) since a moment, the counterparties behind accounts, and for each
    (fingerprint, since) the latest payment that was let go or waits. What is not there is left out.

    Of the latest payments only one index has the order that is asked for, so that the planner takes no other while the
    table is small; whether they are late enough is asked of what was found.
    """
    known = Known({}, {}, {})
    if not (limits or account_ids or payments):
        return known
    rows = await tx.rows(
        _row,
        """SELECT 'used', w.i, sum(u.amount_minor)::bigint, sum(u.uses)::bigint, NULL::uuid, NULL::timestamptz,
                  NULL::text, NULL::text
           FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[]) WITH ORDINALITY
                w (mandate_id, window_key, payee_id, since, i)
           CROSS JOIN LATERAL (
               SELECT amount_minor, uses FROM limit_usage
               WHERE tenant_id = $1 AND mandate_id = w.mandate_id AND window_key = w.window_key
                 AND payee_id = w.payee_id AND bucket >= w.since OFFSET 0) u
           GROUP BY w.i
           UNION ALL
           SELECT 'counterparty', w.i, c.version, NULL, c.id, c.created_at, c.name, c.status
           FROM unnest($6::uuid[]) WITH ORDINALITY w (account_id, i)
           CROSS JOIN LATERAL (
               SELECT id, name, status, version, created_at FROM counterparty
               WHERE tenant_id = $1 AND account_id = w.account_id LIMIT 1) c
           UNION ALL
           SELECT 'latest', w.i, NULL, NULL, d.id, d.decided_at, NULL, NULL
           FROM unnest($7::uuid[], $8::timestamptz[]) WITH ORDINALITY w (fingerprint, since, i)
           CROSS JOIN LATERAL (
               SELECT id, decided_at FROM decision
               WHERE tenant_id = $1 AND fingerprint = w.fingerprint ORDER BY decided_at DESC LIMIT 1) d
           WHERE d.decided_at >= w.since""",
        tx.tenant,
        *_columns(limits, 4),
        account_ids,
        *_columns(payments, 2),
    )
    for kind, number, columns in rows:
        if kind == "used":
            known.used[limits[number - 1][:3]] = Used(*columns[:2])
        elif kind == "latest":
            known.latest[payments[number - 1][0]] = Earlier(*columns[2:4])
        else:
            account_id, (version, _, id, at, name, status) = account_ids[number - 1], columns
            known.counterparties[account_id] = Counterparty(id, account_id, name, status, version, at)
    return known


def _row(kind: str, number: int, *columns: Any) -> tuple[str, int, tuple[Any, ...]]:
    return kind, number, columns


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows turned into the arrays that unnest takes."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
