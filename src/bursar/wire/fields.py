"""The fields that shapes are made of: amounts as exact decimal text, times with a zone, names and metadata."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

Item = TypeVar("Item")

ACCOUNT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"
AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
MONEY_PATTERN = r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,4})?$"
TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$"


def read_time(value: object) -> object:
    """RFC 3339 text as an aware datetime; anything else is left for the type to refuse."""
    if not isinstance(value, str):
        return value
    if len(value) > 40 or "T" not in value.upper():
        raise ValueError("must be a time such as 2026-11-21T09:30:00Z")
    try:
        return datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-11-21T09:30:00Z") from None


def _zoned(value: datetime) -> datetime:
    if value.tzinfo is None or not 1900 <= value.year <= 9000:
        raise ValueError("must name its zone and lie between 1900 and 9000")
    return value.astimezone(UTC)


def show_time(value: datetime) -> str:
    """A time as the wire shows it: UTC, `2026-11-21T09:30:00.123456Z`."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[
    datetime,
    BeforeValidator(read_time),
    AfterValidator(_zoned),
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


class Told(BaseModel):
    """What Bursar answers; a client skips fields it does not know."""

    model_config = ConfigDict(frozen=True)


class Page(Told, Generic[Item]):
    """One page of a list; pass `next_cursor` as `cursor` to get the next, until it is null."""

    items: list[Item]
    next_cursor: str | None
