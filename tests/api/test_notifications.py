"""Webhook endpoints and deliveries over the API, as the client calls it: their whole life, and what is refused."""

import json
from collections.abc import AsyncGenerator, Awaitable
from datetime import UTC, datetime

import httpx2
import psycopg
import pytest
from psycopg import sql
from standardwebhooks.webhooks import Webhook
from starlette.types import ASGIApp

from bursar import worker
from bursar.client import Bursar, BursarProblem
from bursar.features.notifications import model
from bursar.features.notifications.delivering import Dispatcher
from bursar.features.notifications.model import Result
from bursar.features.notifications.sending import Letter
from bursar.kernel.db import Database
from tests.api.serving import BASE, NAMES
from tests.api.tenants import Tenant, bearing, key_for
from tests.others import others_are_over

URL = "https://hooks.example.com/bursar"


@pytest.fixture
async def bursar(app: ASGIApp, tenant: Tenant, database: Database) -> AsyncGenerator[Bursar]:
    """The operator's client. An endpoint is told of what is not over when it is made: what the tenant did before is."""
    await others_are_over(database)
    async with Bursar(BASE, tenant.operator, transport=httpx2.ASGITransport(app)) as client:
        yield client


async def sent(database_url: str, answers: list[Result]) -> list[Letter]:
    """What the worker and a dispatcher send in one go, each answered in turn."""
    letters: list[Letter] = []

    async def send(letter: Letter) -> Result:
        letters.append(letter)
        return answers[min(len(letters), len(answers)) - 1]

    database = await Database.open(database_url, role="bursar_worker", connections=2)
    await others_are_over(database)
    await worker.follow_events(database)
    dispatcher = Dispatcher(database, send)
    async with database.transaction(read_only=True) as tx:
        due = await worker.notification_store.list_to_follow(tx)
    assert due == []
    with psycopg.connect(database_url) as connection:
        pairs = connection.execute("SELECT tenant_id, id FROM bursar.webhook_endpoint").fetchall()
    for tenant_id, endpoint_id in pairs:
        while await dispatcher.serve_once(tenant_id, endpoint_id):
            pass
    await database.close()
    return letters


def fine(status: int = 200) -> Result:
    """An answer."""
    return Result(datetime(2026, 11, 21, tzinfo=UTC), 12, status, None, "ok")


async def refused(call: Awaitable[object]) -> tuple[int, str]:
    """The status and code of a refusal."""
    with pytest.raises(BursarProblem) as raised:
        await call
    return raised.value.status, raised.value.code


async def test_an_endpoint_is_made_changed_stopped_and_ended(bursar: Bursar) -> None:
    made = await bursar.create_webhook_endpoint(url=URL, events=["transfer.posted"], description="Books")
    assert (made.url, made.events, made.description, made.status) == (URL, ["transfer.posted"], "Books", "active")
    assert made.secret.startswith("whsec_")
    assert await refused(bursar.create_webhook_endpoint(url=URL)) == (409, "state_conflict")
    shown = await bursar.get_webhook_endpoint(made.id)
    assert shown.model_dump() == made.model_dump(exclude={"secret"})
    assert [e async for e in bursar.iterate_webhook_endpoints()] == [shown]
    changed = await bursar.change_webhook_endpoint(made.id, events=[])
    assert (changed.events, changed.url, changed.description) == ([], URL, "Books")
    assert (await bursar.change_webhook_endpoint(made.id, url=URL + "/2")).url == URL + "/2"
    rotated = await bursar.rotate_webhook_secret(made.id, overlap_seconds=60)
    assert rotated.secret != made.secret
    assert [secret.expires_at is None for secret in rotated.secrets] == [True, False]
    assert (await bursar.disable_webhook_endpoint(made.id)).status == "disabled"
    assert await refused(bursar.disable_webhook_endpoint(made.id)) == (409, "state_conflict")
    assert (await bursar.enable_webhook_endpoint(made.id)).status == "active"
    tested = await bursar.test_webhook_endpoint(made.id, idempotency_key="once")
    assert await bursar.test_webhook_endpoint(made.id, idempotency_key="once") == tested
    assert (await bursar.retire_webhook_endpoint(made.id)).secrets == []
    assert await refused(bursar.test_webhook_endpoint(made.id)) == (409, "state_conflict")
    assert (await bursar.get_webhook_delivery(tested.id)).status == "failed"
    told = [e.type.removeprefix("webhook_endpoint.") for e in (await bursar.list_events(object=made.id)).items]
    assert told[::-1] == [
        "created", "changed", "changed", "rotated", "disabled", "enabled", "tested", "retired",
    ]  # fmt: skip
    for unknown in (bursar.get_webhook_endpoint("whe_0"), bursar.get_webhook_delivery("whd_0")):
        assert await refused(unknown) == (404, "not_found")
    assert await refused(bursar.list_webhook_deliveries(endpoint="whe_0")) == (404, "not_found")


