"""Every test has a database of its own, on one PostgreSQL that the whole run shares, and leaves its books in order.

A test that used a database fails at its end if any invariant of `bursar verify` is broken in it.
"""

import asyncio
import fcntl
import gc
import shutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings

from bursar.core.identity import service as identity
from bursar.core.identity.model import KeyCredential
from bursar.faces.cli.verify import REPLAYS
from bursar.features.verification import service as verification
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.ids import new_id
from tests.databases import make_directory, make_template, own_database
from tests.people import enrol

# A machine that is busy makes no test wrong.
settings.register_profile("patient", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("patient")

DIRECTORY = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--binaries", type=Path, help="run on the PostgreSQL of this directory, not the embedded one")


def pytest_configure(config: pytest.Config) -> None:
    workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[DIRECTORY] = workerinput["postgres"] if workerinput else make_directory()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist, which has no types, where everyone's server is."""
    node.workerinput["postgres"] = node.config.stash[DIRECTORY]


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[DIRECTORY], ignore_errors=True)


def pytest_collection_finish() -> None:
    """Have the collector leave alone what stays: thousands of tests, and all that they import."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asyncio's own loop; served processes run on uvloop, whose end would wait for every handle a test left broken."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[str]:
    """The superuser's URL of the server that all workers share."""
    directory = Path(pytestconfig.stash[DIRECTORY])
    binaries: Path | None = pytestconfig.getoption("--binaries")
    with EmbeddedPostgres(directory, binaries=binaries, settings={"max_connections": "300"}) as server:
        url = server.start()
        with (directory / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make_template(url)
        yield url


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """A database without anything in it, for what migrates it itself; nothing is verified."""
    with own_database(postgres, "template1") as url:
        yield url


@pytest.fixture
def unverified_database_url(postgres: str) -> Iterator[str]:
    """A migrated database that may be left with violations in it."""
    with own_database(postgres) as url:
        yield url


@pytest.fixture
def database_url(unverified_database_url: str) -> Iterator[str]:
    """The superuser's URL of a migrated database of the test's own; its invariants must hold at the end."""
    yield unverified_database_url
    broken = asyncio.run(_violations(unverified_database_url))
    assert not broken, "\n".join(["The test left broken invariants:", *broken])


async def _violations(url: str) -> list[str]:
    database = await Database.open(url, role="bursar_verify", connections=1)
    try:
        async with database.transaction(read_only=True) as tx:
            found = await verification.verify(tx)
            found += await verification.replayed(tx, REPLAYS, lambda _replay, _looked_at: None)
            return [str(violation) for violation in found]
    finally:
        await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """The test's database as the service sees it, in the role bursar_app."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def verify_database(database_url: str) -> AsyncGenerator[Database]:
    """The same database in the role bursar_verify, which reads all tenants."""
    opened = await Database.open(database_url, role="bursar_verify", connections=2)
    yield opened
    await opened.close()


@pytest.fixture
async def tenant_id(database: Database) -> UUID:
    """A fresh tenant, which has one principal: the operator `operator`."""
    fresh = new_id()
    async with database.transaction(fresh) as tx:
        await identity.create_tenant(tx, f"tenant-{fresh.hex}")
        await identity.create_principal(tx, "operator", "operator")
    return fresh


@pytest.fixture
async def operator(database: Database, tenant_id: UUID) -> KeyCredential:
    """What a request says of its caller when it carries a key of that operator with every scope."""
    return await enrol(database, tenant_id, "operator", "operator")
