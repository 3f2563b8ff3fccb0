"""The statements that write decisions, approvals and the use of windows, and find what a hold has set aside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.facts import Meter, Used
from bursar.kernel.db import Tx, once


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
    # What the guard against duplicates finds it by; None for those it does not look at.
    fingerprint: UUID | None
    # What risk rules on trial said beside those in force.
    shadow: str | None = None


class Reserved(NamedTuple):
    """What a decision set aside in which windows, as its hold knows it."""

    hold_id: UUID
    currency: str
    amount_minor: int
    uses: str


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
    """Take back from what is used, in the order of the keys: whoever does so need not hold the mandates' locks.

    Each row is found and locked by its key, and what is left is written by it; an UPDATE would join the rows, and while
    nobody has counted the table, the planner reads all of the tenant's for that.
    """
    rows = [(*meter, *changes[meter]) for meter in sorted(changes)]
    tx.later(
        """INSERT INTO limit_usage (tenant_id, mandate_id, window_key, payee_id, bucket, amount_minor, uses, given_back)
           SELECT $1, c.mandate_id, c.window_key, c.payee_id, c.bucket, u.amount_minor - c.amount_minor,
                  u.uses - c.uses, u.given_back + 1
           FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::bigint[], $7::bigint[])
                c (mandate_id, window_key, payee_id, bucket, amount_minor, uses)
           CROSS JOIN LATERAL (
               SELECT amount_minor, uses, given_back FROM limit_usage
               WHERE tenant_id = $1 AND mandate_id = c.mandate_id AND window_key = c.window_key
                 AND payee_id = c.payee_id AND bucket = c.bucket LIMIT 1 FOR NO KEY UPDATE) u
           ON CONFLICT (tenant_id, mandate_id, window_key, payee_id, bucket) DO UPDATE
           SET amount_minor = excluded.amount_minor, uses = excluded.uses, given_back = excluded.given_back""",
        tx.tenant,
        *(list(column) for column in zip(*rows, strict=True)),
    )


def insert_decisions(tx: Tx, decisions: Sequence[Decision]) -> None:
    """Keep decisions with what they rest on; of a batch most say much the same."""
    (
        ids, agents, actions, outcomes, codes, mandate_ids, versions, sources, targets, currencies, amounts, holds,
        inputs, hashes, results, uses, decided, fingerprints, shadows,
    ) = zip(*decisions, strict=True)  # fmt: skip
    tx.later(
        """INSERT INTO decision (tenant_id, id, source_id, target_id, amount_minor, inputs, inputs_hash, fingerprint,
                                 agent_id, action, outcome, codes, mandate_id, mandate_version, currency, hold_id,
                                 results, uses, decided_at, shadow)
           SELECT $1, w.id, w.source_id, w.target_id, w.amount_minor, w.inputs, w.inputs_hash, w.fingerprint,
                  coalesce(w.agent_id, $10), coalesce(w.action, $12), coalesce(w.outcome, $14), coalesce(w.codes, $16),
                  coalesce(w.mandate_id, $18), coalesce(w.mandate_version, $20), coalesce(w.currency, $22),
                  coalesce(w.hold_id, $24), coalesce(w.results, $26), coalesce(w.uses, $28),
                  coalesce(w.decided_at, $30), coalesce(w.shadow, $32)
           FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::bytea[], $8::uuid[],
                       $9::uuid[], $11::text[], $13::text[], $15::text[], $17::uuid[], $19::int[], $21::text[],
                       $23::uuid[], $25::text[], $27::text[], $29::timestamptz[], $31::text[])
                w (id, source_id, target_id, amount_minor, inputs, inputs_hash, fingerprint, agent_id, action, outcome,
                   codes, mandate_id, mandate_version, currency, hold_id, results, uses, decided_at, shadow)""",
        tx.tenant,
        ids,
        sources,
        targets,
        amounts,
        inputs,
        hashes,
        fingerprints,
        *once(agents),
        *once(actions),
        *once(outcomes),
        *once(codes),
        *once(mandate_ids),
        *once(versions),
        *once(currencies),
        *once(holds),
        *once(results),
        *once(uses),
        *once(decided),
        *once(shadows),
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


async def find_uses(tx: Tx, decision_id: UUID) -> str | None:
    """The windows that a decision which was let through used, as they are kept; None where there is no decision."""
    found = await tx.column(
        str,
        "SELECT uses FROM decision WHERE tenant_id = $1 AND id = $2 AND outcome <> 'deny'",
        tx.tenant,
        decision_id,
    )
    return found[0] if found else None
