"""The load generator is believed, so it is first shown a server whose every answer is known."""

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from bench.load import Measurement, drive, summarise
from bench.wire import Answer, Endpoint, post, read_answer

Reply = Callable[[int, asyncio.StreamWriter], Awaitable[None]]

CREATED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops"


@dataclass
class Server:
    """A server that answers its n-th request as it is told, and remembers what it saw."""

    reply: Reply
    endpoint: Endpoint = field(init=False)
    bodies: list[bytes] = field(default_factory=list[bytes])
    connections: list[asyncio.Task[None] | None] = field(default_factory=list[asyncio.Task[None] | None])

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        self.connections.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                await self.reply(len(self.bodies), writer)
        writer.close()


@asynccontextmanager
async def serving(reply: Reply) -> AsyncGenerator[Server]:
    server = Server(reply)
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listener:
        server.endpoint = Endpoint("127.0.0.1", listener.sockets[0].getsockname()[1], "/transfers", "bk_test_key")
        yield server
        await asyncio.gather(*(connection for connection in server.connections if connection))


def orders(server: Server, count: int | None = None) -> Iterator[bytes]:
    """That many requests with a body each of its own; without end when no number is given."""
    numbers = itertools.count() if count is None else range(count)
    return (post(server.endpoint, "/transfers", f'{{"n":{n}}}', f"key-{n}") for n in numbers)


async def run(
    server: Server, requests: Iterator[bytes], *, seconds: float = 30.0, connections: int = 1, batch: int = 1
) -> Measurement:
    return await drive(server.endpoint, requests, seconds=seconds, connections=connections, grace=0.5, batch=batch)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off as a crashed server does: with a reset, not a farewell."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_every_answer_and_every_error_of_a_known_mix_is_counted_once() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 25:
            reset(writer)
        else:
            writer.write(FAILED if number % 10 == 0 else CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server, 200), connections=8)

    assert sorted(server.bodies) == sorted(b'{"n":%d}' % n for n in range(200))
    assert seen.requests == 200
    assert seen.statuses == {201: 179, 500: 20}
    assert seen.broken == {"connection lost": 1}
    assert seen.errors == 21
    assert seen.samples == ["500 oops"] * 3
    assert len(server.connections) == 9


async def test_a_slow_answer_in_fifty_is_in_the_99th_percentile_and_not_in_the_95th() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        if number % 50 == 0:
            await asyncio.sleep(0.2)
        writer.write(CREATED)

    async with serving(reply) as server:
        latency = (await run(server, orders(server, 100))).latency

    assert latency
    assert latency.p50 <= latency.p95 < 100
    assert 200 <= latency.p99 <= latency.max < 1_000


async def test_the_rate_is_the_good_answers_over_the_time_and_errors_do_not_raise_it() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(FAILED if number % 2 else CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server), seconds=0.5, connections=4)

    assert seen.statuses.keys() == {201, 500}
    # Four connections may each have one good answer that came after the end.
    assert 0 <= seen.statuses[201] - seen.rate * 0.5 <= 4
    # An answer takes at least 10 ms, so four connections get 400 a second at the most, and half of them are good.
    assert 20 < seen.rate <= 200


async def test_good_answers_that_come_too_late_are_no_errors_and_raise_no_rate() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server), seconds=0.1, connections=2)

    assert (seen.statuses, seen.errors, seen.rate) == ({201: 2}, 0, 0.0)


async def test_a_batch_counts_for_all_that_is_in_it_and_is_an_error_unless_all_of_it_was_posted() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        body = b'{"mode":"each","posted":%d,"refused":%d}' % ((100, 0) if number % 2 else (99, 1))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async with serving(reply) as server:
        seen = await run(server, orders(server, 10), batch=100)

    assert (seen.transfers, seen.requests, seen.errors) == (500, 10, 5)
    assert seen.statuses == {200: 10}
    assert seen.samples == ['200 {"mode":"each","posted":99,"refused":1}'] * 3


async def test_an_early_end_of_the_requests_shortens_the_time_the_rate_is_taken_over() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server, 20), seconds=30.0)

    assert 20 / 2.0 < seen.rate <= 20 / 0.2


async def test_a_service_that_hangs_is_charged_the_whole_time_and_each_request_it_owes() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        if number <= 3:
            writer.write(CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server), seconds=0.5, connections=2)

    assert seen.rate == pytest.approx(3 / 0.5)
    assert seen.broken == {"unanswered": 2}
    assert (seen.requests, seen.errors) == (5, 2)


async def test_an_answer_that_closes_its_connection_is_followed_by_a_new_one_without_an_error() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(CREATED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async with serving(reply) as server:
        seen = await run(server, orders(server, 5))

    # The sixth connection finds nothing left to ask.
    assert (seen.requests, seen.errors, len(server.connections)) == (5, 0, 6)


async def test_an_answer_in_single_bytes_is_one_answer() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        for byte in CREATED:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async with serving(reply) as server:
        seen = await run(server, orders(server, 5))

    assert (seen.statuses, seen.errors) == ({201: 5}, 0)


async def test_a_malformed_answer_is_an_error_and_the_next_request_gets_a_new_connection() -> None:
    async def reply(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 201 Created\r\n\r\n{}" if number == 1 else CREATED)

    async with serving(reply) as server:
        seen = await run(server, orders(server, 3))

    assert seen.broken == {"malformed answer": 1}
    assert (seen.requests, seen.errors, len(server.connections)) == (3, 1, 2)


async def test_nobody_listening_is_all_errors_and_no_rate() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = Endpoint("127.0.0.1", taken.getsockname()[1], "/transfers")
    seen = await drive(endpoint, itertools.repeat(b"never sent"), seconds=0.2, connections=2)

    assert seen.broken.keys() == {"not connected"}
    assert seen.errors == seen.requests > 1
    assert (seen.rate, seen.latency) == (0.0, None)


def test_an_answer_is_read_only_when_it_is_whole() -> None:
    assert [read_answer(CREATED[:cut]) for cut in range(len(CREATED))] == [None] * len(CREATED)
    assert read_answer(CREATED) == Answer(201, b"{}", closes=False)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 201 Created\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n{}",
        b"SMTP 220 ready\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_not_exactly_one_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"HTTP/1\.1|Content-Length|invalid literal"):
        read_answer(data)


def test_percentiles_are_ranks_of_what_was_measured() -> None:
    latency = summarise([n / 1_000 for n in range(100, 0, -1)])

    assert latency
    assert (latency.p50, latency.p95, latency.p99, latency.max) == pytest.approx((50, 95, 99, 100))
