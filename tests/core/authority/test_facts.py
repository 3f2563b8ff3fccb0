"""What the rules look at is found by its index, whatever the planner believes of tables it has not counted yet."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import LiteralString, cast
from uuid import UUID

import pytest

from bursar.core.authority.facts_store import look_up
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from tests.stories import Story

NOW = datetime.now(UTC)


class Undone(Exception):
    """Nothing of a transaction is to stay."""


class Planner:
    """A transaction that has statements explained in place of carried out."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.tenant = tx.tenant
        self.plan: list[str] = []

    async def rows(self, _: object, sql: str, *args: object) -> list[str]:
        self.plan = await self._tx.column(str, cast(LiteralString, f"EXPLAIN {sql}"), *args)
        return []


async def _plan(story: Story, rows: int) -> str:
    """How it is looked up among so many decisions of one agent, which nobody has counted."""
    plan: list[str] = []
    with suppress(Undone):
        async with story.database.transaction(story.tenant_id) as tx:
            await tx.run(
                """INSERT INTO decision (tenant_id, id, agent_id, action, outcome, codes, inputs, inputs_hash, results,
                                         uses, decided_at, fingerprint)
                   SELECT $1, gen_random_uuid(), $2, 'create_transfer', 'allow', '', repeat('x', 400), $3, '', '',
                          clock_timestamp(), gen_random_uuid()
                   FROM generate_series(1, $4)""",
                tx.tenant, new_id(), bytes(32), rows,
            )  # fmt: skip
            planner = Planner(tx)
            limits: list[tuple[UUID, str, UUID, datetime]] = [(new_id(), "velocity", new_id(), NOW) for _ in range(90)]
            await look_up(cast(Tx, planner), limits, [new_id() for _ in range(30)], [(new_id(), NOW)] * 30)
            plan = planner.plan
            raise Undone
    return "\n".join(plan)


def _indexes(plan: str) -> list[str]:
    return [line.split(" using ")[1].split(" ")[0] for line in plan.splitlines() if " using " in line]


EXPECTED = ["limit_usage_pkey", "counterparty_tenant_id_account_id_key", "decision_by_fingerprint"]


@pytest.mark.parametrize("rows", [0, 100, 3_000])
async def test_one_look_up_goes_by_three_indexes(story: Story, rows: int) -> None:
    assert _indexes(await _plan(story, rows)) == EXPECTED
