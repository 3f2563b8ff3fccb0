"""Requests that are slow for sure: somebody holds a lock that they need, as long as the test wants."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg

_LOOK_SECONDS = 0.02


class Lock:
    """A lock on an account's row, held on a connection of its own."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[int]]) -> None:
        self._connection = connection

    async def waited_for(self) -> None:
        """Return when somebody waits for it."""
        async with asyncio.timeout(10):
            while not await self._waiting():  # noqa: ASYNC110 -- PostgreSQL says who waits only when it is asked
                await asyncio.sleep(_LOOK_SECONDS)

    async def release(self) -> None:
        """Let go."""
        await self._connection.rollback()

    async def _waiting(self) -> int:
        found = await self._connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        row = await found.fetchone()
        assert row
        return row[0]


@asynccontextmanager
async def locked(url: str, account: str) -> AsyncGenerator[Lock]:
    """Hold the row of an account, by its number, in the database that the superuser's URL names."""
    connection = await psycopg.AsyncConnection[tuple[int]].connect(url)
    try:
        found = await connection.execute("SELECT 1 FROM bursar.account WHERE number = %s FOR UPDATE", [account])
        assert found.rowcount == 1
        yield Lock(connection)
    finally:
        await connection.close()
