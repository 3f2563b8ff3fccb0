"""`bursar serve`: the service, until it is told to stop."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import uvicorn

from bursar import worker
from bursar.api.app import create_app
from bursar.api.door import Door
from bursar.api.telemetry import configure_logs
from bursar.api.turnstile import Turnstile
from bursar.api.waiting import ring_for_jobs
from bursar.core.authority.desk import Desk
from bursar.core.authority.security_keys import RelyingParty
from bursar.core.ledger import reading
from bursar.faces.cli.mail import mail_port
from bursar.faces.cli.place import CannotServe, Place, opened
from bursar.faces.cli.providers import connected, refuse_real_keys
from bursar.faces.cli.upstream import is_loopback
from bursar.features.jobs.store import CHANNEL
from bursar.features.notifications.delivering import Dispatcher
from bursar.features.notifications.sending import Post, network
from bursar.features.payments.calling import Shop
from bursar.features.payments.registry import Providers
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Bell, Database, UpstreamUnavailable
from bursar.kernel.embedded import EmbeddedPostgres, PostgresUnavailable
from bursar.kernel.settings import Settings

_SECONDS_TO_FINISH = 3
_SECONDS_BETWEEN_LOOKS = 0.5


class _Server(uvicorn.Server):
    """Says where it listens once it answers, and returns when it is told to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """A signal ends the serving, not the process: the database beside it must be left in order first."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            # What is alive now stays: the collector need not walk it again with every pass.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 20)
            host, port = sockets[0].getsockname()[:2]
            print(f"Bursar is listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


async def serve(host: str, port: int, data: Path | None) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first."""
    settings = Settings()
    configure_logs(settings.log_level)
    if not settings.database_url and not is_loopback(host):
        raise CannotServe(f"The sandbox is open without a key, so it listens on this machine only, not on {host}.")
    refuse_real_keys(settings, is_sandbox=not settings.database_url)
    async with opened(data) as place, connected(place, settings) as providers:

        @asynccontextmanager
        async def open_door() -> AsyncGenerator[Door]:
            async with _door(place, settings, providers) as door:
                yield door

        config = uvicorn.Config(
            create_app(open_door, local_only=place.is_sandbox),
            access_log=False,
            log_level="warning",
            lifespan="on",
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
            proxy_headers=False,
            server_header=False,
        )
        await _Server(config).serve([_bound(host, port)])


@asynccontextmanager
async def _door(place: Place, settings: Settings, providers: Providers) -> AsyncGenerator[Door]:
    """The door, and the worker beside it."""
    desk = Desk(place.database, assess)
    workers = await Database.open(place.url, role="bursar_worker", connections=2)
    # Webhooks have connections of their own: many of them must not keep money's tasks waiting.
    senders = await Database.open(place.url, role="bursar_worker", connections=2)
    post = Post(network(), plain_to_loopback=place.is_sandbox)
    dispatcher = Dispatcher(senders, post.send)
    tasks = (
        *worker.payment_tasks(Shop(workers, providers)),
        *worker.notification_tasks(settings.webhook_delivery_days),
        *worker.mail_tasks(mail_port(settings, is_sandbox=place.is_sandbox)),
        (dispatcher.turn, 0.25),
    )
    bell = Bell()
    beside = [
        asyncio.create_task(worker.work(workers, tasks)),
        asyncio.create_task(ring_for_jobs(place.database, bell, CHANNEL)),
    ]
    if place.server:
        beside.append(asyncio.create_task(_keep_up(place.database, place.server)))
    try:
        sandbox = place.tenant_id if place.is_sandbox else None
        party = RelyingParty(settings.webauthn_rp_id, settings.webauthn_origin)
        yield Door(place.database, desk, sandbox, Turnstile(settings.requests_per_second), party, providers, bell)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await dispatcher.close()
        await post.transport.aclose()
        await desk.drain()
        await senders.close()
        await workers.close()


async def _keep_up(database: Database, server: EmbeddedPostgres) -> None:
    """Bring the embedded server up again when it is gone; a configured one has somebody else who does."""
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            async with database.transaction(read_only=True) as tx:
                await reading.clock(tx)
        except UpstreamUnavailable:
            structlog.get_logger().warning("starting PostgreSQL again")
            await _bring_up(server)


async def _bring_up(server: EmbeddedPostgres) -> None:
    try:
        await asyncio.to_thread(server.start)
    except PostgresUnavailable as error:
        structlog.get_logger().error("PostgreSQL does not start", reason=str(error))


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise CannotServe(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    return bound
