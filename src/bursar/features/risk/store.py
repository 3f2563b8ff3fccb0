"""The statements of risk: versions of rules and where they stand, and what was known of a batch's payments."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from bursar.features.risk.model import HABIT_DAYS, MOST_COUNTED, MOST_HABITS, MOST_LOOKED_AT
from bursar.kernel.db import Tx

Status = Literal["draft", "shadow", "active", "retired"]


class Standing(NamedTuple):
    """A version of the rules and where it stands; `rules` is canonical JSON."""

    version: int
    rules: str
    rules_hash: bytes
    status: Status
    # All None of the version that comes with Bursar, as long as it stands nowhere.
    drafted_at: datetime | None
    changed_at: datetime | None
    changed_by: UUID | None


class Found(NamedTuple):
    """One thing that was found; what `numbers` and `at` are depends on its kind, `place` on what was asked for it."""

    kind: Literal["hour", "busiest", "amounts", "asked", "payee", "source", "near"]
    place: int
    currency: str
    numbers: Sequence[int]
    at: datetime | None


class Wanted(NamedTuple):
    """What is to be looked up for a batch: each is one place, counted from 1."""

    agents: Sequence[UUID]
    # Agent and payee.
    payees: Sequence[tuple[UUID, UUID]]
    sources: Sequence[UUID]
    # Agent, currency, and the least and the most amount that lies just under the threshold.
    bands: Sequence[tuple[UUID, str, int, int]]


async def list_in_force(tx: Tx) -> list[tuple[Status, str]]:
    """The rules that are active and those in the shadow, as they stand for whoever holds the tenant's gate.

    Each has an index of its own, and no version that is retired is read.
    """
    return await tx.pairs(
        """SELECT s.status, r.rules FROM (
               SELECT status, version FROM risk_stage WHERE tenant_id = $1 AND status = 'active'
               UNION ALL
               SELECT status, version FROM risk_stage WHERE tenant_id = $1 AND status = 'shadow') s
           CROSS JOIN LATERAL (SELECT rules FROM risk_rules WHERE tenant_id = $1 AND version = s.version LIMIT 1) r""",
        tx.tenant,
    )


async def look_up(tx: Tx, now: datetime, wanted: Wanted) -> list[Found]:
    """What is known before `now`, in one round trip; `history.look_back` says the same in memory.

    Each part reads a bounded number of rows by an index, whatever an agent has done. A decision that allowed without
    the result of any rule carried out what people approved: it was counted when it was asked.
    """
    agents, payees, bands = wanted.agents, wanted.payees, wanted.bands
    return await tx.rows(
        Found,
        """WITH habit AS MATERIALIZED (
               SELECT a.place, d.decided_at, d.currency, d.amount_minor
               FROM unnest($3::uuid[]) WITH ORDINALITY a (agent_id, place) CROSS JOIN LATERAL (
                   SELECT decided_at, currency, amount_minor FROM decision
                   WHERE tenant_id = $1 AND agent_id = a.agent_id AND decided_at > $10
                     AND outcome = 'allow' AND action <> 'create_hold'
                   ORDER BY decided_at DESC, id DESC LIMIT $11) d)
           SELECT 'hour', place::int, '', ARRAY[extract(hour FROM decided_at AT TIME ZONE 'UTC')::bigint, count(*)],
                  min(decided_at)
           FROM habit GROUP BY place, extract(hour FROM decided_at AT TIME ZONE 'UTC')
           UNION ALL
           SELECT 'busiest', place::int, '', ARRAY[max(n)], NULL
           FROM (SELECT place, count(*) AS n FROM habit
                 GROUP BY place, date_bin('1 hour', decided_at, '2000-01-01 00:00:00+00')) h
           GROUP BY place
           UNION ALL
           SELECT 'amounts', place::int, currency::text,
                  ARRAY[count(*), percentile_disc(0.95) WITHIN GROUP (ORDER BY amount_minor)], NULL
           FROM habit GROUP BY place, currency
           UNION ALL
           SELECT 'asked', a.place::int, '', ARRAY[d.n], NULL
           FROM unnest($3::uuid[]) WITH ORDINALITY a (agent_id, place) CROSS JOIN LATERAL (
               SELECT least(count(*), $12) AS n
               FROM (SELECT outcome, action, results FROM decision
                     WHERE tenant_id = $1 AND agent_id = a.agent_id AND decided_at > $2::timestamptz - interval '1 hour'
                     ORDER BY decided_at DESC LIMIT $13) e
               WHERE e.outcome <> 'allow' OR (e.action <> 'capture_hold' AND e.results <> '[]')) d
           UNION ALL
           SELECT 'payee', p.place::int, '', ARRAY[]::bigint[], d.decided_at
           FROM unnest($4::uuid[], $5::uuid[]) WITH ORDINALITY p (agent_id, target_id, place) CROSS JOIN LATERAL (
               SELECT decided_at FROM decision
               WHERE tenant_id = $1 AND agent_id = p.agent_id AND target_id = p.target_id
                 AND outcome = 'allow' AND action <> 'create_hold'
               ORDER BY decided_at LIMIT 1) d
           UNION ALL
           SELECT 'source', s.place::int, '', ARRAY[]::bigint[], p.effective_at
           FROM unnest($6::uuid[]) WITH ORDINALITY s (source_id, place) CROSS JOIN LATERAL (
               SELECT effective_at FROM posting
               WHERE tenant_id = $1 AND source_id = s.source_id ORDER BY effective_at DESC LIMIT 1) p
           UNION ALL
           SELECT 'near', b.place::int, '', ARRAY[d.n], NULL
           FROM unnest($7::uuid[], $8::char(3)[], $9::bigint[], $14::bigint[]) WITH ORDINALITY
                b (agent_id, currency, least, most, place)
           CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM (
                   SELECT FROM generate_series(
                       date_bin('1 hour', $2::timestamptz - interval '1 day', '2000-01-01 00:00:00+00'), $2,
                       interval '1 hour') hour
                   CROSS JOIN LATERAL (
                       SELECT FROM decision
                       WHERE tenant_id = $1 AND agent_id = b.agent_id AND currency = b.currency AND decided_hour = hour
                         AND amount_minor BETWEEN b.least AND b.most
                         AND decided_at > $2::timestamptz - interval '1 day'
                         AND (outcome <> 'allow' OR (action <> 'capture_hold' AND results <> '[]'))
                       LIMIT $12) e
                   LIMIT $12) f) d""",
        tx.tenant,
        now,
        agents,
        [agent_id for agent_id, _ in payees],
        [target_id for _, target_id in payees],
        wanted.sources,
        [agent_id for agent_id, _, _, _ in bands],
        [currency for _, currency, _, _ in bands],
        [least for _, _, least, _ in bands],
        now - timedelta(days=HABIT_DAYS),
        MOST_HABITS,
        MOST_COUNTED,
        MOST_LOOKED_AT,
        [most for _, _, _, most in bands],
    )


class Moved(NamedTuple):
    """How many decisions carry the same words about rules on trial; see the column `decision.shadow`."""

    shadow: str
    payments: int


class Assessed(NamedTuple):
    """A decision as far as its assessment is concerned; `inputs` is canonical JSON."""

    inputs: str
    source_id: UUID | None
    target_id: UUID | None


async def lock_gate(tx: Tx) -> None:
    """Wait for every decision that is under way, and have later ones wait: they see what is written now."""
    await tx.run("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))", tx.tenant)
    await tx.run("SELECT FROM tenant WHERE tenant_id = $1 FOR NO KEY UPDATE", tx.tenant)


async def list_versions(tx: Tx, after: int, limit: int) -> list[Standing]:
    """Versions above `after`, the lowest first."""
    return await tx.rows(
        Standing,
        """SELECT r.version, r.rules, r.rules_hash, s.status, r.drafted_at, s.changed_at, s.changed_by
           FROM risk_rules r JOIN risk_stage s ON s.tenant_id = r.tenant_id AND s.version = r.version
           WHERE r.tenant_id = $1 AND r.version > $2 ORDER BY r.version LIMIT $3""",
        tx.tenant,
        after,
        limit,
    )


async def find_version(tx: Tx, version: int) -> Standing | None:
    """One version as it stands."""
    return await tx.row(
        Standing,
        """SELECT r.version, r.rules, r.rules_hash, s.status, r.drafted_at, s.changed_at, s.changed_by
           FROM risk_rules r JOIN risk_stage s ON s.tenant_id = r.tenant_id AND s.version = r.version
           WHERE r.tenant_id = $1 AND r.version = $2""",
        tx.tenant,
        version,
    )


async def insert_draft(tx: Tx, version: int, rules: str, rules_hash: bytes, drafted_by: UUID) -> bool:
    """Keep a new version as a draft; False if there is one of this number."""
    written = await tx.column(
        int,
        """INSERT INTO risk_rules (tenant_id, version, rules, rules_hash, drafted_by, drafted_at)
           VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING version""",
        tx.tenant,
        version,
        rules,
        rules_hash,
        drafted_by,
    )
    if written:
        await tx.run(
            """INSERT INTO risk_stage (tenant_id, version, status, changed_by, changed_at)
               VALUES ($1, $2, 'draft', $3, clock_timestamp())""",
            tx.tenant,
            version,
            drafted_by,
        )
    return bool(written)


async def retire(tx: Tx, status: Status, changed_by: UUID) -> list[int]:
    """Retire the version that has this status, if there is one; its number."""
    return await tx.column(
        int,
        """UPDATE risk_stage SET status = 'retired', changed_by = $3, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND status = $2 RETURNING version""",
        tx.tenant,
        status,
        changed_by,
    )


async def mark(tx: Tx, version: int, status: Status, changed_by: UUID) -> None:
    """Have a version stand elsewhere."""
    await tx.run(
        """UPDATE risk_stage SET status = $3, changed_by = $4, changed_at = clock_timestamp()
           WHERE tenant_id = $1 AND version = $2""",
        tx.tenant,
        version,
        status,
        changed_by,
    )


async def count_moves(tx: Tx, start: datetime, end: datetime) -> list[Moved]:
    """What rules on trial said beside those in force, from a moment until before another."""
    return await tx.rows(
        Moved,
        """SELECT shadow, count(*) FROM decision
           WHERE tenant_id = $1 AND shadow IS NOT NULL AND decided_at >= $2 AND decided_at < $3
           GROUP BY shadow ORDER BY shadow""",
        tx.tenant,
        start,
        end,
    )


async def list_examples(
    tx: Tx, start: datetime, end: datetime, shadows: Sequence[str], limit: int
) -> list[tuple[str, UUID]]:
    """The first decisions that carry each of these words."""
    return await tx.pairs(
        """SELECT w.shadow, d.id FROM unnest($4::text[]) w (shadow) CROSS JOIN LATERAL (
               SELECT id, decided_at FROM decision
               WHERE tenant_id = $1 AND shadow IS NOT NULL AND shadow = w.shadow
                 AND decided_at >= $2 AND decided_at < $3
               ORDER BY decided_at, id LIMIT $5) d
           ORDER BY d.decided_at, d.id""",
        tx.tenant,
        start,
        end,
        shadows,
        limit,
    )


async def find_assessed(tx: Tx, decision_id: UUID) -> Assessed | None:
    """One decision, if it is there."""
    return await tx.row(
        Assessed,
        "SELECT inputs, source_id, target_id FROM decision WHERE tenant_id = $1 AND id = $2",
        tx.tenant,
        decision_id,
    )


async def find_asked(tx: Tx, approval_id: UUID | None) -> UUID | None:
    """The decision by which an approval was asked for."""
    found = await tx.column(
        UUID, "SELECT decision_id FROM approval WHERE tenant_id = $1 AND id = $2", tx.tenant, approval_id
    )
    return found[0] if found else None
