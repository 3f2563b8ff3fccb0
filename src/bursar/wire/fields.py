"""The fields that shapes are made of: amounts as exact decimal text, times with a zone, names and metadata."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

Item = TypeVar("Item")

ACCOUNT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
MONEY_PATTERN = r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,4})?$"

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def read_time(value: object) -> object:
    """RFC 3339 text as a datetime; anything else is left for the type to refuse."""
    if not isinstance(value, str):
        return value
    try:
        read = datetime.fromisoformat(value) if _TIME.fullmatch(value) else None
    except ValueError:
        read = None
    if read is None:
        raise ValueError("must be a time such as 2026-11-21T09:30:00Z, to the microsecond at most")
    return read


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None or not _EARLIEST <= value < _LATEST:
        raise ValueError("must name its zone and lie between the years 1900 and 9000")
    return value.astimezone(UTC)


# What is decided together has one time.
@lru_cache(maxsize=1024)
def show_time(value: datetime) -> str:
    """A time as the wire shows it: UTC, `2026-11-21T09:30:00.123456Z`."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[
    datetime,
    BeforeValidator(read_time),
    AfterValidator(_in_utc),
    PlainSerializer(show_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T09:30:00Z"]}),
]
Amount = Annotated[
    str, Field(pattern=AMOUNT_PATTERN, examples=["125.50"], description="Major units as exact decimal text, above 0.")
]
MoneyText = Annotated[str, Field(pattern=MONEY_PATTERN, examples=["12500.00"], description="Major units, exact.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"], description="ISO 4217 code.")]
AccountRef = Annotated[
    str, Field(pattern=ACCOUNT_PATTERN, examples=["ACC10001"], description="An account's number or its id.")
]
# What an agent may do alone, or what somebody owes a month, can be nothing.
AmountOrZero = Annotated[str, Field(pattern=r"^(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,4})?$", examples=["100.00"])]
AcknowledgedId = Annotated[
    str,
    Field(max_length=64, description="The id a `possible_duplicate` named: this is another payment, not that one."),
]
Description = Annotated[str, Field(min_length=1, max_length=500, examples=["Invoice 2026-114"])]
Metadata = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")],
        Annotated[str, Field(max_length=500)],
    ],
    Field(max_length=20, examples=[{"invoice": "2026-114"}]),
]


class Asked(BaseModel):
    """What a caller sends: strict types, nothing unknown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AskedInPart(Asked):
    """An object that may be empty. The framework would take a number for it: that has none of the fields either."""

    @model_validator(mode="before")
    @classmethod
    def refuse_what_is_no_object(cls, value: object) -> object:
        """Only an object is one."""
        if not isinstance(value, dict | cls):
            raise ValueError("must be an object")  # noqa: TRY004 -- pydantic makes a refusal of it
        return value  # pyright: ignore[reportUnknownVariableType] -- its fields are looked at next


class Told(BaseModel):
    """What Bursar answers; a client skips fields it does not know."""

    model_config = ConfigDict(frozen=True)


class Page(Told, Generic[Item]):
    """One page of a list; pass `next_cursor` as `cursor` to get the next, until it is null."""

    items: list[Item]
    next_cursor: str | None
