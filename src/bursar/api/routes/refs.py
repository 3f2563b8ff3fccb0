"""How ids and account references are read from paths, queries and bodies."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from bursar.core.ledger.model import AccountRef
from bursar.kernel.ids import read
from bursar.kernel.refusal import InvalidArgument
from bursar.wire.fields import ACCOUNT_PATTERN

AccountPath = Annotated[
    str, Path(max_length=64, pattern=ACCOUNT_PATTERN, description="The account's number or id.", examples=["ACC10001"])
]
IdPath = Annotated[str, Path(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=500, description="How many to return at most.")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")]


def account_ref(text: str) -> AccountRef:
    """An account's id if it has the shape of one, else its number."""
    return read("acct", text) or text


def id_of(prefix: str, text: str | None, argument: str) -> UUID | None:
    """The id that an argument of a body says, if it says any."""
    found = read(prefix, text) if text is not None else None
    if text is not None and found is None:
        raise InvalidArgument(argument, "is not an id of this kind")
    return found


def acknowledged(text: str | None, at: str = "") -> UUID | None:
    """The earlier payment that a request says it does not repeat; `at` is where in the body it says so."""
    return id_of("evt", text, f"{at}acknowledge_duplicate")


def read_cursor(prefix: str, cursor: str | None) -> UUID | None:
    """The id a list goes on from."""
    if cursor is None:
        return None
    found = read(prefix, cursor)
    if found is None:
        raise InvalidArgument("cursor", "is not a cursor of this list")
    return found
