"""The ASGI application: Stripe's paths, the simulator's own, and the faults that only a connection can show."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bursar.simulator.control import Control
from bursar.simulator.errors import Body
from bursar.simulator.store import Store
from bursar.simulator.timekeeping import catch_up
from bursar.simulator.webhooks import Postman, postman
from bursar.simulator.wire import Answer, Call, Wire

# Where the connection is found in a request's scope.
TRANSPORT = "bursar.transport"
_LARGEST_BODY = 1_000_000
_HERE = ("127.0.0.1", "localhost", "[::1]")
_RESET, _TIMEOUT, _SLOW = ("reset_before", "reset_after"), "timeout_after", "slow"


class Simulator:
    """The application's parts, once it has started."""

    def __init__(self, store: Store, post: Postman) -> None:
        self.store = store
        self.post = post
        self.wire = Wire(store)
        self.control = Control(store, post)


def create_app(directory: Path) -> Starlette:
    """The provider whose store is in this directory."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        store = Store(directory)
        try:
            async with postman(store) as post:
                app.state.simulator = Simulator(store, post)
                yield
        finally:
            store.close()

    return Starlette(
        routes=[
            Route("/_control/{name:path}", _control, methods=["GET", "POST", "DELETE"]),
            Route("/{path:path}", _stripe, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
        ],
        lifespan=lifespan,
    )


async def _control(request: Request) -> Response:
    if not _is_here(request):
        return _json(403, {"error": "The simulator answers this machine only."})
    simulator: Simulator = request.app.state.simulator
    status, answer = await simulator.control.answer(request.method, request.path_params["name"], await _body(request))
    simulator.post.wake.set()
    return _json(status, answer)


async def _stripe(request: Request) -> Response:
    if not _is_here(request):
        return _json(403, {"error": {"message": "The simulator answers this machine only.", "type": "api_error"}})
    simulator: Simulator = request.app.state.simulator
    call = Call(request.method, request.url.path, request.url.query, request.headers, await _body(request))
    catch_up(simulator.store)
    answer, key = simulator.wire.answer(call)
    simulator.post.wake.set()
    try:
        return await _sent(request, answer)
    finally:
        if key:
            simulator.wire.in_use.discard(key)


async def _sent(request: Request, answer: Answer) -> Response:
    """The answer as it leaves: late, wrong, in pieces, or not at all when a fault says so."""
    rule = answer.fault
    if rule is None:
        return _plain(answer)
    mode = rule["mode"]
    if mode in _RESET:
        _cut(request)
    elif mode == _TIMEOUT:
        await _wait(request, float(rule["seconds"]))
        _cut(request)
    elif mode == _SLOW:
        await _wait(request, float(rule["seconds"]))
    elif mode == "malformed":
        return _plain(answer._replace(body=answer.body[: len(answer.body) // 2]))
    elif mode in ("wrong_amount", "wrong_currency") and answer.status == 200:
        return _plain(answer._replace(body=json.dumps(_wrong(json.loads(answer.body), mode))))
    return _plain(answer)


def _wrong(body: Body, mode: str) -> Body:
    """An answer that is well formed and not true."""
    if mode == "wrong_currency":
        return {**body, "currency": "eur" if body.get("currency") != "eur" else "usd"} if "currency" in body else body
    amounts = ("amount", "amount_capturable", "amount_received")
    return {name: value + 100 if name in amounts and value else value for name, value in body.items()}


async def _wait(request: Request, seconds: float) -> None:
    """Wait, but not for a caller who has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass


def _cut(request: Request) -> None:
    """Reset the connection, as a crash or a proxy does; what is sent afterwards goes nowhere."""
    transport: asyncio.Transport = request.scope[TRANSPORT]
    if transport.is_closing():
        return  # The caller has gone by itself.
    end: socket.socket | None = transport.get_extra_info("socket")
    if end is not None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _plain(answer: Answer) -> Response:
    return Response(answer.body, answer.status or 500, answer.headers, media_type="application/json")


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body, indent=2), status, media_type="application/json")


async def _body(request: Request) -> bytes:
    """The body under a limit; what is longer is cut, and then no longer well formed."""
    read = b""
    with contextlib.suppress(ClientDisconnect):
        async for part in request.stream():
            read += part
            if len(read) > _LARGEST_BODY:
                break
    return read[:_LARGEST_BODY]


def _is_here(request: Request) -> bool:
    """Whether the caller used a name of this machine; a page in a browser can use others that lead here."""
    host = request.headers.get("host", "")
    return any(host == name or host.startswith(f"{name}:") for name in _HERE)
