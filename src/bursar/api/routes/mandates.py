"""`/v1/mandates`: draft, change, activate, pause, resume, revoke, ask for a change, read."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.approvals import show_approval
from bursar.api.routes.freezes import show_freeze, show_new_freeze
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import approval_reading, mandates, requests, resuming, switches
from bursar.core.authority.approval_reading import Seen
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.mandate_store import Version
from bursar.core.authority.mandates import Draft
from bursar.core.authority.switch_store import FreezeRecord
from bursar.core.authority.switches import By, Stopped
from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import read, show
from bursar.kernel.refusal import UnknownObject
from bursar.wire import freezes as freeze_wire
from bursar.wire import mandates as wire
from bursar.wire.approvals import Approval
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/mandates", tags=["mandates"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Mandate, responses=WRITE_PROBLEMS)
async def draft_mandate(caller: CallerOf, body: wire.DraftMandate, key: OptionalIdempotencyKey = None) -> Response:
    """Write a mandate; it allows nothing until it is activated."""
    parent_id = read("mnd", body.parent) if body.parent is not None else None
    if body.parent is not None and parent_id is None:
        raise UnknownObject("mandate")

    async def work(tx: Tx, actor: Actor) -> tuple[Mandate, Happening]:
        agent = await identity.find_agent(tx, body.agent) if body.agent is not None else None
        terms = body.terms.model_dump(mode="json")
        draft = Draft(
            body.name, agent.id if agent else None, body.team, parent_id, body.not_before, body.expires_at, terms
        )
        return _told("mandate.drafted", await mandates.draft(tx, actor.principal_id, draft))

    ask = caller.ask("draft_mandate", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_mandate(made), 201))


@router.post("/{mandate_id}/change", response_model=wire.Mandate, responses=WRITE_PROBLEMS)
async def change_mandate(
    caller: CallerOf, mandate_id: IdPath, body: wire.ChangeMandate, key: OptionalIdempotencyKey = None
) -> Response:
    """Give a mandate other terms, as its next version.

    What waits for approval under the old ones, or under mandates below it, is superseded.
    """

    async def work(tx: Tx, actor: Actor) -> tuple[Mandate, Happening]:
        terms = body.terms.model_dump(mode="json")
        return _told("mandate.changed", await mandates.change(tx, actor, read("mnd", mandate_id), terms))

    ask = caller.ask("change_mandate", key, body, mandate_id)
    return await caller.act(ask, work, lambda made: json_answer(show_mandate(made)))


@router.post("/{mandate_id}/activate", response_model=wire.Mandate, responses=WRITE_PROBLEMS)
async def activate_mandate(caller: CallerOf, mandate_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Put a draft in force."""
    return await _become(caller, "activate_mandate", mandate_id, key, mandates.activate, "mandate.activated")


