"""Databases for tests: one PostgreSQL for the whole run, a migrated template on it, and a copy for whoever asks."""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg import sql

from bursar.kernel.migrate import migrate

TEMPLATE = "bursar_template"
_NUMBERS = count()


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
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(its_name, sql.Identifier(template)))
    try:
        yield url_of(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(its_name))
