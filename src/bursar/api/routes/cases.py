"""`/v1/cases`: open, list, get, assign, note, change the state."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.cases import service as cases
from bursar.features.cases.model import Case, Note, Subject, Wanted
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.kernel.refusal import InvalidArgument
from bursar.wire import cases as wire
from bursar.wire.fields import Asked, Page

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Case, responses=WRITE_PROBLEMS)
async def open_case(caller: CallerOf, body: wire.OpenCase, key: OptionalIdempotencyKey = None) -> Response:
    """Open a case about something. While one of this kind and subject is not settled, a second is refused."""

    async def work(tx: Tx, actor: Actor) -> tuple[Case, Happening]:
        subject = Subject(body.subject_kind, body.subject_id)
        return await cases.open_new(tx, actor, body.kind, subject, body.owner, body.note)

    ask = caller.ask("open_case", key, body)
    return await caller.act(ask, work, lambda case: json_answer(show_case(case), 201))


@router.get("", response_model=Page[wire.Case], responses=READ_PROBLEMS)
async def list_cases(
    caller: CallerOf,
    state: Annotated[wire.CaseState | None, Query(description="Only those that stand here.")] = None,
    kind: Annotated[wire.CaseKind | None, Query(description="Only those of this kind.")] = None,
    owner: Annotated[wire.OwnerRef | None, Query(description="Only those this principal owns.")] = None,
    subject_kind: Annotated[wire.SubjectKind | None, Query(description="Half of a subject.")] = None,
    subject_id: Annotated[wire.SubjectId | None, Query(description="Its other half.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Cases, oldest first."""
    after = read_cursor("case", cursor)
    subject = _subject(subject_kind, subject_id)
    async with caller.reading("list_cases") as (tx, _):
        wanted = Wanted(state, kind, await cases.principal_id_of(tx, owner), subject)
        found = await cases.list_all(tx, wanted, after, limit + 1)
    items = [show_case(case) for case in found[:limit]]
    return json_response(Page[wire.Case](items=items, next_cursor=items[-1].id if len(found) > limit else None))


def _subject(kind: str | None, id: str | None) -> Subject | None:
    if kind is None and id is None:
        return None
    if kind is None or id is None:
        missing = "subject_kind" if kind is None else "subject_id"
        raise InvalidArgument(missing, "must come with the other half of the subject")
    return Subject(kind, id)


@router.get("/{case_id}", response_model=wire.Case, responses=READ_PROBLEMS)
async def get_case(caller: CallerOf, case_id: IdPath) -> Response:
    """One case as it stands."""
    async with caller.reading("get_case") as (tx, _):
        return json_response(show_case(await cases.find(tx, read("case", case_id))))


@router.get("/{case_id}/notes", response_model=Page[wire.CaseNote], responses=READ_PROBLEMS)
async def list_case_notes(caller: CallerOf, case_id: IdPath, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """What was noted on a case, oldest first. Its text is the words of whoever wrote it."""
    after = read_cursor("note", cursor)
    async with caller.reading("list_case_notes") as (tx, _):
        found = await cases.list_notes(tx, read("case", case_id), after, limit + 1)
    items = [show_note(note) for note in found[:limit]]
    return json_response(Page[wire.CaseNote](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.post("/{case_id}/notes", status_code=201, response_model=wire.CaseNote, responses=WRITE_PROBLEMS)
async def add_case_note(
    caller: CallerOf, case_id: IdPath, body: wire.AddCaseNote, key: OptionalIdempotencyKey = None
) -> Response:
    """Append a note; nothing changes or removes one. Agents may, too."""

    async def work(tx: Tx, actor: Actor) -> tuple[Note, Happening]:
        return await cases.add_note(tx, actor, read("case", case_id), body.text)

    ask = caller.ask("add_case_note", key, body, case_id)
    return await caller.act(ask, work, lambda note: json_answer(show_note(note), 201))


@router.post("/{case_id}/assign", response_model=wire.Case, responses=WRITE_PROBLEMS)
async def assign_case(
    caller: CallerOf, case_id: IdPath, body: wire.AssignCase, key: OptionalIdempotencyKey = None
) -> Response:
    """Say who owns it from now on, or that nobody does."""

    async def work(tx: Tx, _: Actor) -> tuple[Case, Happening]:
        return await cases.assign(tx, read("case", case_id), body.owner)

    return await _change(caller, "assign_case", case_id, body, key, work)


@router.post("/{case_id}/state", response_model=wire.Case, responses=WRITE_PROBLEMS)
async def change_case_state(
    caller: CallerOf, case_id: IdPath, body: wire.ChangeCaseState, key: OptionalIdempotencyKey = None
) -> Response:
    """Begin, put back, resolve or close it. What is resolved can only be closed, and what is closed stays closed."""

    async def work(tx: Tx, actor: Actor) -> tuple[Case, Happening]:
        return await cases.bring(tx, actor, read("case", case_id), body.state, body.note)

    return await _change(caller, "change_case_state", case_id, body, key, work)


async def _change(
    caller: Caller,
    action: str,
    case_id: str,
    body: Asked,
    key: str | None,
    work: Callable[[Tx, Actor], Awaitable[tuple[Case, Happening]]],
) -> Response:
    ask = caller.ask(action, key, body, case_id)
    return await caller.act(ask, work, lambda case: json_answer(show_case(case)))


def show_case(case: Case) -> wire.Case:
    """A case as the wire shows it."""
    owner = wire.CaseOwner(id=show("prn", case.owner_id), name=case.owner) if case.owner_id and case.owner else None
    return wire.Case(
        id=show("case", case.id),
        kind=case.kind,
        subject=wire.CaseSubject(kind=case.subject.kind, id=case.subject.id),
        state=case.state,
        owner=owner,
        opened_by=show("prn", case.opened_by) if case.opened_by else None,
        opened_at=case.opened_at,
        changed_at=case.changed_at,
        version=case.version,
    )


def show_note(note: Note) -> wire.CaseNote:
    """A note as the wire shows it."""
    author_id = show("prn", note.author_id) if note.author_id else None
    author = wire.CaseAuthor(kind=note.author_kind or "system", id=author_id, name=note.author)
    return wire.CaseNote(id=show("note", note.id), author=author, text=note.text, noted_at=note.noted_at)
