"""Freezes on the wire."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from bursar.wire.fields import Asked, Time, Told

FreezeScope = Literal["tenant", "agent", "mandate", "account"]


class CreateFreeze(Asked):
    """What to stop: an agent by name or id, a mandate by id, an account by number or id, or the whole tenant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"scope": "agent", "object": "agent_007", "reason": "Pays nobody we know"}]}
    )

    scope: FreezeScope
    object: Annotated[
        str | None,
        Field(min_length=1, max_length=64, description="Absent for the tenant, and for an agent that stops itself."),
    ] = None
    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["Pays nobody we know"])]

    @model_validator(mode="after")
    def _object_belongs_to_scope(self) -> "CreateFreeze":
        if self.scope == "tenant" and self.object is not None:
            raise ValueError("the tenant is not named")
        if self.scope in ("mandate", "account") and self.object is None:
            raise ValueError("object says which one")
        return self


class Freeze(Told):
    """A freeze: in force until a second operator has asked to resume."""

    id: str
    scope: FreezeScope
    object: Annotated[str | None, Field(description="The id of what is frozen; null for the tenant.")]
    reason: str
    status: Literal["in_force", "resume_requested", "resumed"]
    frozen_by: str
    frozen_at: Time
    resume_asked_by: str | None
    resume_asked_at: Time | None
    resumed_by: str | None
    resumed_at: Time | None


class NewFreeze(Freeze):
    """A freeze just made, what it ended, and who lifts it how."""

    cancelled_approvals: list[str]
    released_holds: list[str]
    in_flight: Annotated[
        list[str],
        Field(description="What can still happen: approvals being carried out now, holds that were not an agent's."),
    ]
    next: str
