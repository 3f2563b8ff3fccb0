"""Databases for tests: one PostgreSQL for the whole run, a migrated template on it, and a copy for whoever asks."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from bursar.kernel.migrate import migrate

TEMPLATE = "bursar_template"
_PREFIX = "bursar-tests-"
_SECONDS_BEFORE_SWEEPING = 600
_NUMBERS = count()


def make_directory() -> str:
    """A place for the run's server, in memory if there is enough of it.

    The server syncs all that it should; the machine's disk is not what is tested.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 * 1024**3
    place = memory if roomy else Path(tempfile.gettempdir())
    for old in place.glob(f"{_PREFIX}*"):
        if time.time() - old.stat().st_mtime > _SECONDS_BEFORE_SWEEPING:
            _sweep(old)
    return tempfile.mkdtemp(prefix=_PREFIX, dir=place)


def _sweep(old: Path) -> None:
    """End the server of a run that was killed, if nobody holds its lease, and remove what it left."""
    with suppress(OSError, ValueError), (old / "postgres.lease").open() as lease:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pid = int((old / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        if str(old) in Path(f"/proc/{pid}/cmdline").read_text():
            os.kill(pid, signal.SIGINT)
        shutil.rmtree(old, ignore_errors=True)


def url_of(server: str, name: str) -> str:
    """The URL of another database on the same server."""
    return server.replace("/postgres?", f"/{name}?")


def make_template(server: str) -> None:
    """Make the template if it is not there; under another name first, so that no kill leaves half of it behind."""
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [TEMPLATE]).rowcount:
            return
        connection.execute("DROP DATABASE IF EXISTS half_a_template")
        connection.execute("CREATE DATABASE half_a_template")
        asyncio.run(migrate(url_of(server, "half_a_template")))
        connection.execute(sql.SQL("ALTER DATABASE half_a_template RENAME TO {}").format(sql.Identifier(TEMPLATE)))


@contextmanager
def own_database(server: str, template: str = TEMPLATE) -> Generator[str]:
    """The superuser's URL of a fresh copy of the template, which is gone afterwards."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    its_name = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        # Files are copied in half the time that it takes to write every page to the log.
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        connection.execute(copy.format(its_name, sql.Identifier(template)))
    try:
        yield url_of(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(its_name))
