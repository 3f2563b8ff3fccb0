"""Refusals exist so that every "no" carries the fact that decided it, whether money moved, and what to do next."""

import re
from typing import ClassVar, Literal

MoneyMoved = Literal["no", "yes", "unknown"]
Retry = Literal["never", "same_key", "new_request", "after"]


class Refusal(Exception):
    """Bursar will not do this.

    A room's refusal subclasses one of the kinds below, takes its facts as attributes and says them in `detail`.
    The class name is the wire `code`, the first docstring line its `title`.
    """

    money_moved: ClassVar[MoneyMoved] = "no"
    retry: ClassVar[Retry] = "new_request"
    next: ClassVar[str] = "Change the request and send it with a new Idempotency-Key."
    retry_after_seconds: ClassVar[int | None] = None

    @property
    def code(self) -> str:
        """The class name in snake case."""
        return code_of(type(self))

    @property
    def title(self) -> str:
        """The first line of the class docstring."""
        return title_of(type(self))

    @property
    def detail(self) -> str:
        """What was refused and the fact that decided it."""
        return self.title


def code_of(kind: type[Refusal]) -> str:
    """The wire code of a refusal class."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def title_of(kind: type[Refusal]) -> str:
    """The human title of a refusal class."""
    return (kind.__doc__ or "").strip().split("\n", 1)[0]


class Invalid(Refusal):
    """The request is not valid."""


class Unauthorized(Refusal):
    """The caller is not known."""


class Forbidden(Refusal):
    """The caller may not do this."""


class NotFound(Refusal):
    """There is no such thing."""


class Conflict(Refusal):
    """The present state does not allow this."""


class TooMany(Refusal):
    """Too many requests."""


class Unavailable(Refusal):
    """Bursar cannot answer this now."""


class InvalidArgument(Invalid):
    """An argument is not valid."""

    retry: ClassVar[Retry] = "new_request"
    next: ClassVar[str] = "Correct the argument named in `detail` and send the request again."

    def __init__(self, argument: str, reason: str) -> None:
        """Name the argument (a path such as `orders.3.amount`) and why it is refused."""
        super().__init__(argument, reason)
        self.argument = argument
        self.reason = reason

    @property
    def detail(self) -> str:
        """The argument and the reason, without the caller's value."""
        return f"{self.argument}: {self.reason}"


class UnknownObject(NotFound):
    """There is no such object."""

    next: ClassVar[str] = "Check the id, or list the objects you may see."

    def __init__(self, kind: str) -> None:
        """`kind` is the noun: transfer, hold, agent, key."""
        super().__init__(kind)
        self.kind = kind

    @property
    def code(self) -> str:
        """One code for every unknown id, whatever it would have named."""
        return "not_found"

    @property
    def detail(self) -> str:
        """What was looked for."""
        return f"There is no such {self.kind}."
