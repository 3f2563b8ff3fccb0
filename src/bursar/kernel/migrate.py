"""Plain SQL migrations, forward only, each applied once and checked against edits; safe with several migrators."""

import hashlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
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
        async with connection.transaction(readonly=True):
            have = await _applied(connection)
    finally:
        await connection.close()
    return [name for name, text in _scripts() if _is_new(name, text, have)]


async def migrate(url: str) -> list[str]:
    """Apply what is pending as the owner role, each in a transaction, and return the names; several may be at it."""
    if not await pending(url):
        return []
    connection = await connect(url)
    try:
        async with _turn(connection):
            await _prepare(connection)
        done: list[str] = []
        while name := await _apply_next(connection):
            done.append(name)
        return done
    finally:
        await connection.close()


async def _apply_next(connection: Any) -> str | None:
    """Apply the first migration that this database has not had, and return its name; None: it has had all."""
    async with _turn(connection):
        have = await _applied(connection)
        new = ((name, text) for name, text in _scripts() if _is_new(name, text, have))
        name, text = next(new, (None, ""))
        if name:
            await connection.execute(
                "SET LOCAL ROLE bursar_owner; SET LOCAL search_path = bursar;"
                " SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15min'"
            )
            await connection.execute(text)
            await connection.execute("INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)", name, _sha256(text))
        return name


@asynccontextmanager
async def _turn(connection: Any) -> AsyncGenerator[None]:
    """A transaction while no other migrator has one. Nothing of it stays with the session, which may be a pooler's."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock({_LOCK})")
        yield


async def _prepare(connection: Any) -> None:
    """Roles, schema and the list of what was applied."""
    try:
        await connection.execute((files("bursar") / "migrations" / "roles.sql").read_text(encoding="utf-8"))
        await connection.execute("CREATE SCHEMA IF NOT EXISTS bursar AUTHORIZATION bursar_owner")
    except MayNot as error:
        raise CannotMigrate(
            "This login may not make roles and schemas. Run `bursar migrate` once with one that may."
        ) from error
    await connection.execute(
        "SET LOCAL ROLE bursar_owner; SET LOCAL search_path = bursar;"
        " CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, sha256 text NOT NULL,"
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
