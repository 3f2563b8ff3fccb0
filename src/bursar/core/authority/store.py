"""The statements of mandates, the use of their windows, counterparties and decisions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.evaluate import Earlier, Meter, Used
from bursar.core.authority.mandate import Mandate
from bursar.kernel.db import Tx


class Decision(NamedTuple):
    """One row of `decision`: what was known, which rules said what. `id` is the event's."""

    id: UUID
    agent_id: UUID
    action: str
    outcome: str
    codes: str
    mandate_id: UUID | None
    mandate_version: int | None
    source_id: UUID | None
    target_id: UUID | None
    currency: str | None
    amount_minor: int | None
    hold_id: UUID | None
    inputs: str
    inputs_hash: bytes
    results: str
    uses: str
    decided_at: datetime


class Counterparty(NamedTuple):
    """Somebody the tenant pays, known by the account on our side."""

    id: UUID
    account_id: UUID
    name: str
    status: str
    version: int
    created_at: datetime


class Reserved(NamedTuple):
    """What a decision set aside in which windows, as its hold knows it."""

    hold_id: UUID
    currency: str
    amount_minor: int
    uses: str


async def lock_mandates_for(tx: Tx, agents: Iterable[tuple[UUID, str | None]]) -> list[Mandate]:
    """All mandates for these agents (id and team) or for all agents, with those above them; locked in id order."""
    wanted = list(agents)
    return await tx.rows(
        Mandate,
        """WITH RECURSIVE chain AS (
               SELECT id, parent_id FROM mandate
               WHERE tenant_id = $1 AND status <> 'draft'
                 AND (agent_id = ANY($2::uuid[]) OR team = ANY($3::text[]) OR (agent_id IS NULL AND team IS NULL))
               UNION
               SELECT m.id, m.parent_id FROM mandate m JOIN chain c ON m.id = c.parent_id WHERE m.tenant_id = $1)
           SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate WHERE tenant_id = $1 AND id IN (SELECT id FROM chain) ORDER BY id FOR NO KEY UPDATE""",
        tx.tenant,
        [agent_id for agent_id, _ in wanted],
        [team for _, team in wanted if team],
    )


async def list_mandates_for(tx: Tx, agent_id: UUID, team: str | None) -> list[Mandate]:
    """All mandates for an agent, with those above them, without a lock."""
    return await tx.rows(
        Mandate,
        """WITH RECURSIVE chain AS (
               SELECT id, parent_id FROM mandate
               WHERE tenant_id = $1 AND status <> 'draft'
                 AND (agent_id = $2 OR team = $3 OR (agent_id IS NULL AND team IS NULL))
               UNION
               SELECT m.id, m.parent_id FROM mandate m JOIN chain c ON m.id = c.parent_id WHERE m.tenant_id = $1)
           SELECT id, version, name, agent_id, team, parent_id, status, not_before, expires_at, terms, granted_by,
                  changed_at
           FROM mandate WHERE tenant_id = $1 AND id IN (SELECT id FROM chain) ORDER BY id""",
        tx.tenant,
        agent_id,
        team,
    )


async def sum_usage(
    tx: Tx, wanted: Sequence[tuple[UUID, str, UUID, datetime]]
) -> Mapping[tuple[UUID, str, UUID], Used]:
    """What is used of each (mandate, window, payee) since a moment; what is not there is not used."""
    if not wanted:
        return {}
    rows = await tx.rows(
        _used,
        """SELECT w.mandate_id, w.window_key, w.payee_id, sum(u.amount_minor)::bigint, sum(u.uses)::bigint
           FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[])
                w (mandate_id, window_key, payee_id, since)
           CROSS JOIN LATERAL (
               SELECT amount_minor, uses FROM limit_usage
               WHERE tenant_id = $1 AND mandate_id = w.mandate_id AND window_key = w.window_key
                 AND payee_id = w.payee_id AND bucket >= w.since OFFSET 0) u
           GROUP BY 1, 2, 3""",
        tx.tenant,
        *(list(column) for column in zip(*wanted, strict=True)),
    )
    return dict(rows)


def _used(
    mandate_id: UUID, window_key: str, payee_id: UUID, amount_minor: int, uses: int
) -> tuple[tuple[UUID, str, UUID], Used]:
    return (mandate_id, window_key, payee_id), Used(amount_minor, uses)


def add_usage(tx: Tx, changes: Mapping[Meter, Used]) -> None:
    """Add to what is used, in the order of the keys."""
    rows = [(*meter, *changes[meter]) for meter in sorted(changes)]
    tx.later(
        """INSERT INTO limit_usage AS u (tenant_id, mandate_id, window_key, payee_id, bucket, amount_minor, uses)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::bigint[])
           ON CONFLICT (tenant_id, mandate_id, window_key, payee_id, bucket) DO UPDATE
           SET amount_minor = u.amount_minor + excluded.amount_minor, uses = u.uses + excluded.uses""",
        tx.tenant,
        *(list(column) for column in zip(*rows, strict=True)),
    )


