"""Past decisions written straight into the tables, as many and as old as a test wants them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from bursar.features.risk.model import Decided, Payment
from bursar.kernel.ids import new_id


class Row(NamedTuple):
    """What tells of a decision whether money moved by it, and whether it counts as asked."""

    action: str
    outcome: str
    results: str


SAID = '[["01","status","allow",""]]'
# Whether money moved, whether it was asked: for each way a decision can be.
WAYS: dict[Row, tuple[bool, bool]] = {
    Row("create_transfer", "allow", SAID): (True, True),
    Row("create_transfer", "deny", SAID): (False, True),
    Row("create_transfer", "deny", "[]"): (False, True),
    Row("create_transfer", "needs_approval", SAID): (False, True),
    Row("create_transfer", "allow", "[]"): (True, False),
    Row("create_hold", "allow", SAID): (False, True),
    Row("create_hold", "allow", "[]"): (False, False),
    Row("capture_hold", "allow", SAID): (True, False),
    Row("capture_hold", "allow", "[]"): (True, False),
    Row("capture_hold", "deny", SAID): (False, True),
}
PAID = Row("create_transfer", "allow", SAID)


class Past(NamedTuple):
    """One decision of an agent."""

    agent_id: UUID
    payment: Payment
    row: Row = PAID

    @property
    def decided(self) -> Decided:
        return Decided(self.payment, *WAYS[self.row])


def write(connection: psycopg.Connection, tenant_id: UUID, past: Sequence[Past]) -> None:
    """Insert decisions in their order, without the events they are about."""
    connection.execute("SET session_replication_role = replica; SET search_path = bursar")
    with connection.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO decision (tenant_id, id, agent_id, action, outcome, codes, source_id, target_id, currency,
                                     amount_minor, inputs, inputs_hash, results, uses, decided_at)
               VALUES (%s, %s, %s, %s, %s, '', %s, %s, %s, %s, '{}', sha256('{}'), %s, '[]', %s)""",
            [
                (
                    tenant_id, new_id(), p.agent_id, p.row.action, p.row.outcome, p.payment.source_id,
                    p.payment.target_id, p.payment.currency, p.payment.amount_minor, p.row.results, p.payment.at,
                )
                for p in past
            ],
        )  # fmt: skip
    connection.commit()


def write_postings(connection: psycopg.Connection, tenant_id: UUID, sources: Sequence[tuple[UUID, datetime]]) -> None:
    """Insert postings out of accounts, without their entries."""
    connection.execute("SET session_replication_role = replica; SET search_path = bursar")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO posting VALUES (%s, %s, 0, %s, %s, 'USD', 1, %s, 0, %s, 0, %s)",
            [(tenant_id, new_id(), source, new_id(), n, n, at) for n, (source, at) in enumerate(sources, 1)],
        )
    connection.commit()


def put_in_force(connection: psycopg.Connection, tenant_id: UUID, rules: str, version: int, status: str) -> None:
    """Write a version of the rules as if operators had brought it there."""
    connection.execute("SET session_replication_role = replica; SET search_path = bursar")
    connection.execute(
        "INSERT INTO risk_rules VALUES (%s, %s, %s, sha256(%s), %s, now())",
        [tenant_id, version, rules, rules.encode(), new_id()],
    )
    connection.execute("INSERT INTO risk_stage VALUES (%s, %s, %s, %s, now())", [tenant_id, version, status, new_id()])
    connection.commit()
