"""Other rooms open a case for what they cannot settle: one, however often and by however many they try."""

import asyncio
from uuid import UUID

import pytest

from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject, Wanted
from bursar.kernel.db import Database
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject

ABOUT = Subject("payment", "pay_1")


async def open_once(database: Database, tenant_id: UUID, note: str = "Nobody answers.") -> UUID:
    async with database.transaction(tenant_id) as tx:
        return await cases.open_case(tx, "unknown_outcome", ABOUT, note)


async def test_twenty_at_once_open_one_case_with_one_note_and_one_event(database: Database, tenant_id: UUID) -> None:
    found = await asyncio.gather(*(open_once(database, tenant_id, f"Note {n}.") for n in range(20)))
    assert len(set(found)) == 1
    async with database.transaction(tenant_id, read_only=True) as tx:
        (case,) = await cases.list_all(tx, Wanted(), None, 50)
        (note,) = await cases.list_notes(tx, case.id, None, 50)
        written = await tx.value(int, "SELECT count(*) FROM event WHERE object = $1", show("case", case.id))
    assert (case.id, case.state, case.opened_by, note.author) == (found[0], "open", None, None)
    assert written == 1


async def test_after_it_is_settled_the_next_is_a_case_of_its_own(database: Database, tenant_id: UUID) -> None:
    first = await open_once(database, tenant_id)
    async with database.transaction(tenant_id) as tx:
        await cases.bring(tx, None, first, "in_progress", None)
    assert await open_once(database, tenant_id) == first
    async with database.transaction(tenant_id) as tx:
        case, happening = await cases.bring(tx, None, first, "resolved", "It was paid.")
    assert (case.state, happening.type, happening.payload["note"]) == ("resolved", "case.resolved", "It was paid.")
    assert await open_once(database, tenant_id) != first


async def test_what_is_undone_leaves_no_case(database: Database, tenant_id: UUID) -> None:
    with pytest.raises(UnknownObject):
        await open_and_fail(database, tenant_id)
    async with database.transaction(tenant_id, read_only=True) as tx:
        assert await cases.list_all(tx, Wanted(), None, 50) == []


async def open_and_fail(database: Database, tenant_id: UUID) -> None:
    async with database.transaction(tenant_id) as tx:
        await cases.open_case(tx, "unknown_outcome", ABOUT)
        await cases.find(tx, None)
