"""Agents: enrol them, find them."""

from collections.abc import AsyncIterator

from bursar.client.arguments import given, segment
from bursar.client.room import Room, items_of
from bursar.wire.agents import Agent
from bursar.wire.fields import Page


class Agents(Room):
    """An agent is named by its name or its id."""

    async def create_agent(self, *, name: str, team: str | None = None, idempotency_key: str | None = None) -> Agent:
        """Enrol an agent; give it a key with `create_key`."""
        body = given(name=name, team=team)
        return await self._change(Agent, "create_agent", "/v1/agents", body, idempotency_key)

    async def change_team(self, agent: str, *, team: str | None, idempotency_key: str | None = None) -> Agent:
        """Have an agent belong to another team, or with None to none, and act under that team's mandates."""
        path = f"/v1/agents/{segment(agent)}/team"
        return await self._change(Agent, "change_team", path, {"team": team}, idempotency_key)

    async def get_agent(self, agent: str) -> Agent:
        """One agent."""
        return await self._read(Agent, "get_agent", f"/v1/agents/{segment(agent)}")

    async def list_agents(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Agent]:
        """Agents, oldest first, a page at a time."""
        return await self._read(Page[Agent], "list_agents", "/v1/agents", given(cursor=cursor, limit=limit))

    def iterate_agents(self) -> AsyncIterator[Agent]:
        """All agents, oldest first."""
        return items_of(lambda cursor: self.list_agents(cursor=cursor, limit=500))
