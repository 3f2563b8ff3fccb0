"""What is complete leaves in one piece; what is not, as uvicorn would have it."""

import asyncio
from collections.abc import Callable

import pytest
import uvicorn
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from bursar.api.answering import Protocol
from bursar.api.intake import Sent
from bursar.api.problems import Complete
from bursar.core.idempotency.model import Answer

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"


class Wire(asyncio.Transport):
    """Keeps what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


def connected(answer: Callable[[Scope], Response]) -> tuple[Protocol, Wire]:
    """A connection to an application that answers everything with this."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope)(scope, receive, Sent(scope, send, "req_1"))

    config = uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False)
    config.load()
    protocol, wire = Protocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    return protocol, wire


def hello(_: Scope) -> Response:
    """An answer that is complete."""
    return Response(b'{"said":"hello"}', 201)


async def settled(protocol: Protocol) -> None:
    """Wait until nothing is being answered."""
    while protocol.tasks:
        await asyncio.gather(*protocol.tasks)


async def test_an_answer_leaves_in_one_piece() -> None:
    protocol, wire = connected(hello)
    protocol.data_received(POST)
    await settled(protocol)
    (piece,) = wire.pieces
    head, _, body = piece.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [b"HTTP/1.1 201 Created", b"content-length: 16", b"x-request-id: req_1"]
    assert body == b'{"said":"hello"}'
    assert not wire.closed


@pytest.mark.parametrize("status", [200, 201, 202, 401, 409, 503])
def test_a_head_is_put_together_as_the_framework_does_it(status: int) -> None:
    kind = "application/json" if status < 400 else "application/problem+json"
    framework = Response(b"{}", status, {"Idempotent-Replayed": "true"}, media_type=kind)
    ours = Complete(Answer(status, b"{}"), [(b"idempotent-replayed", b"true")])
    assert (ours.status_code, ours.body, ours.raw_headers) == (status, framework.body, framework.raw_headers)
    assert (ours.background, dict(ours.headers)) == (None, dict(framework.headers))


async def test_requests_one_behind_the_other_are_answered_in_their_order() -> None:
    protocol, wire = connected(lambda scope: Response(scope["path"]))
    protocol.data_received(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5)))
    await settled(protocol)
    assert [piece[-2:] for piece in wire.pieces] == [b"/%d" % n for n in range(5)]


async def test_who_asks_to_be_left_is_told_so_and_left() -> None:
    protocol, wire = connected(hello)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await settled(protocol)
    assert b"\r\nconnection: close\r\n\r\n{" in wire.pieces[0]
    assert wire.closed


async def test_no_body_follows_where_none_was_asked_for() -> None:
    protocol, wire = connected(hello)
    protocol.data_received(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settled(protocol)
    sent = b"".join(wire.pieces)
    assert b"content-length: 16\r\n" in sent
    assert sent.endswith(b"\r\n\r\n")


async def test_what_comes_bit_by_bit_is_sent_bit_by_bit() -> None:
    protocol, wire = connected(lambda _: StreamingResponse(iter([b"one", b"two"])))
    protocol.data_received(POST)
    await settled(protocol)
    assert b"".join(wire.pieces).endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


async def test_a_caller_who_does_not_read_is_waited_for() -> None:
    protocol, wire = connected(hello)
    protocol.pause_writing()
    protocol.data_received(POST)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.pieces == []
    protocol.resume_writing()
    await settled(protocol)
    assert b"".join(wire.pieces).endswith(b'{"said":"hello"}')


@pytest.mark.parametrize("value", ["a\nset-cookie: b", "a\r\n\r\nb"])
async def test_a_value_that_would_end_its_line_is_never_sent(value: str) -> None:
    protocol, wire = connected(lambda _: Response(b"x", headers={"a": value}))
    protocol.data_received(POST)
    await settled(protocol)
    sent = b"".join(wire.pieces)
    assert b"set-cookie" not in sent
    assert b"\r\n\r\nb" not in sent


@pytest.mark.parametrize("said", [RuntimeError("the handler is closed"), BrokenPipeError()])
async def test_a_caller_who_leaves_while_the_answer_is_written_is_no_failure(said: Exception) -> None:
    def gone(*_: object) -> bool:
        raise said

    async def unasked(_: Message) -> None:
        raise AssertionError("the answer had begun")

    sent = Sent({"extensions": {"bursar.whole": {"send": gone}}}, unasked, "req_1")
    await sent.answer(Response(b"done", 201))
    assert sent.status == 201
