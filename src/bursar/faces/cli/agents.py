"""`bursar agent`: who there is and in which team, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.core.authority import approvals
from bursar.core.authority.switches import By
from bursar.core.authority.telling import told_team
from bursar.core.events import service as events
from bursar.core.identity import service as identity
from bursar.core.identity.model import Principal
from bursar.faces.cli.place import opened
from bursar.kernel.ids import show

_MOST_LISTED = 10_000


async def change_team(
    operator: str, agent: str, team: str | None, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Have an agent, by name or id, belong to another team, or to none."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        by = By(await approvals.acting(tx, operator), "", "change_team")
        before, after = await identity.set_team(tx, agent, team)
        told = told_team(before, after)
        events.record(tx, [by.event(told._replace(payload={**told.payload, "by": "command line"}))])
        return _show(after)


async def listed(tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Agents in the order of their enrolment."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [_show(agent) for agent in await identity.list_agents(tx, None, _MOST_LISTED)]


def _show(agent: Principal) -> dict[str, Any]:
    return {"id": show("prn", agent.id), "name": agent.name, "team": agent.team, "status": agent.status}
