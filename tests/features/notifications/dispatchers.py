"""Dispatchers that send, and time that passes for them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import psycopg

from bursar.features.notifications.delivering import Dispatcher
from tests.features.notifications.receivers import Receiver
from tests.features.notifications.tellers import Teller


def url_of(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/"


def by_now(database_url: str) -> None:
    """Time passes until whatever waits is due."""
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE bursar.webhook_delivery SET due_at = now() WHERE status = 'pending'")


async def until(fact: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110 -- a server's log sets no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def sending(teller: Teller) -> AsyncGenerator[Dispatcher]:
    """A dispatcher that takes its turns, until the end."""
    dispatcher = teller.dispatcher()

    async def work() -> None:
        while True:
            await dispatcher.turn()
            await asyncio.sleep(0.01)

    turns = asyncio.create_task(work())
    try:
        yield dispatcher
    finally:
        turns.cancel()
        await asyncio.gather(turns, return_exceptions=True)
        await dispatcher.close()