@router.post("/{mandate_id}/revoke", response_model=wire.Mandate, responses=WRITE_PROBLEMS)
async def revoke_mandate(caller: CallerOf, mandate_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """End a mandate for good; nothing that commits after the answer was allowed by it."""
    return await _become(caller, "revoke_mandate", mandate_id, key, mandates.revoke, "mandate.revoked")


@router.post("/{mandate_id}/pause", status_code=201, response_model=freeze_wire.NewFreeze, responses=WRITE_PROBLEMS)
async def pause_mandate(
    caller: CallerOf, mandate_id: IdPath, body: wire.PauseMandate | None = None, key: OptionalIdempotencyKey = None
) -> Response:
    """Take a mandate, and those below it, out of force: the same freeze as `POST /v1/freezes` makes."""
    asked = body or wire.PauseMandate()

    async def work(tx: Tx, actor: Actor) -> tuple[Stopped, Happening]:
        by = By(actor, caller.request_id, "pause_mandate")
        reason = asked.reason or f"{actor.name} paused the mandate."
        stopped = await switches.freeze_mandate(tx, by, read("mnd", mandate_id), reason)
        return stopped, switches.told_frozen(stopped)

    ask = caller.ask("pause_mandate", key, asked, mandate_id)
    return await retrying(lambda: caller.act(ask, work, lambda stopped: json_answer(show_new_freeze(stopped), 201)))


@router.post("/{mandate_id}/resume", response_model=freeze_wire.Freeze, responses=WRITE_PROBLEMS)
async def resume_mandate(caller: CallerOf, mandate_id: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Ask to put a paused mandate in force again; it is when a second operator has asked."""

    async def work(tx: Tx, actor: Actor) -> tuple[FreezeRecord, Happening]:
        by = By(actor, caller.request_id, "resume_mandate")
        record = await resuming.resume_mandate(tx, by, read("mnd", mandate_id))
        return record, resuming.told_resumed(record)

    ask = caller.ask("resume_mandate", key, None, mandate_id)
    return await retrying(lambda: caller.act(ask, work, lambda record: json_answer(show_freeze(record))))


@router.post("/{mandate_id}/requests", status_code=201, response_model=Approval, responses=WRITE_PROBLEMS)
async def request_mandate_change(
    caller: CallerOf, mandate_id: IdPath, body: wire.RequestMandateChange, key: OptionalIdempotencyKey = None
) -> Response:
    """Ask people for other terms of a mandate of this tenant; nothing changes unless an operator approves it."""
    given = body.terms.model_fields_set
    wanted = body.terms.model_dump(mode="json", include=given)

    async def work(tx: Tx, actor: Actor) -> tuple[Seen, Happening]:
        made, happening = await requests.request(tx, actor, read("mnd", mandate_id), wanted, body.purpose)
        return await approval_reading.find_for(tx, actor, made), happening

    # What is left out stays as it is, which is not the same request as giving its default.
    ask = caller.ask("request_mandate_change", key, body, " ".join([mandate_id, *sorted(given)]))
    return await caller.act(ask, work, lambda seen: json_answer(show_approval(seen), 201))


async def _become(
    caller: Caller,
    action: str,
    mandate_id: str,
    key: str | None,
    verb: Callable[[Tx, UUID, UUID | None], Awaitable[Mandate]],
    happened: str,
) -> Response:
    async def work(tx: Tx, actor: Actor) -> tuple[Mandate, Happening]:
        return _told(happened, await verb(tx, actor.principal_id, read("mnd", mandate_id)))

    ask = caller.ask(action, key, None, mandate_id)
    return await caller.act(ask, work, lambda made: json_answer(show_mandate(made)))


@router.get("", response_model=Page[wire.Mandate], responses=READ_PROBLEMS)
async def list_mandates(
    caller: CallerOf,
    agent: Annotated[str | None, Query(max_length=64, description="An agent's name or id.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Mandates, oldest first; those of one agent if asked. An agent sees those it acts under."""
    after = read_cursor("mnd", cursor)
    async with caller.reading("list_mandates") as (tx, actor):
        of = (await identity.find_agent(tx, agent)).id if agent is not None else None
        found = await mandates.list_for(tx, actor, of, after, limit + 1)
    items = [show_mandate(m) for m in found[:limit]]
    return json_response(Page[wire.Mandate](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{mandate_id}", response_model=wire.Mandate, responses=READ_PROBLEMS)
async def get_mandate(caller: CallerOf, mandate_id: IdPath) -> Response:
    """One mandate as it stands."""
    async with caller.reading("get_mandate") as (tx, actor):
        return json_response(show_mandate(await mandates.find_for(tx, actor, read("mnd", mandate_id))))


@router.get("/{mandate_id}/versions", response_model=wire.MandateVersions, responses=READ_PROBLEMS)
async def list_mandate_versions(caller: CallerOf, mandate_id: IdPath) -> Response:
    """Every version of a mandate, oldest first."""
    async with caller.reading("list_mandate_versions") as (tx, actor):
        found = await mandates.versions_for(tx, actor, read("mnd", mandate_id))
    return json_response(wire.MandateVersions(items=[_version(v) for v in found]))


def _told(kind: str, mandate: Mandate) -> tuple[Mandate, Happening]:
    terms: dict[str, Any] = json.loads(mandate.text)
    facts = {"name": mandate.name, "terms": terms, "version": mandate.version}
    return mandate, Happening(kind, mandate.status, facts, show("mnd", mandate.id))


def show_mandate(mandate: Mandate) -> wire.Mandate:
    """A mandate as the wire shows it."""
    return wire.Mandate(
        id=show("mnd", mandate.id),
        version=mandate.version,
        name=mandate.name,
        status=mandate.status,
        agent_id=show("prn", mandate.agent_id) if mandate.agent_id else None,
        team=mandate.team,
        parent=show("mnd", mandate.parent_id) if mandate.parent_id else None,
        not_before=mandate.not_before,
        expires_at=mandate.expires_at,
        terms=wire.MandateTerms.model_validate_json(mandate.text),
        granted_by=show("prn", mandate.granted_by),
        changed_at=mandate.changed_at,
    )


def _version(version: Version) -> wire.MandateVersion:
    return wire.MandateVersion(
        version=version.version,
        status=version.status,
        not_before=version.not_before,
        expires_at=version.expires_at,
        terms=wire.MandateTerms.model_validate_json(version.text),
        changed_by=show("prn", version.changed_by),
        changed_at=version.changed_at,
    )
