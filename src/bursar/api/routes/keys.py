"""`/v1/keys`: create, list, revoke."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import CallerOf, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.identity.keys import NewKey
from bursar.core.identity.model import Actor, ApiKey, read_key_id, show_key_id
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import show
from bursar.wire import agents as wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.NewKey, responses=WRITE_PROBLEMS)
async def create_key(caller: CallerOf, body: wire.CreateKey) -> Response:
    """Make a key for an agent. Its secret is shown in this answer and never again, so no Idempotency-Key is taken."""

    async def work(tx: Tx, actor: Actor) -> tuple[tuple[ApiKey, NewKey], Happening]:
        agent = await identity.find_agent(tx, body.agent)
        key, made = await identity.create_key(tx, agent, body.scopes, live=caller.door.live, granter=actor)
        payload = {"agent": agent.name, "key": show_key_id(key.id), "scopes": list(key.scopes)}
        return (key, made), Happening("key.created", "active", payload, show_key_id(key.id))

    return await retrying(
        lambda: caller.act(caller.ask("create_key"), work, lambda made: json_answer(_show_new(*made), 201))
    )


@router.get("", response_model=Page[wire.Key], responses=READ_PROBLEMS)
async def list_keys(
    caller: CallerOf, agent: Annotated[str, Query(max_length=64, description="Its name or id.")]
) -> Response:
    """All keys of an agent, revoked ones too, without secrets."""
    async with caller.reading("list_keys") as (tx, _):
        found = await identity.list_keys(tx, (await identity.find_agent(tx, agent)).id)
    return json_response(Page[wire.Key](items=[_show(key) for key in found], next_cursor=None))


@router.post("/{key_id}/revoke", response_model=wire.Key, responses=WRITE_PROBLEMS)
async def revoke_key(caller: CallerOf, key_id: IdPath) -> Response:
    """End a key: nothing that commits after this was done with it. Revoking twice changes nothing."""

    async def work(tx: Tx, _: Actor) -> tuple[ApiKey, Happening]:
        key = await identity.revoke_key(tx, read_key_id(key_id))
        payload = {"key": show_key_id(key.id)}
        return key, Happening("key.revoked", "revoked", payload, show_key_id(key.id))

    # Two who revoke at once have both shared what they take turns for.
    return await retrying(lambda: caller.act(caller.ask("revoke_key"), work, lambda key: json_answer(_show(key))))


def _show(key: ApiKey) -> wire.Key:
    return wire.Key(
        id=show_key_id(key.id),
        agent_id=show("prn", key.principal_id),
        scopes=list(key.scopes),
        created_at=key.created_at,
        revoked_at=key.revoked_at,
    )


def _show_new(key: ApiKey, made: NewKey) -> wire.NewKey:
    return wire.NewKey(**dict(_show(key)), key=made.text)
