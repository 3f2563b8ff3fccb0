"""What the steps of a job are: data under a version number, checked strictly, with one canonical text."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bursar.kernel.canonical import canonical
from bursar.kernel.refusal import InvalidArgument

NAME = r"^[a-z][a-z0-9_]{0,31}$"
Name = Annotated[str, Field(pattern=NAME)]
# What completing a step does beside telling that it is done.
Effect = Literal["none", "price", "reserve", "capture"]
# The definition that the quickstart's payments go by.
AT_ONCE = "agent_payment"
_BUILT_IN = (AT_ONCE, "checkout", "claim_disbursement", "collection", "shared_bill")
_MOST_STEPS = 20
_MOST_PAIRS = 100


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
    separate: Annotated[Sequence[tuple[Name, Name]], Field(max_length=_MOST_PAIRS)]

    @property
    def after_capture(self) -> Sequence[Step]:
        """The steps once money has moved."""
        return self._after("capture")

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

    def has_reserved(self, number: int) -> bool:
        """Whether funds are held, or the money has moved, once the step of this number is at hand."""
        return self.step(number) in self._after("reserve")

    def kept_apart(self, role: str) -> set[str]:
        """The roles that nobody of this role may have in the same job."""
        pairs = [set(pair) for pair in self.separate if role in pair]
        return {other for pair in pairs for other in pair if other != role}

    def _after(self, effect: Effect) -> Sequence[Step]:
        places = [place for place, step in enumerate(self.steps) if step.effect == effect]
        return self.steps[places[0] + 1 :] if places else ()


def refuse_nonsense(definition: Definition) -> None:
    """Refuse a new definition whose parts do not fit together, naming the field and why."""
    for faults in (_faults_of_names, _faults_of_effects, _faults_of_times, _faults_of_duties):
        for field, reason in faults(definition):
            raise InvalidArgument(field, reason)


def _faults_of_names(definition: Definition) -> Iterator[tuple[str, str]]:
    if definition.steps[0].role != "initiate":
        yield "steps.0.role", "is initiate: whoever makes the job has done its first step"
    names = [step.name for step in definition.steps]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield f"steps.{place}.name", "is the name of an earlier step"


def _faults_of_effects(definition: Definition) -> Iterator[tuple[str, str]]:
    """A job is priced, then reserves, then captures, so that undoing it has something to give back at each."""
    come: list[Effect] = []
    for place, step in enumerate(definition.steps):
        field = f"steps.{place}.effect"
        if step.effect == "none":
            continue
        if place == 0:
            yield field, "is none: making the job does the first step and moves nothing"
        if step.effect in come:
            yield field, f"is that of an earlier step: a job has one step to {step.effect}"
        if step.effect == "price" and "reserve" in come:
            yield field, "comes too late: funds are reserved by an earlier step, at a price that is known"
        if step.effect == "capture" and "reserve" not in come:
            yield field, "comes too early: no earlier step reserves what it captures"
        come.append(step.effect)
    if "reserve" in come and "capture" not in come:
        yield "steps", "reserve funds and never capture them"


def _faults_of_times(definition: Definition) -> Iterator[tuple[str, str]]:
    for place, step in enumerate(definition.steps):
        captured, reserved = definition.has_captured(place + 1), definition.has_reserved(place + 1)
        for field in ("max_attempts", "timeout_seconds"):
            if getattr(step, field) and (captured or place == 0):
                why = "what comes after the capture is tried for as long as it takes" if captured else (
                    "making the job does the first step"
                )  # fmt: skip
                yield f"steps.{place}.{field}", f"is not for this step: {why}"
        if reserved and not captured and not step.timeout_seconds:
            yield (
                f"steps.{place}.timeout_seconds",
                "is needed: funds are held until this step is done or its time is up",
            )


def _faults_of_duties(definition: Definition) -> Iterator[tuple[str, str]]:
    roles, before = {step.role for step in definition.steps}, list[set[str]]()
    for place, pair in enumerate(definition.separate):
        for side, role in enumerate(pair):
            if role not in roles:
                yield f"separate.{place}.{side}", "is the role of no step"
        if pair[0] == pair[1]:
            yield f"separate.{place}", "keeps a role apart from itself"
        if set(pair) in before:
            yield f"separate.{place}", "is there already"
        before.append(set(pair))


@lru_cache(maxsize=256)
def read_definition(text: str) -> Definition:
    """A definition in JSON; refuses what has not the shape of one."""
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
