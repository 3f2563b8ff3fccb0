"""`bursar cases`: at the database, in an operator's name, like `bursar freeze`."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.faces.cli.place import opened
from bursar.features.cases import service as cases
from bursar.features.cases.model import Case, Note, State, Subject, Wanted
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show

_MOST_LISTED = 1_000


async def listed(
    state: State | None, kind: str | None, owner: str | None, tenant: str | None, data: Path | None
) -> list[dict[str, Any]]:
    """Cases, oldest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        wanted = Wanted(state, kind, await cases.principal_id_of(tx, owner))
        found = await cases.list_all(tx, wanted, None, _MOST_LISTED)
        now = await reading.clock(tx)
    return [show_case(case, now) for case in found]


async def shown(case_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """One case with its notes."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        case = await cases.find(tx, read("case", case_id))
        notes = await cases.list_notes(tx, case.id, None, _MOST_LISTED)
        return {**show_case(case, await reading.clock(tx)), "notes": [_show_note(note) for note in notes]}


async def open_case(
    operator: str,
    kind: str,
    subject: Subject,
    owner: str | None,
    note: str | None,
    tenant: str | None,
    data: Path | None,
) -> dict[str, Any]:
    """Open a case."""
    return await _change(
        operator, "open_case", tenant, data, lambda tx, actor: cases.open_new(tx, actor, kind, subject, owner, note)
    )


async def note(operator: str, case_id: str, text: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Append a note; the case with all its notes."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        _, happening = await cases.add_note(tx, actor, read("case", case_id), text)
        _record(tx, actor, "add_case_note", happening)
    return await shown(case_id, tenant, data)


async def assign(
    operator: str, case_id: str, owner: str | None, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Say who owns it."""
    return await _change(
        operator, "assign_case", tenant, data, lambda tx, _: cases.assign(tx, read("case", case_id), owner)
    )


async def bring(
    operator: str, case_id: str, state: State, text: str | None, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Bring it to another state."""
    return await _change(
        operator, "change_case_state", tenant, data,
        lambda tx, actor: cases.bring(tx, actor, read("case", case_id), state, text),
    )  # fmt: skip


async def _change(
    operator: str,
    action: str,
    tenant: str | None,
    data: Path | None,
    verb: Callable[[Tx, Actor], Awaitable[tuple[Case, Happening]]],
) -> dict[str, Any]:
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        case, happening = await verb(tx, actor)
        _record(tx, actor, action, happening)
        return show_case(case, await reading.clock(tx))


def _record(tx: Tx, actor: Actor, action: str, happening: Happening) -> None:
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", action, told)])


def show_case(case: Case, now: datetime) -> dict[str, Any]:
    """A case with its age in whole days."""
    return {
        "id": show("case", case.id),
        "kind": case.kind,
        "subject": {"kind": case.subject.kind, "id": case.subject.id},
        "state": case.state,
        "owner": case.owner,
        "opened_at": case.opened_at.isoformat(),
        "age_days": max(0, (now - case.opened_at) // timedelta(days=1)),
    }


def _show_note(note: Note) -> dict[str, Any]:
    return {"author": note.author or "bursar", "noted_at": note.noted_at.isoformat(), "text": note.text}
