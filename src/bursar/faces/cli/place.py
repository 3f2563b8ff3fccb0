"""Where a command works: the database behind the settings, migrated, and the tenant it is about."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from bursar.core.identity import service as identity
from bursar.features.lending import scorecards
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.migrate import migrate
from bursar.kernel.settings import Settings

VERIFIER = "bursar_verify"
_SANDBOX_LOCK = 72_707_370
# The tenant of a command that names none, where there is no sandbox.
_FIRST_TENANT = "main"


class CannotServe(Exception):
    """What was asked of the service is refused; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A database that is ready, the tenant a command is about, and the embedded server if it is that one's."""

    database: Database
    url: str
    tenant: str
    tenant_id: UUID
    server: EmbeddedPostgres | None

    @property
    def is_sandbox(self) -> bool:
        """Without a configured database this is the sandbox."""
        return self.server is not None


def tenant_id_of(name: str) -> UUID:
    """A tenant's id follows from its name, so that no command needs to look across tenants to find one."""
    return uuid5(NAMESPACE_URL, f"urn:bursar:tenant:{name}")


@asynccontextmanager
async def reached(data: Path | None) -> AsyncGenerator[tuple[str, EmbeddedPostgres | None]]:
    """The URL of the configured PostgreSQL, or of the embedded one in the data directory and its server."""
    settings = Settings() if data is None else Settings(data=data)
    if settings.database_url:
        yield settings.database_url, None
        return
    server = EmbeddedPostgres(settings.data)
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(starting), server
    finally:
        # A thread does not stop when its waiter is interrupted: what it starts must be stopped all the same.
        await asyncio.wait([starting])
        starting.exception()  # Whoever was interrupted does not wait to hear of it.
        await asyncio.to_thread(server.stop)


async def database_as(url: str, role: str, connections: int) -> Database:
    """The database as a role, by so many connections, in the way that the settings say.

    Who verifies reads whole tables, however large they are, and waits for that.
    """
    settings = Settings()
    return await Database.open(
        url,
        role=role,
        connections=connections,
        statement_cache_size=settings.statement_cache_size,
        pooled=settings.pooled,
        patient=role == VERIFIER,
    )


@asynccontextmanager
async def opened(
    data: Path | None = None, tenant: str | None = None, role: str = "bursar_app"
) -> AsyncGenerator[Place]:
    """Open the place: the configured PostgreSQL, or the embedded one with the sandbox in it; migrated."""
    async with reached(data) as (url, server):
        await migrate(url)
        database = await database_as(url, role, Settings().connections)
        try:
            if server and role == "bursar_app":
                async with database.transaction(tenant_id_of(sandbox.TENANT), locks=[_SANDBOX_LOCK]) as tx:
                    await sandbox.ensure(tx)
                    operator = await identity.find_principal_named(tx, sandbox.OPERATOR)
                    assert operator
                    await scorecards.ship(tx, operator.id)
            name = tenant or (sandbox.TENANT if server else _FIRST_TENANT)
            yield Place(database, url, name, tenant_id_of(name), server)
        finally:
            await database.close()
