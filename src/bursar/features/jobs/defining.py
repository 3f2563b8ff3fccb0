"""Definitions as they are kept: what comes with Bursar and what people made, in versions that never change."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.features.jobs import definition_store
from bursar.features.jobs.definition import (
    AT_ONCE,
    Definition,
    built_in,
    read_definition,
    refuse_nonsense,
    write_definition,
)
from bursar.features.jobs.definition_store import Kept
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.refusal import InvalidArgument, UnknownObject


async def define(tx: Tx, actor: Actor, name: str, wanted: Mapping[str, Json]) -> tuple[Kept, Happening]:
    """Keep `steps` and `separate` as the next version of a definition; jobs keep the version they were made by.

    Raises `InvalidArgument`, naming the field.
    """
    if name == AT_ONCE:
        raise InvalidArgument(
            "name", "is that of the quickstart's payments, which go by the version they were made for"
        )
    # One after the other, so that each has a number of its own.
    await identity.take_turn(tx)
    latest = await find_or_none(tx, name, None)
    definition = read_definition(canonical({**wanted, "name": name, "version": latest.version + 1 if latest else 1}))
    refuse_nonsense(definition)
    await keep(tx, definition, actor.principal_id)
    facts: dict[str, Json] = {**wanted, "version": definition.version}
    return await find(tx, name, definition.version), Happening("job_definition.made", "done", facts, name)


async def keep(tx: Tx, definition: Definition, made_by: UUID | None = None) -> None:
    """Keep a version, unless it is kept already; one that comes with Bursar is made by nobody."""
    body = write_definition(definition)
    row = Kept(definition.name, definition.version, body, made_by, None)
    await definition_store.insert(tx, row, sha256(body.encode()).digest())


async def find(tx: Tx, name: str, version: int | None) -> Kept:
    """A version of a definition, or its latest."""
    found = await find_or_none(tx, name, version)
    if found is None:
        raise UnknownObject("job definition")
    return found


async def find_or_none(tx: Tx, name: str, version: int | None) -> Kept | None:
    """A version of a definition, or its latest, if there is one: those kept go before those that come with Bursar."""
    kept = await definition_store.find(tx, name, version)
    own = built_in().get(name)
    if own is None or version not in (None, own.version) or (kept and kept.version >= own.version):
        return kept
    return _unused(own)


async def list_all(tx: Tx, after: tuple[str, int], limit: int) -> Sequence[Kept]:
    """Every version of every definition after the one named, by name and version."""
    kept = {(k.name, k.version): k for k in await definition_store.list_all(tx, after, limit)}
    own = {(d.name, d.version): _unused(d) for d in built_in().values() if (d.name, d.version) > after}
    return [found for _, found in sorted((own | kept).items())][:limit]


def _unused(own: Definition) -> Kept:
    return Kept(own.name, own.version, write_definition(own), None, None)