async def test_a_delivery_tells_what_the_record_shows_and_is_read_and_replayed(
    bursar: Bursar, client: httpx2.AsyncClient, tenant: Tenant, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slowly this goes, what failed does not come again in between.
    monkeypatch.setattr(model, "RETRY_SECONDS", (3_600,))
    made = await bursar.create_webhook_endpoint(url=URL, events=["transfer.posted"])
    transfer = await bursar.create_transfer(
        source=tenant.main, target=tenant.side, amount="1.00", currency="USD", idempotency_key="a"
    )
    (letter,) = await sent(database_url, [fine(500)])
    headers = {"authorization": f"Bearer {tenant.operator}"}
    (shown,) = (await client.get(f"/v1/events?object={transfer.id}", headers=headers)).json()["items"]
    assert json.loads(letter.body) == {
        "id": shown["id"], "type": "transfer.posted", "timestamp": shown["recorded_at"], "data": shown,
    }  # fmt: skip
    assert (letter.url, letter.message_id, list(letter.secrets)) == (URL, shown["id"], [made.secret])
    (delivery,) = (await bursar.list_webhook_deliveries(endpoint=made.id, status="pending")).items
    assert (delivery.event_id, delivery.attempts, delivery.event_type) == (shown["id"], 1, "transfer.posted")
    assert delivery.next_attempt_at
    replay = await bursar.replay_webhook_delivery(delivery.id)
    (again,) = await sent(database_url, [fine(200)])
    assert again == letter
    found = await bursar.get_webhook_delivery(replay.id)
    assert (found.status, found.replay_of, found.next_attempt_at) == ("delivered", delivery.id, None)
    assert [(a.number, a.status, a.error, a.answer, a.latency_ms) for a in found.log] == [(1, 200, None, "ok", 12)]
    both = [d.id async for d in bursar.iterate_webhook_deliveries(endpoint=made.id)]
    assert both == [replay.id, delivery.id]
    first = await bursar.list_webhook_deliveries(limit=1)
    assert [d.id for d in (await bursar.list_webhook_deliveries(limit=1, cursor=first.next_cursor)).items] == both[1:]


async def test_the_example_of_the_system_itself_is_told_as_the_record_shows_it(
    bursar: Bursar, tenant: Tenant, client: httpx2.AsyncClient, database_url: str
) -> None:
    """An event without an actor has one all the same, as over the API."""
    made = await bursar.create_webhook_endpoint(url=URL, events=["webhook_endpoint.disabled"])
    other = await bursar.create_webhook_endpoint(url=URL + "/gone")
    await bursar.test_webhook_endpoint(other.id)
    await sent(database_url, [fine(410)])
    letters = await sent(database_url, [fine(200)])
    headers = {"authorization": f"Bearer {tenant.operator}"}
    path = f"/v1/events?object={other.id}&action=disable_webhook_endpoint"
    (shown,) = (await client.get(path, headers=headers)).json()["items"]
    assert [json.loads(letter.body)["data"] for letter in letters] == [shown]
    assert shown["actor"] == {"kind": "system", "id": None, "key": None, "name": None}
    assert (await bursar.get_webhook_endpoint(made.id)).last_success_at


async def test_a_secret_is_shown_once_and_is_nowhere_but_where_it_signs(
    bursar: Bursar, client: httpx2.AsyncClient, tenant: Tenant, database_url: str
) -> None:
    made = await bursar.create_webhook_endpoint(url=URL)
    rotated = await bursar.rotate_webhook_secret(made.id)
    await sent(database_url, [fine()])
    headers = {"authorization": f"Bearer {tenant.operator}"}
    for path in ("webhook-endpoints", f"webhook-endpoints/{made.id}", "webhook-deliveries", "events"):
        text = (await client.get(f"/v1/{path}", headers=headers)).text
        assert "whsec_" not in text
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'bursar'").fetchall()
        # Bytes are shown as hexadecimal digits.
        query = "SELECT FROM bursar.{} t WHERE t::text LIKE '%%whsec%%' OR t::text LIKE %s"
        hidden = f"%{b'whsec'.hex()}%"
        holding = [
            str(name)
            for (name,) in tables
            if connection.execute(sql.SQL(query).format(sql.Identifier(name)), [hidden]).rowcount
        ]
    assert holding == ["webhook_secret"]
    Webhook(rotated.secret)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/",
        "https://user@example.com/", "https://example.com:22/", "ftp://example.com/", "https://2130706433/",
    ],
)  # fmt: skip
async def test_a_url_that_leads_inside_is_refused_when_an_endpoint_is_made_and_when_it_is_changed(
    bursar: Bursar, client: httpx2.AsyncClient, tenant: Tenant, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await bursar.create_webhook_endpoint(url=URL)

    async def literally(name: str, port: int) -> list[str]:
        assert port
        return [name]

    monkeypatch.setitem(NAMES, "all", literally)
    for path in ("", f"/{made.id}"):
        answer = await client.post(f"/v1/webhook-endpoints{path}", json={"url": url}, headers=bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), answer.text
        assert answer.json()["detail"].startswith("url: ")
        assert url not in answer.text
    assert (await bursar.get_webhook_endpoint(made.id)).url == URL


async def test_whoever_may_not_read_events_has_none_sent(
    app: ASGIApp, bursar: Bursar, database: Database, tenant: Tenant
) -> None:
    made = await bursar.create_webhook_endpoint(url=URL)
    await bursar.disable_webhook_endpoint(made.id)
    async with database.transaction(tenant.id) as tx:
        key = await key_for(tx, "service", "plumber", ["webhooks:read", "webhooks:write"])
    async with Bursar(BASE, key, transport=httpx2.ASGITransport(app)) as plumber:
        for call in (
            plumber.create_webhook_endpoint(url=URL + "/mine"),
            plumber.change_webhook_endpoint(made.id, url=URL + "/mine"),
            plumber.enable_webhook_endpoint(made.id),
        ):
            assert await refused(call) == (403, "scope_missing")
        # What tells nobody anything new it may.
        assert (await plumber.list_webhook_endpoints()).items
        assert await plumber.test_webhook_endpoint(made.id)


async def test_an_agent_neither_makes_nor_sees_endpoints(app: ASGIApp, bursar: Bursar, tenant: Tenant) -> None:
    made = await bursar.create_webhook_endpoint(url=URL)
    async with Bursar(BASE, tenant.agent, transport=httpx2.ASGITransport(app)) as agent:
        for call in (
            agent.create_webhook_endpoint(url=URL + "/mine"),
            agent.list_webhook_endpoints(),
            agent.get_webhook_endpoint(made.id),
            agent.list_webhook_deliveries(),
            agent.rotate_webhook_secret(made.id),
        ):
            assert await refused(call) == (403, "scope_missing")


async def test_there_are_only_so_many_endpoints(bursar: Bursar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursar.features.notifications.service.MOST_ENDPOINTS", 2)
    first = await bursar.create_webhook_endpoint(url=URL + "/1")
    await bursar.create_webhook_endpoint(url=URL + "/2")
    assert await refused(bursar.create_webhook_endpoint(url=URL + "/3")) == (409, "state_conflict")
    await bursar.retire_webhook_endpoint(first.id)
    assert await bursar.create_webhook_endpoint(url=URL + "/3")
