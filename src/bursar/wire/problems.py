"""Problems on the wire: RFC 9457, with what an agent needs to go on."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Told


class ArgumentError(Told):
    """One argument that was refused; never the value itself."""

    at: Annotated[str, Field(examples=["amount"])]
    reason: str


class Problem(Told):
    """Why not, which fact decided it, whether money moved, and what to do next."""

    type: Annotated[str, Field(examples=["urn:bursar:problem:insufficient_funds"])]
    title: str
    status: int
    code: Annotated[str, Field(examples=["insufficient_funds"])]
    detail: Annotated[str, Field(examples=["ACC10001 has 70.00 USD available; you asked 90.00 USD. No money moved."])]
    money_moved: Literal["no", "yes", "unknown"]
    retry: Literal["never", "same_key", "new_request", "after"]
    next: str
    request_id: str
    errors: list[ArgumentError] | None = None
