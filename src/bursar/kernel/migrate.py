"""Plain SQL migrations, forward only, each applied once and checked against edits; safe with several migrators."""

import asyncio
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from bursar.kernel.db import MayNot, connect

_LOCK = 72_707_369


class CannotMigrate(Exception):
    """The database is not what the migrations expect; the message says what to do."""


def _scripts() -> Iterator[tuple[str, str]]:
    folder = files("bursar") / "migrations"
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name[:4].isdigit() and path.name.endswith(".sql"):
            yield path.name, path.read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def pending(url: str) -> list[str]:
    """The names of the migrations this database has not had; refuses one that was edited after it was applied."""
    connection = await connect(url)
    try:
        have = await _applied(connection)
    finally:
        await connection.close()
    return [name for name, text in _scripts() if _is_new(name, text, have)]


async def migrate(url: str) -> list[str]:
    """Apply what is pending as the owner role and return the names; a second migrator waits for the first."""
    if not await pending(url):
        return []
    connection = await connect(url)
    try:
        await _wait_for_turn(connection)
        await _prepare(connection)
        have = await _applied(connection)
        new = [(name, text) for name, text in _scripts() if _is_new(name, text, have)]
        for name, text in new:
            async with connection.transaction():
                await connection.execute(text)
                await connection.execute(
                    "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)", name, _sha256(text)
                )
        return [name for name, _ in new]
    finally:
        await connection.close()


async def _wait_for_turn(connection: Any) -> None:
    """Polled: a migrator blocked in pg_advisory_lock() would deadlock with CREATE INDEX CONCURRENTLY."""
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 -- polled, as said
        await asyncio.sleep(0.1)


async def _prepare(connection: Any) -> None:
    """Roles, schema and the list of what was applied; from here on everything is made as the owner."""
    try:
        await connection.execute((files("bursar") / "migrations" / "roles.sql").read_text(encoding="utf-8"))
        await connection.execute("CREATE SCHEMA IF NOT EXISTS bursar AUTHORIZATION bursar_owner")
    except MayNot as error:
        raise CannotMigrate(
            "This login may not make roles and schemas. Run `bursar migrate` once with one that may."
        ) from error
    await connection.execute(
        "SET ROLE bursar_owner; SET search_path = bursar; SET lock_timeout = '5s'; SET statement_timeout = '15min'"
    )
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT clock_timestamp());"
        # A login that may not migrate still looks whether it must be asked to.
        " GRANT SELECT ON schema_migration TO bursar_app, bursar_worker, bursar_verify"
    )


async def _applied(connection: Any) -> dict[str, str]:
    if not await connection.fetchval("SELECT to_regclass('bursar.schema_migration') IS NOT NULL"):
        return {}
    return dict(await connection.fetch("SELECT name, sha256 FROM bursar.schema_migration"))


def _is_new(name: str, text: str, have: dict[str, str]) -> bool:
    if name in have and have[name] != _sha256(text):
        raise CannotMigrate(f"{name} was edited after it was applied; write a new migration instead")
    return name not in have
