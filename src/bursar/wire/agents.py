"""Agents and API keys on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Time, Told

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN, examples=["agent_007"])]

Team = Annotated[
    str, Field(pattern=NAME_PATTERN, examples=["procurement"], description="What mandates for a team call it.")
]


class CreateAgent(Asked):
    """An agent to enrol; its name is unique among the tenant's principals."""

    name: Name
    team: Team | None = None


class ChangeTeam(Asked):
    """The team that an agent belongs to from now on; null for none."""

    team: Team | None


class Agent(Told):
    """An agent."""

    id: str
    name: str
    team: str | None
    status: Literal["active", "suspended"]
    created_at: Time


class CreateKey(Asked):
    """A key for an agent: with these scopes, or all that agents may have and the caller has."""

    agent: Annotated[str, Field(min_length=1, max_length=64, examples=["agent_007"], description="Its name or id.")]
    scopes: Annotated[list[Annotated[str, Field(max_length=64)]] | None, Field(max_length=50)] = None


class Key(Told):
    """A key without its secret."""

    id: str
    agent_id: str
    scopes: list[str]
    created_at: Time
    revoked_at: Time | None


class NewKey(Key):
    """A key just made: `key` is shown this once and stored nowhere."""

    key: str
