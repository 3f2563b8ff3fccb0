"""The simulator as a process of its own: on this machine only, until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bursar.simulator.app import TRANSPORT, create_app

HOST = "127.0.0.1"
_SECONDS_TO_FINISH = 1


class _Protocol(HttpToolsProtocol):
    """Hands each request its connection, so that a fault can reset it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.app = _with(self.app, transport)


def _with(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    async def handed(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, TRANSPORT: transport}, receive, send)

    return handed


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """A signal ends the serving, not the process: the store must be closed in order first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and call back with the address."""
        await super().startup(sockets)
        if self.started and sockets:
            self._listening(f"http://{HOST}:{sockets[0].getsockname()[1]}")


def bind(port: int) -> socket.socket:
    """A socket on this machine; port 0 picks a free one.

    Raises:
        OSError: the port is taken or not allowed.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


async def serve(directory: Path, bound: socket.socket, listening: Callable[[str], None]) -> None:
    """Serve the provider whose store is in this directory until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        create_app(directory),
        http=_Protocol,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        proxy_headers=False,
        server_header=False,
    )
    await Server(config, listening).serve([bound])
