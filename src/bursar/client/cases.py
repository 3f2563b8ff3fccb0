"""Cases: what a person must look at."""

from collections.abc import AsyncIterator
from typing import Literal

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.cases import Case, CaseNote
from bursar.wire.fields import Page

State = Literal["open", "in_progress", "resolved", "closed"]


class Cases(Room):
    """People open, assign and settle them; agents read and note."""

    async def open_case(
        self,
        *,
        kind: str,
        subject_kind: str,
        subject_id: str,
        owner: str | None = None,
        note: str | None = None,
        idempotency_key: str | None = None,
    ) -> Case:
        """Open a case; refused while the subject has one of this kind that is not settled."""
        body = given(kind=kind, subject_kind=subject_kind, subject_id=subject_id, owner=owner, note=note)
        return await self._change(Case, "open_case", "/v1/cases", body, idempotency_key)

    async def list_cases(
        self,
        *,
        state: State | None = None,
        kind: str | None = None,
        owner: str | None = None,
        subject_kind: str | None = None,
        subject_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Case]:
        """Cases, oldest first, a page at a time; `owner` is a name or an id."""
        query = given(
            state=state, kind=kind, owner=owner, subject_kind=subject_kind, subject_id=subject_id, cursor=cursor,
            limit=limit,
        )  # fmt: skip
        return await self._read(Page[Case], "list_cases", "/v1/cases", query)

    def iterate_cases(
        self, *, state: State | None = None, kind: str | None = None, owner: str | None = None
    ) -> AsyncIterator[Case]:
        """All cases, oldest first."""
        return items_of(lambda cursor: self.list_cases(state=state, kind=kind, owner=owner, cursor=cursor, limit=500))

    async def get_case(self, case_id: str) -> Case:
        """One case as it stands."""
        return await self._read(Case, "get_case", f"/v1/cases/{segment(case_id)}")

    async def list_case_notes(
        self, case_id: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Page[CaseNote]:
        """What was noted on a case, oldest first, a page at a time."""
        path = f"/v1/cases/{segment(case_id)}/notes"
        return await self._read(Page[CaseNote], "list_case_notes", path, given(cursor=cursor, limit=limit))

    async def add_case_note(self, case_id: str, *, text: str, idempotency_key: str | None = None) -> CaseNote:
        """Append a note."""
        path = f"/v1/cases/{segment(case_id)}/notes"
        return await self._change(CaseNote, "add_case_note", path, {"text": text}, idempotency_key)

    async def assign_case(self, case_id: str, *, owner: str | None, idempotency_key: str | None = None) -> Case:
        """Say who owns it from now on, by name or id, or that nobody does."""
        path = f"/v1/cases/{segment(case_id)}/assign"
        return await self._change(Case, "assign_case", path, {"owner": owner}, idempotency_key)

    async def change_case_state(
        self, case_id: str, *, state: State, note: str | None = None, idempotency_key: str | None = None
    ) -> Case:
        """Begin, put back, resolve or close it."""
        path = f"/v1/cases/{segment(case_id)}/state"
        return await self._change(Case, "change_case_state", path, given(state=state, note=note), idempotency_key)
