"""What is due is sent, tried again, given up and logged; who is slow delays nobody; who dies is followed by another."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import psycopg
import pytest
from standardwebhooks.webhooks import Webhook

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.features.notifications import delivery_store, service
from bursar.features.notifications.delivering import take, write_down
from bursar.features.notifications.model import AT_ONCE, RETRY_SECONDS, EndpointStateConflict, Result
from bursar.kernel.ids import show
from tests.features.notifications.dispatchers import by_now, sending, until, url_of
from tests.features.notifications.receivers import Received, listening, plain
from tests.features.notifications.tellers import Teller

FINE = Result(datetime(2026, 11, 21, tzinfo=UTC), 3, 200, None, "")


async def test_an_event_arrives_signed_and_as_the_record_shows_it(teller: Teller) -> None:
    async with listening(plain(200, b"thanks")) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        (event,) = await teller.happened("transfer.posted")
        await teller.follow()
        assert await teller.dispatcher().serve_once(teller.tenant_id, endpoint)
    (got,) = receiver.received
    secret = (await teller.standing(endpoint)).secrets[0].text
    told = Webhook(secret).verify(got.body, got.headers)
    async with teller.database.transaction(teller.tenant_id, read_only=True) as tx:
        (recorded,) = [e for e in await events.read(tx, events.Filter(), None, 10) if e.id == event]
    assert got.headers["webhook-id"] == told["id"] == told["data"]["id"] == show("evt", event)
    assert (told["type"], told["timestamp"]) == ("transfer.posted", told["data"]["recorded_at"])
    assert told["data"].items() >= {**recorded.facts, "actor": told["data"]["actor"]}.items()
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts, delivery.event_type) == ("delivered", 1, "transfer.posted")
    (attempt,) = await teller.log(delivery)
    assert (attempt.number, attempt.status, attempt.error, attempt.answer) == (1, 200, None, "thanks")
    assert (await teller.standing(endpoint)).endpoint.last_success_at


async def test_what_fails_is_sent_again_the_same_until_it_is_taken(teller: Teller, database_url: str) -> None:
    async with listening(plain(500, b"no")) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        dispatcher = teller.dispatcher()
        for seconds in RETRY_SECONDS[:3]:
            assert await dispatcher.serve_once(teller.tenant_id, endpoint)
            (delivery,) = await teller.deliveries()
            ahead = delivery.due_at - datetime.now(UTC)
            assert timedelta(0) < ahead <= timedelta(seconds=seconds)
            # Before its time it is not sent.
            assert not await dispatcher.serve_once(teller.tenant_id, endpoint)
            by_now(database_url)
        assert (await teller.standing(endpoint)).endpoint.failures == 3
        receiver.answer = plain(204)
        assert await dispatcher.serve_once(teller.tenant_id, endpoint)
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts) == ("delivered", 4)
    assert [attempt.status for attempt in await teller.log(delivery)] == [500, 500, 500, 204]
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.received}) == 1
    assert (await teller.standing(endpoint)).endpoint.failures == 0


async def test_an_endpoint_that_fails_for_three_days_is_disabled_and_the_record_says_so(
    teller: Teller, database_url: str
) -> None:
    async with listening(plain(503)) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        dispatcher = teller.dispatcher()
        while await dispatcher.serve_once(teller.tenant_id, endpoint):
            by_now(database_url)
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts, len(receiver.received)) == ("failed", 15, 15)
    found = (await teller.standing(endpoint)).endpoint
    assert (found.status, found.status_why) == (
        "disabled", "A delivery failed for three days, and none succeeded meanwhile.",
    )  # fmt: skip
    async with teller.database.transaction(teller.tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, events.Filter(object=show("whe", endpoint)), None, 10)
    assert (event.facts["type"], event.facts["actor"]) == ("webhook_endpoint.disabled", {"kind": "system"})


async def test_410_disables_at_once_and_what_else_was_due_waits(teller: Teller, database_url: str) -> None:
    async with listening(plain(410)) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened(*["a.fact"] * (AT_ONCE + 1))
        await teller.follow()
        dispatcher = teller.dispatcher()
        assert await dispatcher.serve_once(teller.tenant_id, endpoint)
        assert not await dispatcher.serve_once(teller.tenant_id, endpoint)
        assert (await teller.standing(endpoint)).endpoint.status == "disabled"
        assert Counter(d.status for d in await teller.deliveries()) == {"failed": AT_ONCE, "pending": 1}
        async with teller.worker.transaction(read_only=True) as tx:
            assert await delivery_store.list_due(tx) == []
        # A test goes to it all the same.
        async with teller.database.transaction(teller.tenant_id) as tx:
            made = await service.test(tx, endpoint)
        receiver.answer = plain(200)
        assert await dispatcher.serve_once(teller.tenant_id, endpoint)
    assert orjson.loads(receiver.received[-1].body)["type"] == "webhook_endpoint.test"
    assert receiver.received[-1].headers["webhook-id"] == show("whd", made.id)
    assert {d.id: d.status for d in await teller.deliveries()}[made.id] == "delivered"


async def test_who_was_frozen_past_the_lease_writes_nothing_over_who_went_on(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    await teller.happened("a.fact")
    await teller.follow()
    async with teller.worker.transaction(teller.tenant_id) as tx:
        frozen = await take(tx, endpoint, lease_seconds=0.0)
    async with teller.worker.transaction(teller.tenant_id) as tx:
        heir = await take(tx, endpoint)
    assert frozen
    assert heir
    assert [taken.token for taken, _ in (*frozen.letters, *heir.letters)] == [1, 2]
    async with teller.worker.transaction(teller.tenant_id) as tx:
        assert await write_down(tx, endpoint, [(frozen.letters[0][0], FINE._replace(status=500))]) == 0
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts, await teller.log(delivery)) == ("pending", 0, [])
    assert (await teller.standing(endpoint)).endpoint.failures == 0
    async with teller.worker.transaction(teller.tenant_id) as tx:
        assert await write_down(tx, endpoint, [(heir.letters[0][0], FINE)]) == 1
    async with teller.worker.transaction(teller.tenant_id) as tx:
        assert await write_down(tx, endpoint, [(heir.letters[0][0], FINE)]) == 0
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts, len(await teller.log(delivery))) == ("delivered", 1, 1)


async def test_while_one_has_it_no_other_takes_it(teller: Teller) -> None:
    endpoint = await teller.endpoint()
    await teller.happened(*["a.fact"] * 40)
    await teller.follow()

    async def take_once() -> list[UUID]:
        async with teller.worker.transaction(teller.tenant_id) as tx:
            batch = await take(tx, endpoint)
            return [taken.id for taken, _ in batch.letters] if batch else []

    taken = [one for many in await asyncio.gather(*(take_once() for _ in range(4))) for one in many]
    while more := await take_once():
        taken += more
    assert len(taken) == len(set(taken)) == 40


async def test_what_a_worker_had_when_it_died_is_sent_again_under_the_same_id(
    teller: Teller, database_url: str
) -> None:
    stuck = asyncio.Event()

    async def hang(_: Received, __: asyncio.StreamWriter) -> None:
        stuck.set()
        await asyncio.Event().wait()

    async with listening(hang) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        first = teller.dispatcher()
        await first.turn()
        await stuck.wait()
        await first.close()
        (delivery,) = await teller.deliveries()
        assert (delivery.status, delivery.attempts) == ("pending", 0)
        second = teller.dispatcher()
        # Its lease is not over yet.
        assert not await second.serve_once(teller.tenant_id, endpoint)
        by_now(database_url)
        receiver.answer = plain(200)
        assert await second.serve_once(teller.tenant_id, endpoint)
    assert len(receiver.received) == 2
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    (delivery,) = await teller.deliveries()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


async def test_one_that_never_answers_delays_no_other_and_has_few_messages_under_way(teller: Teller) -> None:
    async def never(_: Received, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with listening(never) as slow, listening() as quick:
        await teller.endpoint(url_of(slow))
        await teller.endpoint(url_of(quick))
        await teller.happened(*["a.fact"] * 50)
        await teller.follow()
        async with sending(teller):
            await until(lambda: len(slow.received) == AT_ONCE)
            await until(lambda: len(quick.received) == 50)
            assert len(slow.received) == AT_ONCE
    assert len({got.headers["webhook-id"] for got in quick.received}) == 50


async def test_one_that_fails_is_asked_with_one_message_at_a_time(teller: Teller) -> None:
    async with listening(plain(500)) as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened(*["a.fact"] * 20)
        await teller.follow()
        dispatcher = teller.dispatcher()
        sizes = list[int]()
        for _ in range(3):
            before = len(receiver.received)
            await dispatcher.serve_once(teller.tenant_id, endpoint)
            sizes.append(len(receiver.received) - before)
    assert sizes == [AT_ONCE, 1, 1]


async def test_a_replay_is_sent_under_the_same_id_with_a_log_of_its_own(teller: Teller) -> None:
    async with listening() as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        dispatcher = teller.dispatcher()
        await dispatcher.serve_once(teller.tenant_id, endpoint)
        (first,) = await teller.deliveries()
        async with teller.database.transaction(teller.tenant_id) as tx:
            again = await service.replay(tx, first.id)
        assert await dispatcher.serve_once(teller.tenant_id, endpoint)
    assert (again.replay_of, again.event_id) == (first.id, first.event_id)
    assert receiver.received[0].body == receiver.received[1].body
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]
    assert [(d.status, d.attempts) for d in await teller.deliveries()] == [("delivered", 1)] * 2


async def test_during_an_overlap_both_secrets_sign_and_after_it_the_newer_alone(
    teller: Teller, database_url: str
) -> None:
    async with listening() as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        old = (await teller.standing(endpoint)).secrets[0].text
        async with teller.database.transaction(teller.tenant_id) as tx:
            new = (await service.rotate(tx, endpoint, 3600)).secrets[0].text
        dispatcher = teller.dispatcher()
        await teller.happened("a.fact")
        await teller.follow()
        await dispatcher.serve_once(teller.tenant_id, endpoint)
        got = receiver.received[0]
        for secret in (old, new):
            Webhook(secret).verify(got.body, got.headers)
        # A third ends the first at once.
        async with teller.database.transaction(teller.tenant_id) as tx:
            newest = await service.rotate(tx, endpoint, 3600)
        assert [secret.text for secret in newest.secrets[1:]] == [new]
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE bursar.webhook_secret SET expires_at = now() WHERE expires_at IS NOT NULL")
        await teller.happened("a.fact")
        await teller.follow()
        await dispatcher.serve_once(teller.tenant_id, endpoint)
        assert len(receiver.received[1].headers["webhook-signature"].split(" ")) == 1
        Webhook(newest.secrets[0].text).verify(receiver.received[1].body, receiver.received[1].headers)


async def test_what_was_on_its_way_goes_on_when_a_disabled_endpoint_is_enabled(teller: Teller) -> None:
    async with listening() as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        dispatcher = teller.dispatcher()
        async with teller.database.transaction(teller.tenant_id) as tx:
            await service.disable(tx, endpoint)
        assert not await dispatcher.serve_once(teller.tenant_id, endpoint)
        async with teller.database.transaction(teller.tenant_id) as tx:
            await service.enable(tx, await approvals.acting(tx, "operator"), endpoint)
        assert await dispatcher.serve_once(teller.tenant_id, endpoint)
    assert len(receiver.received) == 1


async def test_a_retired_endpoint_is_sent_nothing_and_comes_back_never(teller: Teller) -> None:
    async with listening() as receiver:
        endpoint = await teller.endpoint(url_of(receiver))
        await teller.happened("a.fact")
        await teller.follow()
        async with teller.database.transaction(teller.tenant_id) as tx:
            retired = await service.retire(tx, endpoint)
        assert retired.secrets == []
        assert not await teller.dispatcher().serve_once(teller.tenant_id, endpoint)
        assert [d.status for d in await teller.deliveries()] == ["failed"]
        async with teller.database.transaction(teller.tenant_id) as tx:
            with pytest.raises(EndpointStateConflict, match="retired"):
                await service.enable(tx, await approvals.acting(tx, "operator"), endpoint)
            # Its URL is free again.
        assert await teller.endpoint(url_of(receiver)) != endpoint
    assert receiver.received == []
