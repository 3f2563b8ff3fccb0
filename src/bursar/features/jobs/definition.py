"""What the steps of a job are: data under a version number, checked strictly, with one canonical text."""

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.kernel.canonical import canonical
from bursar.kernel.refusal import InvalidArgument

NAME = r"^[a-z][a-z0-9_]{0,31}$"
Name = Annotated[str, Field(pattern=NAME)]
# What completing a step does beside telling that it is done.
Effect = Literal["none", "price", "reserve", "capture"]
_BUILT_IN = ("agent_payment", "checkout", "claim_disbursement", "collection", "shared_bill")
_MOST_STEPS = 20


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Step(_Part):
    """One step: who may do it by role, what it reaches, and how often and how long it may be tried."""

    name: Name
    role: Name
    stage: Name
    effect: Effect = "none"
    # None: as often as it takes.
    max_attempts: Annotated[int, Field(ge=1, le=1000)] | None = None
    # From when it is its turn. None: as long as it takes.
    timeout_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


class Definition(_Part):
    """The steps in their order, numbered from 1, and the pairs of roles that no principal may have in one job."""

    name: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    steps: Annotated[Sequence[Step], Field(min_length=2, max_length=_MOST_STEPS)]
    separate: Sequence[tuple[Name, Name]]

    @model_validator(mode="after")
    def _makes_sense(self) -> "Definition":
        effects = [step.effect for step in self.steps if step.effect != "none"]
        order = [effect for effect in ("price", "reserve", "capture") if effect in effects]
        if effects != order or ("reserve" in effects) != ("capture" in effects):
            raise ValueError("a job is priced, then reserves, then captures, each at most once")
        if self.steps[0].role != "initiate" or self.steps[0].effect != "none":
            raise ValueError("the first step initiates and does nothing else")
        names, roles = [step.name for step in self.steps], {step.role for step in self.steps}
        if len(set(names)) != len(names) or any(first == second for first, second in self.separate):
            raise ValueError("names are unique, and no role is kept apart from itself")
        if not {role for pair in self.separate for role in pair} <= roles:
            raise ValueError("only roles of steps are kept apart")
        if any(step.max_attempts or step.timeout_seconds for step in self.after_capture):
            raise ValueError("what comes after the capture is tried for as long as it takes")
        return self

    @property
    def after_capture(self) -> Sequence[Step]:
        """The steps once money has moved."""
        captures = [number for number, step in enumerate(self.steps) if step.effect == "capture"]
        return self.steps[captures[0] + 1 :] if captures else ()

    @property
    def pays(self) -> bool:
        """Whether it is about money that moves; else Bursar begins its jobs and ends them, and they have no shares."""
        return any(step.effect != "none" for step in self.steps)

    @property
    def prices(self) -> bool:
        """Whether a step says what the job comes to."""
        return any(step.effect == "price" for step in self.steps)

    def step(self, number: int) -> Step:
        """The step of this number, counted from 1."""
        return self.steps[number - 1]

    def has_captured(self, number: int) -> bool:
        """Whether the money has moved once the step of this number is at hand."""
        return self.step(number) in self.after_capture

    def kept_apart(self, role: str) -> set[str]:
        """The roles that nobody of this role may have in the same job."""
        pairs = [set(pair) for pair in self.separate if role in pair]
        return {other for pair in pairs for other in pair if other != role}


@lru_cache(maxsize=256)
def read_definition(text: str) -> Definition:
    """A definition in JSON; refuses what makes no sense."""
    try:
        return Definition.model_validate_json(text)
    except ValidationError as error:
        reasons = [f"{'.'.join(map(str, e['loc'])) or 'definition'}: {e['msg']}" for e in error.errors()]
        raise InvalidArgument("definition", "; ".join(reasons)) from None


def write_definition(definition: Definition) -> str:
    """The canonical text, the same for the same definition."""
    return canonical(definition.model_dump(mode="json"))


@cache
def built_in() -> dict[str, Definition]:
    """The definitions that come with Bursar, by name."""
    folder = files("bursar.features.jobs.definitions")
    return {name: read_definition((folder / f"{name}.json").read_text(encoding="utf-8")) for name in _BUILT_IN}
