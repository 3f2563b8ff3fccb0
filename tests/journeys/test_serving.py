"""`bursar serve`: what it says, whom it answers, and how it stops."""

import asyncio
import signal
import socket
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from bursar.client import Bursar, CallFailed
from bursar.wire.transfers import Transfer
from tests.journeys.processes import make_key, run, serving, surroundings
from tests.journeys.slow import locked

# What issue and documentation promise.
STOP_SECONDS = 5


async def pay(bursar: Bursar, source: str = "ACC10001") -> Transfer:
    return await bursar.create_transfer(
        source=source, target="ACC20002", amount="1.00", currency="USD", idempotency_key=str(uuid4())
    )


def embedded_url(data: Path) -> str:
    return f"postgresql://postgres@/postgres?host={data}/socket&port=5432"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_within_five_seconds_and_answers_what_is_under_way(tmp_path: Path, number: signal.Signals) -> None:
    environment = surroundings(BURSAR_DATA=tmp_path)
    async with serving(environment) as service:
        key = await make_key(environment, "--agent", "agent_001")
        async with Bursar(service.address, key, attempts=1) as agent, locked(embedded_url(tmp_path), "ACC10001") as lock:
            under_way = [asyncio.ensure_future(pay(agent)) for _ in range(10)]
            await lock.waited_for()
            stopping = asyncio.ensure_future(service.stop(number))
            with pytest.raises(ConnectionRefusedError):
                async with asyncio.timeout(STOP_SECONDS):
                    while True:
                        _, writer = await asyncio.open_connection(*httpx2.URL(service.address).netloc.decode().split(":"))
                        writer.close()
            assert not any(paying.done() for paying in under_way)
            await lock.release()
            made = await asyncio.gather(*under_way)
        seconds, ended = await stopping
    assert len({transfer.id for transfer in made}) == 10
    assert seconds < STOP_SECONDS
    assert (ended.code, ended.out) == (0, "")
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


async def test_it_stops_within_five_seconds_though_a_request_never_comes_to_its_end(tmp_path: Path) -> None:
    environment = surroundings(BURSAR_DATA=tmp_path)
    async with serving(environment) as service:
        key = await make_key(environment, "--agent", "agent_001")
        async with Bursar(service.address, key, attempts=1) as agent, locked(embedded_url(tmp_path), "ACC10001") as lock:
            under_way = asyncio.ensure_future(pay(agent))
            await lock.waited_for()
            seconds, ended = await service.stop()
            with pytest.raises(CallFailed) as raised:
                await under_way
            print(raised.value)
    print(seconds)
    assert seconds < STOP_SECONDS
    assert ended.code == 0
