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
from tests.api.operations import operations_of
from tests.journeys.processes import Serving, is_running, make_key, run, serving, start, surroundings
from tests.journeys.slow import locked

# What `bursar serve` promises.
STOP_SECONDS = 5

_ADDRESSES = Path("/proc/net/if_inet6")
needs_ipv6 = pytest.mark.skipif(
    not (_ADDRESSES.exists() and _ADDRESSES.read_text()), reason="This machine has no IPv6."
)

OPEN_TO_ALL = {"healthz", "readyz", "metrics"}


def client_of(service: Serving, key: str | None = None) -> Bursar:
    return Bursar(service.address, key, attempts=1, transport=httpx2.AsyncHTTPTransport())


async def pay(bursar: Bursar) -> Transfer:
    return await bursar.create_transfer(
        source="ACC10001", target="ACC20002", amount="1.00", currency="USD", idempotency_key=str(uuid4())
    )


def embedded_url(data: Path) -> str:
    return f"postgresql://postgres@/postgres?host={data}/socket&port=5432"


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGTERM, "1"), pytest.param(signal.SIGINT, "1", marks=pytest.mark.soak), (signal.SIGTERM, "2")],
)
async def test_it_stops_within_five_seconds_and_answers_what_is_under_way(
    tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    environment = surroundings(BURSAR_DATA=tmp_path)
    async with serving(environment, "--workers", workers) as service:
        key = await make_key(environment, "--agent", "agent_001")
        async with client_of(service, key) as agent, locked(embedded_url(tmp_path), "ACC10001") as lock:
            under_way = [asyncio.ensure_future(pay(agent)) for _ in range(10)]
            await lock.waited_for()
            stopping = asyncio.ensure_future(service.stop(number))
            await service.closed()
            assert not any(paying.done() for paying in under_way)
            await lock.release()
            made = await asyncio.gather(*under_way)
        seconds, ended = await stopping
    assert len({transfer.id for transfer in made}) == 10
    assert seconds < STOP_SECONDS
    assert (ended.code, ended.out) == (0, "")
    assert not is_running(tmp_path)


async def test_it_stops_within_five_seconds_though_somebody_never_lets_go(tmp_path: Path) -> None:
    environment = surroundings(BURSAR_DATA=tmp_path)
    async with serving(environment) as service:
        key = await make_key(environment, "--agent", "agent_001")
        async with client_of(service, key) as agent, locked(embedded_url(tmp_path), "ACC10001") as lock:
            under_way = asyncio.ensure_future(pay(agent))
            await lock.waited_for()
            seconds, ended = await service.stop()
            with pytest.raises(CallFailed) as raised:
                await under_way
    assert raised.value.retry == "same_key"
    assert seconds < STOP_SECONDS
    assert ended.code == 0
    assert not is_running(tmp_path)


async def test_it_stops_within_five_seconds_though_a_request_never_ends(tmp_path: Path) -> None:
    async with serving(surroundings(BURSAR_DATA=tmp_path)) as service:
        url = httpx2.URL(service.address)
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"POST /transfers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{")
        await writer.drain()
        async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport()) as client:
            assert (await client.get(f"{service.address}/healthz")).status_code == 200
        seconds, ended = await service.stop()
        writer.close()
    assert seconds < STOP_SECONDS
    assert ended.code == 0
    assert not is_running(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_while_it_starts_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    process = await start(surroundings(BURSAR_DATA=tmp_path), "serve", "--port", "0")
    async with asyncio.timeout(60):
        while not (tmp_path / "postgres.new").exists():  # noqa: ASYNC110 -- there is nothing else to go by
            await asyncio.sleep(0.01)
    process.send_signal(number)
    out, errors = await process.communicate()
    assert (process.returncode, out, errors) == (128 + number, b"", b"")
    assert not is_running(tmp_path)


def files_in(directory: Path) -> list[Path]:
    return list(directory.iterdir())


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com"])
async def test_the_sandbox_listens_on_this_machine_only(tmp_path: Path, host: str) -> None:
    ended = await run(surroundings(BURSAR_DATA=tmp_path), "serve", "--host", host, "--port", "0")
    assert (ended.code, ended.out) == (1, "")
    assert f"not on {host}" in ended.errors
    assert "Traceback" not in ended.errors
    assert not files_in(tmp_path), "a database was made for nothing"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", pytest.param("::1", marks=needs_ipv6)])
async def test_the_sandbox_answers_without_a_key(tmp_path: Path, host: str) -> None:
    async with serving(surroundings(BURSAR_DATA=tmp_path), "--host", host) as service, client_of(service) as anyone:
        assert (await anyone.account_balance("ACC10001")).balance == "12500.00"


async def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = await run(surroundings(BURSAR_DATA=tmp_path), "serve", "--port", port)
    assert (ended.code, ended.out) == (1, "")
    assert ended.errors == f"bursar: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"


async def test_on_a_configured_database_nothing_is_open_without_a_key(empty_database_15: str, tmp_path: Path) -> None:
    environment = surroundings(BURSAR_DATABASE_URL=empty_database_15, BURSAR_DATA=tmp_path)
    async with serving(environment, "--host", "0.0.0.0") as service:
        address = service.address.replace("0.0.0.0", "127.0.0.1")
        async with httpx2.AsyncClient(base_url=address, transport=httpx2.AsyncHTTPTransport()) as client:
            answers: dict[str, int] = {}
            for operation in operations_of((await client.get("/openapi.json")).json()):
                path = operation.path.replace("{", "").replace("}", "")
                answer = await client.request(operation.method, path, headers={"Host": "bursar.example.com"})
                answers[operation.id] = answer.status_code
    assert {name for name, status in answers.items() if status == 200} == OPEN_TO_ALL
    assert {status for name, status in answers.items() if name not in OPEN_TO_ALL} == {401}
