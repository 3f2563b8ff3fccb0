"""The service dies, or its callers leave: each transfer is done once, and the same key tells what became of it."""

import asyncio
import random
from urllib.parse import urlsplit

import httpx2
import pytest

from bursar.kernel.ids import new_id
from tests.faults.clients import SOURCE, TARGET, Clients
from tests.faults.ledgers import check
from tests.served import Served, serving

OPENING = 500_000


async def clients_live_through(database_url: str, key: str, times: int) -> None:
    """Clients go on sending while the service is killed and started again so often; then all answers agree."""
    with serving(database_url=database_url) as first:
        clients = Clients(first.url, {"Authorization": f"Bearer {key}"})
        port = urlsplit(first.url).port
        assert port
        running = asyncio.create_task(clients.run())
        await clients.after(50)
        first.kill()
        await clients.after_a_loss()
    for left in range(times, 0, -1):
        with serving(database_url=database_url, port=port) as served:
            await clients.after(random.randint(50, 250))
            if left > 1:
                served.kill()
                await clients.after_a_loss()
                continue
            clients.stop()
            await running
    await check(database_url, clients.told, OPENING)


# What is killed in the middle of batches is tried on every change.
@pytest.mark.soak
async def test_a_killed_service_leaves_nothing_half_done_and_nothing_doubtful(database_url: str, key: str) -> None:
    await clients_live_through(database_url, key, times=2)


@pytest.mark.soak
async def test_a_service_killed_ten_times_leaves_nothing_half_done(database_url: str, key: str) -> None:
    await clients_live_through(database_url, key, times=10)


async def test_callers_who_hang_up_before_the_answer_get_it_with_the_same_key(database_url: str, key: str) -> None:
    """At every stage: before the last byte is sent, at once after it, and a little later."""
    dice = random.Random(7)
    keys = [new_id().hex for _ in range(150)]
    with serving(database_url=database_url) as served:
        await asyncio.gather(*(hang_up(served, key, intent, dice.choice([0.0, 0.001, 0.005, 0.02])) for intent in keys))
        told: dict[str, str] = {}
        async with httpx2.AsyncClient(base_url=served.url, headers={"Authorization": f"Bearer {key}"}) as client:
            for intent in keys:
                answer = await client.post("/transfers", json=body(), headers={"Idempotency-Key": intent})
                assert answer.status_code == 200, answer.text
                told[intent] = answer.json()["request_id"]
    await check(database_url, told, OPENING)


def body() -> dict[str, str]:
    return {"from_account": SOURCE, "to_account": TARGET, "amount": "0.01"}


async def hang_up(served: Served, key: str, intent: str, seconds: float) -> None:
    """Send a request over a connection that is cut so long after."""
    place = urlsplit(served.url)
    content = httpx2.Request("POST", served.url, json=body()).read()
    lines = [
        "POST /transfers HTTP/1.1", "Host: a", "Content-Type: application/json", f"Content-Length: {len(content)}",
        f"Authorization: Bearer {key}", f"Idempotency-Key: {intent}", "", "",
    ]  # fmt: skip
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write("\r\n".join(lines).encode() + content)
    await writer.drain()
    await asyncio.sleep(seconds)
    writer.transport.abort()
