"""Old answers are forgotten, and nothing else: their keys hold, and no retry is ever a second payment."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, LiteralString

import httpx2
import psycopg
import pytest
from pydantic import ValidationError

from bursar import worker
from bursar.core.idempotency import keeping, keeping_store
from bursar.kernel.db import Database, MayNot
from bursar.kernel.ids import new_id
from bursar.kernel.settings import Settings
from tests.api.tenants import Tenant, bearing

DAYS = 30


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=4)
    yield opened
    await opened.close()


class Payer:
    """An agent who pays 1.00 under a key."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant, database_url: str) -> None:
        self._client = client
        self._tenant = tenant
        self._url = database_url

    async def pay(self, key: str, amount: str = "1") -> httpx2.Response:
        body = {"source": self._tenant.main, "target": self._tenant.side, "amount": amount, "currency": "USD"}
        return await self._client.post("/v1/transfers", json=body, headers=bearing(self._tenant.agent, key))

    async def read(self, transfer_id: str) -> httpx2.Response:
        return await self._client.get(f"/v1/transfers/{transfer_id}", headers=bearing(self._tenant.agent))

    def grow_old(self, days: int, *keys: str) -> None:
        """Have the answers to these keys been given so many days ago."""
        self.ask("UPDATE answer SET created_at = now() - make_interval(days => %s) WHERE key = ANY(%s)", days, [*keys])

    def moved(self) -> int:
        """Minor units that were paid."""
        return self.ask("SELECT posted_minor FROM account WHERE number = %s", self._tenant.side)[0][0]

    def ask(self, sql: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, options="-c search_path=bursar") as connection:
            found = connection.execute(sql, values)
            rows = found.fetchall() if found.description else []
            # What this has read is told at once, not after the count began anew.
            connection.execute("SELECT pg_stat_force_next_flush()")
            return rows


@pytest.fixture
def payer(client: httpx2.AsyncClient, tenant: Tenant, database_url: str) -> Payer:
    return Payer(client, tenant, database_url)


async def test_a_forgotten_answer_is_refused_by_name_and_nothing_is_paid_again(payer: Payer, workers: Database) -> None:
    first = {key: await payer.pay(key) for key in ("old", "young")}
    refused = await payer.pay("refused", "99999999")
    assert (refused.status_code, payer.moved()) == (409, 200)
    payer.grow_old(DAYS + 1, "old", "refused")
    payer.grow_old(DAYS - 1, "young")
    ((task, _),) = worker.answer_tasks(DAYS)
    await task(workers)
    answer = await payer.pay("old")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retry"]) == (409, "answer_forgotten", "never")
    assert first["old"].json()["id"] in problem["detail"]
    assert (await payer.read(first["old"].json()["id"])).json()["status"] == "posted"
    assert (await payer.pay("old", "2")).json()["code"] == "idempotency_conflict"
    # What is younger is replayed byte for byte, and so is a refusal however old.
    assert (await payer.pay("young")).content == first["young"].content
    assert (await payer.pay("refused", "99999999")).content == refused.content
    assert payer.moved() == 200


def test_how_long_is_for_people_to_say_and_at_least_a_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BURSAR_ANSWER_DAYS", raising=False)
    assert worker.answer_tasks(Settings().answer_days) == ()
    monkeypatch.setenv("BURSAR_ANSWER_DAYS", "6")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE answer SET request_hash = sha256('x') WHERE tenant_id = $1",
        "UPDATE answer SET status = 500 WHERE tenant_id = $1",
        "UPDATE answer SET body = 'forged' WHERE tenant_id = $1",
        "DELETE FROM answer WHERE tenant_id = $1",
    ],
)
async def test_the_worker_may_forget_and_change_nothing_else(
    payer: Payer, tenant: Tenant, workers: Database, sql: LiteralString
) -> None:
    await payer.pay("old")
    payer.grow_old(DAYS, "old")
    with pytest.raises(MayNot):
        async with workers.transaction(tenant.id) as tx:
            await tx.run(sql, tenant.id)


@pytest.mark.parametrize(("days", "whose"), [(6, "own"), (DAYS, "another")])
async def test_what_is_not_due_or_of_another_tenant_cannot_be_forgotten(
    payer: Payer, tenant: Tenant, workers: Database, days: int, whose: str
) -> None:
    await payer.pay("one")
    payer.grow_old(days, "one")
    ((pin,),) = payer.ask("SELECT id FROM answer WHERE key = 'one'")
    async with workers.transaction(tenant.id if whose == "own" else new_id()) as tx:
        assert await keeping_store.forget(tx, [pin]) == 0


async def test_nobody_waits_while_answers_are_being_forgotten(payer: Payer, tenant: Tenant, workers: Database) -> None:
    first = await payer.pay("old")
    payer.grow_old(DAYS + 1, "old")
    async with workers.transaction(tenant.id) as tx:
        ((_, pin),) = await keeping_store.list_due(tx, DAYS, 10)
        assert await keeping_store.forget(tx, [pin]) == 1
        async with asyncio.timeout(20):
            assert (await payer.pay("old")).content == first.content
            assert (await payer.pay("new")).status_code == 201
    assert (await payer.pay("old")).json()["code"] == "answer_forgotten"


async def test_several_workers_forget_thousands_by_their_index_while_others_pay(
    payer: Payer, tenant: Tenant, workers: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_MOST_AT_ONCE", 40)
    keys = [f"old-{n}" for n in range(100)]
    await asyncio.gather(*(payer.pay(key) for key in keys))
    # Those that stay are many more: if any index gave as many rows, it was read from end to end.
    payer.ask(
        """WITH one AS (INSERT INTO event (tenant_id, id, type, actor_id, action, object, body)
               SELECT v.tenant_id, gen_random_uuid(), v.type, v.actor_id, v.action, v.object, v.body
               FROM event v JOIN answer n ON n.event_id = v.id CROSS JOIN generate_series(1, 4000)
               WHERE n.key = 'old-1' RETURNING tenant_id, id, actor_id, action)
           INSERT INTO answer (tenant_id, id, principal_id, action, key, request_hash, status, body, event_id)
           SELECT tenant_id, encode(substr(sha256(convert_to(replace(actor_id::text, '-', ''), 'UTF8')
                      || '\\x00'::bytea || convert_to(action, 'UTF8') || '\\x00'::bytea
                      || convert_to(id::text, 'UTF8')), 1, 16), 'hex')::uuid,
                  actor_id, action, id::text, sha256('x'), 201, '{}', id FROM one"""
    )
    payer.grow_old(DAYS + 1, *keys)
    payer.ask("SELECT pg_stat_reset()")
    both = asyncio.gather(*(keeping.forget_old(workers, DAYS) for _ in range(2)))
    paid = await asyncio.gather(*(payer.pay(f"new-{n}") for n in range(50)))
    await both
    assert {answer.status_code for answer in paid} == {201}
    assert payer.moved() == 15_000
    await workers.close()  # Whoever has read tells so by then.
    read = payer.ask(
        """SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes WHERE relname = 'answer' UNION ALL
           SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE relname = 'answer'"""
    )
    assert all(count < 4_000 for _, count in read), read
    assert dict(read)["answer_kept"] > 0
    assert payer.ask("SELECT count(*) FROM answer WHERE forgotten") == [(100,)]
