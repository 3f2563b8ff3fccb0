"""The verbs of cases: open, assign, note, bring to another state, read."""

from uuid import UUID

from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.features.cases import store
from bursar.features.cases.model import Case, CaseConflict, Note, State, Subject, Wanted, refuse_move
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.refusal import InvalidArgument, UnknownObject

# Whoever finds one that is settled in that moment opens the next; nobody settles so many in between.
_ATTEMPTS = 5


async def open_case(
    tx: Tx,
    kind: str,
    subject: Subject,
    note: str | None = None,
    *,
    owner_id: UUID | None = None,
    actor: Actor | None = None,
    request_id: str = "",
) -> UUID:
    """For other rooms: the case of this kind that the subject has, opened with its event if it has none unsettled.

    However often it is called, and by however many at once, there is one case and one note. `kind` and `subject.kind`
    are lower-case words (`[a-z][a-z0-9_]{0,31}`), `subject.id` has 1 to 200 characters, a note at most 2000.
    Without an actor it is Bursar itself that opens it.
    """
    case_id, is_new = await _find_or_insert(tx, kind, subject, owner_id, actor)
    if is_new:
        if note:
            store.insert_note(tx, new_id(), case_id, actor.principal_id if actor else None, note)
        happening = told("case.opened", await _found(tx, case_id))
        events.record(tx, [event_of(new_id(), actor, request_id, "open_case", happening)])
    return case_id


async def open_new(
    tx: Tx, actor: Actor, kind: str, subject: Subject, owner: str | None, note: str | None
) -> tuple[Case, Happening]:
    """For people: open a case; refuses when the subject has one of this kind that is not settled, and names it."""
    owner_id = await principal_id_of(tx, owner)
    case_id, is_new = await _find_or_insert(tx, kind, subject, owner_id, actor)
    if not is_new:
        raise CaseConflict(
            f"The case {show('case', case_id)} of this kind and subject is not settled; add a note to it."
        )
    if note:
        store.insert_note(tx, new_id(), case_id, actor.principal_id, note)
    case = await _found(tx, case_id)
    return case, told("case.opened", case)


async def _find_or_insert(
    tx: Tx, kind: str, subject: Subject, owner_id: UUID | None, actor: Actor | None
) -> tuple[UUID, bool]:
    for _ in range(_ATTEMPTS):
        case_id = new_id()
        if await store.insert_case(tx, case_id, kind, subject, owner_id, actor.principal_id if actor else None):
            return case_id, True
        found = await store.find_unsettled(tx, kind, subject)
        if found:
            return found, False
    raise CaseConflict("Cases of this kind and subject are settled faster than they can be found.")


async def assign(tx: Tx, case_id: UUID | None, owner: str | None) -> tuple[Case, Happening]:
    """Have a principal, by name or id, own a case from now on, or nobody."""
    found = await _locked(tx, case_id)
    if found.state == "closed":
        raise CaseConflict(f"The case {show('case', found.id)} is closed.")
    await store.update_owner(tx, found.id, await principal_id_of(tx, owner))
    case = await _found(tx, found.id)
    return case, told("case.assigned", case)


async def add_note(tx: Tx, actor: Actor, case_id: UUID | None, text: str) -> tuple[Note, Happening]:
    """Append a note; what is closed takes none."""
    found = await _locked(tx, case_id)
    if found.state == "closed":
        raise CaseConflict(f"The case {show('case', found.id)} is closed.")
    note_id = new_id()
    store.insert_note(tx, note_id, found.id, actor.principal_id, text)
    note = await store.find_note(tx, note_id)
    assert note
    return note, Happening("case.noted", found.state, {"note": show("note", note_id), "text": text}, _id(found))


async def bring(
    tx: Tx, actor: Actor | None, case_id: UUID | None, state: State, note: str | None
) -> tuple[Case, Happening]:
    """Bring a case to another state, with a note on why if there is one."""
    found = await _locked(tx, case_id)
    refuse_move(found, state)
    await store.update_state(tx, found.id, state)
    if note:
        store.insert_note(tx, new_id(), found.id, actor.principal_id if actor else None, note)
    case = await _found(tx, found.id)
    happening = told(f"case.{state}", case)
    return case, happening._replace(payload={**happening.payload, "note": note}) if note else happening


async def settle_if_open(tx: Tx, case_id: UUID | None, note: str, actor: Actor | None = None) -> None:
    """For other rooms: resolve a case, with its event, unless people have settled it."""
    found = await store.lock_case(tx, case_id) if case_id else None
    if found and found.state in ("open", "in_progress"):
        _, happening = await bring(tx, actor, found.id, "resolved", note)
        events.record(tx, [event_of(new_id(), actor, "", "change_case_state", happening)])


async def settle_about(tx: Tx, kind: str, subject: Subject, note: str, actor: Actor | None = None) -> None:
    """For other rooms: resolve the case of this kind that a subject has, if it has one that is not settled."""
    await settle_if_open(tx, await store.find_unsettled(tx, kind, subject), note, actor)


async def find(tx: Tx, case_id: UUID | None) -> Case:
    """One case as it stands."""
    found = await store.find_case(tx, case_id) if case_id else None
    if found is None:
        raise UnknownObject("case")
    return found


async def list_all(tx: Tx, wanted: Wanted, after: UUID | None, limit: int) -> list[Case]:
    """Cases, oldest first, after the one named."""
    return await store.list_cases(tx, wanted, after, limit)


async def list_notes(tx: Tx, case_id: UUID | None, after: UUID | None, limit: int) -> list[Note]:
    """The notes of a case, oldest first, after the one named."""
    return await store.list_notes(tx, (await find(tx, case_id)).id, after, limit)


async def principal_id_of(tx: Tx, ref: str | None) -> UUID | None:
    """A principal's id, by their name or id; None for nobody."""
    if ref is None:
        return None
    principal_id = read("prn", ref)
    found = await identity.find_principal(tx, principal_id) if principal_id else None
    found = found or await identity.find_principal_named(tx, ref)
    if found is None:
        raise InvalidArgument("owner", "is no principal of this tenant")
    return found.id


def told(kind: str, case: Case) -> Happening:
    """What the record says of a case."""
    facts: dict[str, Json] = {
        "kind": case.kind,
        "owner": show("prn", case.owner_id) if case.owner_id else None,
        "subject": {"id": case.subject.id, "kind": case.subject.kind},
        "version": case.version,
    }
    return Happening(kind, case.state, facts, _id(case))


def _id(case: Case) -> str:
    return show("case", case.id)


async def _found(tx: Tx, case_id: UUID) -> Case:
    found = await store.find_case(tx, case_id)
    assert found
    return found


async def _locked(tx: Tx, case_id: UUID | None) -> Case:
    found = await store.lock_case(tx, case_id) if case_id else None
    if found is None:
        raise UnknownObject("case")
    return found
