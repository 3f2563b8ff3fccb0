"""What runs beside the answering, once however many processes answer: the worker, and who keeps PostgreSQL up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from bursar import worker
from bursar.core.ledger import reading
from bursar.faces.cli.mail import mail_port
from bursar.faces.cli.place import Place, database_as
from bursar.features.notifications.delivering import Dispatcher
from bursar.features.notifications.sending import Post, network
from bursar.features.payments.calling import Shop
from bursar.features.payments.registry import Providers
from bursar.kernel.db import Database, UpstreamUnavailable
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.settings import Settings

_SECONDS_BETWEEN_LOOKS = 0.5


@asynccontextmanager
async def working(place: Place, settings: Settings, providers: Providers) -> AsyncGenerator[None]:
    """The worker with all its tasks; and the embedded PostgreSQL is brought up again when it is gone."""
    workers = await database_as(place.url, "bursar_worker", 2)
    # Webhooks have connections of their own: many of them must not keep money's tasks waiting.
    senders = await database_as(place.url, "bursar_worker", 2)
    post = Post(network(), plain_to_loopback=place.is_sandbox)
    dispatcher = Dispatcher(senders, post.send)
    tasks = (
        *worker.payment_tasks(Shop(workers, providers)),
        *worker.notification_tasks(settings.webhook_delivery_days),
        *worker.answer_tasks(settings.answer_days),
        *worker.mail_tasks(mail_port(settings, is_sandbox=place.is_sandbox)),
        (dispatcher.turn, 0.25),
    )
    beside = [asyncio.create_task(worker.work(workers, tasks))]
    if place.server:
        beside.append(asyncio.create_task(_keep_up(place.database, place.server)))
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await dispatcher.close()
        await post.transport.aclose()
        await senders.close()
        await workers.close()


async def _keep_up(database: Database, server: EmbeddedPostgres) -> None:
    """Bring the embedded server up again when it is gone; a configured one has somebody else who does."""
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            await _look_after(database, server)
        except Exception as error:  # noqa: BLE001 -- whatever it is, nobody else looks again
            structlog.get_logger().error("PostgreSQL is not well", error=type(error).__name__, reason=str(error))


async def _look_after(database: Database, server: EmbeddedPostgres) -> None:
    try:
        async with database.transaction(read_only=True) as tx:
            await reading.clock(tx)
    except UpstreamUnavailable:
        structlog.get_logger().warning("starting PostgreSQL again")
        await asyncio.to_thread(server.start)
