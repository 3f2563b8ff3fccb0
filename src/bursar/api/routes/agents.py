"""`/v1/agents`: enrol, get, list, change the team."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.limits import show_left
from bursar.api.routes.mandates import show_mandate
from bursar.api.routes.refs import Cursor, IdPath, Limit, read_cursor
from bursar.api.routing import GatedRoute
from bursar.core.authority import checking
from bursar.core.authority.telling import told_team
from bursar.core.events.model import Happening
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, Principal
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject
from bursar.wire import agents as wire
from bursar.wire import mandates as mandate_wire
from bursar.wire.fields import Page

router = APIRouter(prefix="/v1/agents", tags=["agents"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=wire.Agent, responses=WRITE_PROBLEMS)
async def create_agent(caller: CallerOf, body: wire.CreateAgent, key: OptionalIdempotencyKey = None) -> Response:
    """Enrol an agent; give it a key with `POST /v1/keys`."""

    async def work(tx: Tx, _: Actor) -> tuple[Principal, Happening]:
        agent = await identity.create_principal(tx, "agent", body.name, body.team)
        facts: dict[str, Json] = {"name": agent.name, "team": agent.team}
        return agent, Happening("agent.created", "active", facts, show("prn", agent.id))

    ask = caller.ask("create_agent", key, body)
    return await caller.act(ask, work, lambda agent: json_answer(_show(agent), 201))


@router.get("", response_model=Page[wire.Agent], responses=READ_PROBLEMS)
async def list_agents(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Agents, oldest first."""
    after = read_cursor("prn", cursor)
    async with caller.reading("list_agents") as (tx, _):
        found = await identity.list_agents(tx, after, limit + 1)
    items = [_show(a) for a in found[:limit]]
    return json_response(Page[wire.Agent](items=items, next_cursor=items[-1].id if len(found) > limit else None))


@router.get("/{agent}", response_model=wire.Agent, responses=READ_PROBLEMS)
async def get_agent(caller: CallerOf, agent: IdPath) -> Response:
    """One agent, by name or id."""
    async with caller.reading("get_agent") as (tx, _):
        return json_response(_show(await identity.find_agent(tx, agent)))


@router.post("/{agent}/team", response_model=wire.Agent, responses=WRITE_PROBLEMS)
async def change_team(
    caller: CallerOf, agent: IdPath, body: wire.ChangeTeam, key: OptionalIdempotencyKey = None
) -> Response:
    """Have an agent belong to another team, or to none: from the answer on it acts under that team's mandates.

    What waits for approval under a mandate of the old team will not be carried out.
    """

    async def work(tx: Tx, _: Actor) -> tuple[Principal, Happening]:
        before, after = await identity.set_team(tx, agent, body.team)
        return after, told_team(before, after)

    ask = caller.ask("change_team", key, body, agent)
    # Two who change something at once have both shared what they take turns for.
    return await retrying(lambda: caller.act(ask, work, lambda changed: json_answer(_show(changed))))


@router.get("/{agent}/authority", response_model=mandate_wire.Authority, responses=READ_PROBLEMS)
async def get_authority(caller: CallerOf, agent: IdPath) -> Response:
    """What an agent may do now: its mandates, and what is left of each limit until when. An agent sees its own."""
    async with caller.reading("get_authority") as (tx, actor):
        found = await identity.find_agent(tx, agent)
        if actor.kind == "agent" and actor.principal_id != found.id:
            raise UnknownObject("agent")
        chain, left = await checking.overview(tx, found)
    return json_response(
        mandate_wire.Authority(
            agent_id=show("prn", found.id),
            agent=found.name,
            status=found.status,
            mandates=[show_mandate(m) for m in chain],
            limits=[show_left(each) for each in left],
        )
    )


def _show(agent: Principal) -> wire.Agent:
    return wire.Agent(
        id=show("prn", agent.id),
        name=agent.name,
        team=agent.team,
        status=agent.status,
        created_at=agent.created_at,
    )
