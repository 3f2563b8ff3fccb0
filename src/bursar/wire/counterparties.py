"""Counterparties on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import AccountRef, Asked, Time, Told


class CreateCounterparty(Asked):
    """Somebody the tenant pays, by their account here."""

    account: AccountRef
    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Blake Brown"])]


class Counterparty(Told):
    """A counterparty as it stands; `version` counts its changes."""

    id: str
    account: str
    name: str
    status: Literal["active", "blocked"]
    version: int
    created_at: Time
