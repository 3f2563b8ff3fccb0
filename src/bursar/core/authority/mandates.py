"""The verbs of mandates: draft, change, activate, revoke, read. Every change is a version that stays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from bursar.core.authority import facts_store, superseding
from bursar.core.authority import mandate_store as store
from bursar.core.authority.mandate import Mandate, MandateStatus, read_terms
from bursar.core.authority.narrowing import refuse_wider
from bursar.core.identity.model import Actor
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Conflict, InvalidArgument, Retry, UnknownObject


class MandateStateConflict(Conflict):
    """The mandate is not in a state that allows this."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read the mandate again to see its present state."

    def __init__(self, status: str) -> None:
        """The status it has."""
        super().__init__(status)
        self.status = status

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """What it is."""
        return f"The mandate is {self.status}. Nothing was changed."


class Draft(NamedTuple):
    """A mandate to be: for one agent, for a team, or for every agent of the tenant; below a parent if it names one."""

    name: str
    agent_id: UUID | None
    team: str | None
    parent_id: UUID | None
    not_before: datetime | None
    expires_at: datetime | None
    terms: dict[str, Any]


async def draft(tx: Tx, granter_id: UUID, wanted: Draft) -> Mandate:
    """Write a mandate that is not in force yet; refuses one that gives more than its parent."""
    terms = read_terms(wanted.terms)
    if wanted.agent_id is not None and wanted.team is not None:
        raise InvalidArgument("team", "cannot be named beside an agent")
    if wanted.not_before and wanted.expires_at and wanted.not_before >= wanted.expires_at:
        raise InvalidArgument("expires_at", "must be later than not_before")
    if wanted.parent_id is not None:
        refuse_wider(terms, (await _locked(tx, wanted.parent_id)).terms)
    made = Mandate(
        new_id(), 1, wanted.name, wanted.agent_id, wanted.team, wanted.parent_id, "draft", wanted.not_before,
        wanted.expires_at, canonical(wanted.terms), granter_id, await tx.value(datetime, "SELECT clock_timestamp()"),
    )  # fmt: skip
    store.insert_mandate(tx, made, granter_id)
    return made


def imagined(wanted: Draft, agent_id: UUID) -> Mandate:
    """A mandate that is only thought of, for an agent, to be tried on its past."""
    read_terms(wanted.terms)
    return Mandate(
        new_id(), 0, wanted.name, agent_id, None, None, "draft", None, None, canonical(wanted.terms), agent_id,
        datetime.now(UTC),
    )  # fmt: skip


async def change(tx: Tx, actor: Actor, mandate_id: UUID | None, terms: dict[str, Any]) -> Mandate:
    """Give a mandate other terms, from the commit on; what was used of its windows stays used.

    What waits for people under the old ones, or under mandates below it, is superseded.
    """
    found, parent = await locked_with_parent(tx, mandate_id)
    refuse_terms(found, parent, terms)
    changed = await _changed(tx, actor.principal_id, replace(found, text=canonical(terms)))
    await superseding.end_under(tx, changed, "changed")
    return changed


def refuse_terms(mandate: Mandate, parent: Mandate | None, terms: dict[str, Any]) -> None:
    """Refuse terms that this mandate cannot have: they make no sense, or give more than its parent, or it is over."""
    read = read_terms(terms)
    if mandate.status == "revoked":
        raise MandateStateConflict(mandate.status)
    if parent is not None:
        refuse_wider(read, parent.terms)


async def activate(tx: Tx, actor_id: UUID, mandate_id: UUID | None) -> Mandate:
    """Put a draft in force."""
    active = await _become(tx, actor_id, mandate_id, "active", ("draft",))
    await superseding.end_under(tx, active, "activated")
    return active


async def revoke(tx: Tx, actor_id: UUID, mandate_id: UUID | None) -> Mandate:
    """End a mandate for good, with all that waits under it; nothing that commits after this was allowed by it."""
    revoked = await _become(tx, actor_id, mandate_id, "revoked", ("draft", "active", "paused"))
    await superseding.end_under(tx, revoked, "revoked")
    return revoked


async def pause(tx: Tx, actor_id: UUID, mandate_id: UUID | None) -> Mandate:
    """Take a mandate out of force until it is resumed; whoever calls ends what waits under it."""
    return await _become(tx, actor_id, mandate_id, "paused", ("active",))


async def resume(tx: Tx, actor_id: UUID, mandate_id: UUID | None) -> Mandate:
    """Put a paused mandate in force again; whoever calls has seen two operators ask for it."""
    active = await _become(tx, actor_id, mandate_id, "active", ("paused",))
    await superseding.end_under(tx, active, "resumed")
    return active


async def _become(
    tx: Tx, actor_id: UUID, mandate_id: UUID | None, status: MandateStatus, before: Sequence[MandateStatus]
) -> Mandate:
    found = await _locked(tx, mandate_id)
    if found.status not in before:
        raise MandateStateConflict(found.status)
    return await _changed(tx, actor_id, replace(found, status=status))


async def _changed(tx: Tx, actor_id: UUID, wanted: Mandate) -> Mandate:
    now = await tx.value(datetime, "SELECT clock_timestamp()")
    changed = replace(wanted, version=wanted.version + 1, changed_at=now)
    store.update_mandate(tx, changed, actor_id)
    return changed


async def _locked(tx: Tx, mandate_id: UUID | None) -> Mandate:
    found = await store.lock_mandate(tx, mandate_id) if mandate_id else None
    if found is None:
        raise UnknownObject("mandate")
    return found


async def locked_with_parent(tx: Tx, mandate_id: UUID | None) -> tuple[Mandate, Mandate | None]:
    """A mandate and the one above it, locked in id order as decisions lock them; what is above one never changes."""
    found = await store.find_mandate(tx, mandate_id) if mandate_id else None
    if found is None:
        raise UnknownObject("mandate")
    wanted = [found.id, found.parent_id] if found.parent_id else [found.id]
    locked = {mandate.id: mandate for mandate in await store.lock_mandates(tx, wanted)}
    return locked[found.id], locked[found.parent_id] if found.parent_id else None


async def list_for(tx: Tx, actor: Actor, agent_id: UUID | None, after: UUID | None, limit: int) -> list[Mandate]:
    """Mandates in the order of their making, of one agent if asked; an agent sees those it acts under."""
    if actor.kind != "agent":
        return await store.list_mandates(tx, agent_id, after, limit)
    if agent_id not in (None, actor.principal_id):
        return []
    mine = await facts_store.list_mandates_for(tx, [(actor.principal_id, actor.team)])
    return [m for m in mine if after is None or m.id > after][:limit]


async def find_for(tx: Tx, actor: Actor, mandate_id: UUID | None) -> Mandate:
    """One mandate as it stands; an agent finds those it acts under."""
    found = await store.find_mandate(tx, mandate_id) if mandate_id else None
    if found is not None and actor.kind == "agent":
        mine = await facts_store.list_mandates_for(tx, [(actor.principal_id, actor.team)])
        found = next((m for m in mine if m.id == found.id), None)
    if found is None:
        raise UnknownObject("mandate")
    return found


async def versions_for(tx: Tx, actor: Actor, mandate_id: UUID | None) -> list[store.Version]:
    """Every version of a mandate, oldest first."""
    return await store.list_versions(tx, (await find_for(tx, actor, mandate_id)).id)
