"""`bursar serve`: the service, until it is told to stop; in one process or in several."""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from bursar.api.answering import Protocol
from bursar.api.app import create_app
from bursar.api.door import Door
from bursar.api.telemetry import configure_logs
from bursar.api.turnstile import Turnstile
from bursar.api.waiting import ring_for_jobs
from bursar.core.authority.desk import Desk
from bursar.core.authority.security_keys import RelyingParty
from bursar.faces.cli.beside import working
from bursar.faces.cli.place import CannotServe, Place, opened
from bursar.faces.cli.processes import keep_answering, say_ready, signals_taken
from bursar.faces.cli.providers import connected, refuse_real_keys
from bursar.faces.cli.upstream import is_loopback
from bursar.features.jobs.store import CHANNEL
from bursar.features.payments.registry import Providers
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Bell
from bursar.kernel.settings import Settings

_SECONDS_TO_FINISH = 3


class _Server(uvicorn.Server):
    """Tells when it answers, and returns when it is told to stop."""

    def __init__(self, config: uvicorn.Config, told: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = told

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """A signal ends the serving, not the process."""
        with signals_taken(self.stop):
            yield

    def stop(self) -> None:
        """Answer what is under way, and no more."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is alive now stays: the collector need not walk it again with every pass.
            gc.collect()
            gc.freeze()
            self._told()


async def serve(host: str, port: int, data: Path | None, workers: int) -> None:
    """Serve by so many processes until SIGINT or SIGTERM; requests in flight are answered first."""
    settings = Settings()
    configure_logs(settings.log_level)
    if not settings.database_url and not is_loopback(host):
        raise CannotServe(f"The sandbox is open without a key, so it listens on this machine only, not on {host}.")
    refuse_real_keys(settings, is_sandbox=not settings.database_url)
    async with opened(data) as place, connected(place, settings) as providers:
        listener = _bound(host, port)

        def told() -> None:
            print(f"Bursar is listening on {_address(listener)}", flush=True)

        async with working(place, settings, providers):
            if workers == 1:
                await _server(place, settings, providers, told).serve([listener])
            else:
                await keep_answering(workers, _command(listener, data), listener, told)


async def answer(descriptor: int, data: Path | None) -> None:
    """Be one of several processes that serve: answer at a bound socket until told to stop.

    Standard input is held open by the process that started this one, so its end means that nobody watches any more.
    """
    settings = Settings()
    configure_logs(settings.log_level)
    async with opened(data) as place, connected(place, settings) as providers:
        answering = asyncio.Event()
        server = _server(place, settings, providers, answering.set)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), server.stop)
        saying = asyncio.create_task(say_ready(answering))
        try:
            await server.serve([socket.socket(fileno=descriptor)])
        finally:
            saying.cancel()


def _command(listener: socket.socket, data: Path | None) -> list[str]:
    safe = ["-P"] if sys.flags.safe_path else []
    return [
        sys.executable,
        *safe,
        "-m",
        "bursar",
        "answer",
        str(listener.fileno()),
        *(["--data", str(data)] if data else []),
    ]


def _server(place: Place, settings: Settings, providers: Providers, told: Callable[[], None]) -> _Server:
    @asynccontextmanager
    async def open_door() -> AsyncGenerator[Door]:
        async with _door(place, settings, providers) as door:
            yield door

    config = uvicorn.Config(
        create_app(open_door, local_only=place.is_sandbox),
        http=Protocol,
        access_log=False,
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        proxy_headers=False,
        server_header=False,
    )
    return _Server(config, told)


@asynccontextmanager
async def _door(place: Place, settings: Settings, providers: Providers) -> AsyncGenerator[Door]:
    """The door, and who rings for jobs."""
    desk = Desk(place.database, assess)
    bell = Bell()
    ringing = asyncio.create_task(ring_for_jobs(place.database, bell, CHANNEL))
    try:
        sandbox = place.tenant_id if place.is_sandbox else None
        party = RelyingParty(settings.webauthn_rp_id, settings.webauthn_origin)
        yield Door(place.database, desk, sandbox, Turnstile(settings.requests_per_second), party, providers, bell)
    finally:
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
        await desk.drain()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise CannotServe(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    return bound


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
