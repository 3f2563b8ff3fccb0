"""The statements of what is replayed: loans and decisions of every tenant that the asking role sees, batch by batch."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from bursar.features.lending.evidence import Origin, Statement
from bursar.features.lending.loan import Loan
from bursar.features.lending.remaking import Kept
from bursar.kernel.db import Tx

Place = tuple[UUID, UUID]


class KeptLoan(NamedTuple):
    """A loan as it is kept, with the terms of its product; without a plan it was never paid out."""

    tenant_id: UUID
    loan: Loan
    plan: str | None
    closed: str | None
    terms: str


class KeptFact(NamedTuple):
    """A fact of a loan, as it is kept."""

    loan_id: UUID
    type: str
    on: date
    seq: int
    body: str


class KeptDecision(NamedTuple):
    """A decision on an application."""

    tenant_id: UUID
    id: UUID
    application_id: UUID
    outcome: str
    kept: Kept


def _loan(tenant_id: UUID, *columns: Any) -> KeptLoan:
    *known, plan, closed, terms = columns
    return KeptLoan(tenant_id, Loan(*known), plan, closed, terms)


async def list_loans(tx: Tx, after: Place, limit: int) -> list[KeptLoan]:
    """Loans after one of a tenant, by tenant and id."""
    return await tx.rows(
        _loan,
        """SELECT l.tenant_id, l.id, l.application_id, l.product, l.product_version, l.currency, l.principal_minor,
                  l.installments, l.made_by, l.decider_id, l.created_at, l.approval_id, l.awaits, l.disbursed_on,
                  l.facts, l.status, l.day, l.next_due, l.bucket, l.flows, l.state, n.plan, n.closed, p.terms
           FROM loan l
           JOIN loan_product p ON p.tenant_id = l.tenant_id AND p.code = l.product AND p.version = l.product_version
           LEFT JOIN loan_plan n ON n.tenant_id = l.tenant_id AND n.loan_id = l.id
           WHERE (l.tenant_id, l.id) > ($1::uuid, $2::uuid) ORDER BY l.tenant_id, l.id LIMIT $3""",
        *after,
        limit,
    )


async def list_facts(tx: Tx, loans: Sequence[Place]) -> list[KeptFact]:
    """All facts of these loans, each by its tenant and id."""
    return await tx.rows(
        KeptFact,
        """SELECT f.loan_id, f.type, f.happened_on, f.seq, f.body
           FROM unnest($1::uuid[], $2::uuid[]) u (tenant_id, id)
           JOIN loan_fact f ON f.tenant_id = u.tenant_id AND f.loan_id = u.id""",
        [tenant_id for tenant_id, _ in loans],
        [loan_id for _, loan_id in loans],
    )


def _decision(
    tenant_id: UUID, id: UUID, application_id: UUID, outcome: str, inputs: str, inputs_hash: bytes, judgement: str,
    terms: str, version: int | None, origin: Origin | None, document: str | None, body: str | None,
    body_hash: bytes | None, card: str | None,
) -> KeptDecision:  # fmt: skip
    statement = None
    if version is not None and origin and body is not None and body_hash:
        statement = Statement(version, origin, document, body, body_hash)
    kept = Kept(inputs, inputs_hash, judgement, terms, statement, card)
    return KeptDecision(tenant_id, id, application_id, outcome, kept)


async def list_decisions(tx: Tx, after: Place, application_id: UUID | None, limit: int) -> list[KeptDecision]:
    """Decisions after one of a tenant, by tenant and id, of one application if it is named."""
    return await tx.rows(
        _decision,
        """SELECT d.tenant_id, d.id, d.application_id, d.outcome, d.inputs, d.inputs_hash, d.judgement, p.terms,
                  s.application_version, s.origin, s.document, s.body, s.body_hash, c.card
           FROM loan_decision d
           JOIN loan_application a ON a.tenant_id = d.tenant_id AND a.id = d.application_id
           JOIN loan_product p ON p.tenant_id = a.tenant_id AND p.code = a.product AND p.version = a.product_version
           LEFT JOIN loan_statement s ON s.tenant_id = d.tenant_id AND s.application_id = d.application_id
               AND s.application_version = (d.inputs::jsonb #>> '{assessment,statement,0}')::int
           LEFT JOIN loan_scorecard c ON c.tenant_id = d.tenant_id
               AND c.name || '-' || c.version = d.inputs::jsonb #>> '{assessment,card,0}'
           WHERE (d.tenant_id, d.id) > ($1::uuid, $2::uuid) AND ($3::uuid IS NULL OR d.application_id = $3)
           ORDER BY d.tenant_id, d.id LIMIT $4""",
        *after,
        application_id,
        limit,
    )