def subtract_usage(tx: Tx, changes: Mapping[Meter, Used]) -> None:
    """Take back from what is used, in the order of the keys: whoever does so need not hold the mandates' locks."""
    rows = [(*meter, *changes[meter]) for meter in sorted(changes)]
    tx.later(
        """UPDATE limit_usage u SET amount_minor = u.amount_minor - c.amount_minor, uses = u.uses - c.uses
           FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::bigint[])
                c (mandate_id, window_key, payee_id, bucket, amount_minor, uses)
           WHERE u.tenant_id = $1 AND u.mandate_id = c.mandate_id AND u.window_key = c.window_key
             AND u.payee_id = c.payee_id AND u.bucket = c.bucket""",
        tx.tenant,
        *(list(column) for column in zip(*rows, strict=True)),
    )


async def list_counterparties_of(tx: Tx, account_ids: Sequence[UUID]) -> list[Counterparty]:
    """The counterparties behind these accounts."""
    return await tx.rows(
        Counterparty,
        """SELECT c.* FROM unnest($2::uuid[]) w (id) CROSS JOIN LATERAL (
               SELECT id, account_id, name, status, version, created_at FROM counterparty
               WHERE tenant_id = $1 AND account_id = w.id LIMIT 1) c""",
        tx.tenant,
        account_ids,
    )


async def list_latest_payments(
    tx: Tx, wanted: Sequence[tuple[UUID, UUID, str, int, datetime]]
) -> dict[tuple[UUID, UUID, str, int], Earlier]:
    """For each (agent, payee, currency, amount, since) the latest payment that was let go or waits, if any."""
    return dict(
        await tx.rows(
            _latest,
            """SELECT w.agent_id, w.target_id, w.currency, w.amount_minor, d.id, d.decided_at
               FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::timestamptz[])
                    w (agent_id, target_id, currency, amount_minor, since)
               CROSS JOIN LATERAL (
                   SELECT id, decided_at FROM decision
                   WHERE tenant_id = $1 AND agent_id = w.agent_id AND target_id = w.target_id
                     AND amount_minor = w.amount_minor AND currency = w.currency AND decided_at >= w.since
                     AND outcome <> 'deny' AND action <> 'capture_hold'
                   ORDER BY decided_at DESC LIMIT 1) d""",
            tx.tenant,
            *(list(column) for column in zip(*wanted, strict=True)),
        )
    )


def _latest(
    agent_id: UUID, target_id: UUID, currency: str, amount_minor: int, decision_id: UUID, decided_at: datetime
) -> tuple[tuple[UUID, UUID, str, int], Earlier]:
    return (agent_id, target_id, currency, amount_minor), Earlier(decision_id, decided_at)


def insert_decisions(tx: Tx, decisions: Sequence[Decision]) -> None:
    """Keep decisions with what they rest on."""
    tx.later(
        """INSERT INTO decision (tenant_id, id, agent_id, action, outcome, codes, mandate_id, mandate_version,
                                 source_id, target_id, currency, amount_minor, hold_id, inputs, inputs_hash, results,
                                 uses, decided_at)
           SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::int[],
                                    $9::uuid[], $10::uuid[], $11::text[], $12::bigint[], $13::uuid[], $14::text[],
                                    $15::bytea[], $16::text[], $17::text[], $18::timestamptz[])""",
        tx.tenant,
        *(list(column) for column in zip(*decisions, strict=True)),
    )


class NewApproval(NamedTuple):
    """One row of `approval` as it is asked for. `needs` is canonical JSON."""

    id: UUID
    decision_id: UUID
    maker_id: UUID
    payload: str
    payload_hash: bytes
    needs: str
    hold_id: UUID | None
    created_at: datetime
    expires_at: datetime


def insert_approvals(tx: Tx, approvals: Sequence[NewApproval]) -> None:
    """Ask people for these; the decisions go in the same transaction."""
    tx.later(
        """INSERT INTO approval (tenant_id, id, decision_id, maker_id, payload, payload_hash, needs, hold_id,
                                 created_at, expires_at)
           SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[], $7::text[],
                                    $8::uuid[], $9::timestamptz[], $10::timestamptz[])""",
        tx.tenant,
        *(list(column) for column in zip(*approvals, strict=True)),
    )


async def list_reserved(tx: Tx, hold_ids: Sequence[UUID]) -> list[Reserved]:
    """What the decisions behind these holds set aside; a capture's own decision set nothing aside."""
    return await tx.rows(
        Reserved,
        """SELECT hold_id, currency, amount_minor, uses FROM decision
           WHERE tenant_id = $1 AND hold_id = ANY($2::uuid[]) AND outcome <> 'deny'
             AND action <> 'capture_hold'""",
        tx.tenant,
        hold_ids,
    )
