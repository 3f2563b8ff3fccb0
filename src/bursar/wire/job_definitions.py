"""Definitions of jobs on the wire: which steps there are, who may do them, and what they do to money."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Time, Told
from bursar.wire.jobs import NAME_PATTERN, DefinitionName, Role

StepEffect = Annotated[
    Literal["none", "price", "reserve", "capture"],
    Field(description="What completing it does: a job is priced, then reserves its funds, then captures them."),
]
StepName = Annotated[str, Field(pattern=NAME_PATTERN, examples=["sign_off"])]


_STEPS = [
    {"name": "ask", "role": "initiate", "stage": "asked"},
    {"name": "sign_off", "role": "approve", "stage": "signed_off"},
]


class WantedStep(Asked):
    """A step: who may do it by role, and the `stage` that the job has reached once it is done."""

    name: StepName
    role: Role
    stage: Annotated[str, Field(pattern=NAME_PATTERN, examples=["signed_off"])]
    effect: StepEffect = "none"
    max_attempts: Annotated[int | None, Field(ge=1, le=1000, description="Default: as often as it takes.")] = None
    timeout_seconds: Annotated[
        int | None, Field(ge=1, le=31_536_000, description="From when it is its turn. Default: as long as it takes.")
    ] = None


class CreateJobDefinition(Asked):
    """The next version of a definition, whole; `separate` are the pairs of roles that nobody has both of in one job."""

    name: DefinitionName
    steps: Annotated[list[WantedStep], Field(min_length=2, max_length=20, examples=[_STEPS])]
    separate: Annotated[
        list[Annotated[list[Role], Field(min_length=2, max_length=2)]],
        Field(max_length=100, examples=[[["initiate", "check_risk"]]]),
    ] = Field(default_factory=list[list[str]])


class DefinitionStep(Told):
    """One step of a definition."""

    name: str
    role: str
    stage: str
    effect: StepEffect
    max_attempts: int | None
    timeout_seconds: int | None


class JobDefinition(Told):
    """A version of what the steps of a job are; it is never edited. Made by nobody: it comes with Bursar."""

    name: str
    version: int
    steps: list[DefinitionStep]
    separate: list[tuple[str, str]]
    made_by: str | None
    made_at: Time | None
