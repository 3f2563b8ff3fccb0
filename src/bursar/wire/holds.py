"""Holds on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import AccountRef, Amount, Asked, Currency, Description, Metadata, MoneyText, Time, Told
from bursar.wire.mandates import Authorised

Target = Annotated[AccountRef, Field(examples=["ACC20002"])]


class CreateHold(Asked):
    """Set funds of `account` aside, for `target` if it is known already."""

    account: AccountRef
    target: Target | None = None
    amount: Amount
    currency: Currency
    expires_at: Annotated[
        Time | None,
        Field(description="When the funds come back by themselves. Default: never.", examples=["2090-01-01T00:00:00Z"]),
    ] = None
    description: Description | None = None
    metadata: Metadata = Field(default_factory=dict)


class CaptureHold(Asked):
    """Post a hold: in full, or `amount` of it (the remainder is released); to its target, or the one named here."""

    amount: Amount | None = None
    target: Target | None = None


class Hold(Told):
    """A hold: pending, or posted (captured), voided (released), expired. `transfer_id` names what a capture posted."""

    id: str
    status: Literal["pending", "posted", "voided", "expired"]
    account_id: str
    target_id: str | None
    amount: MoneyText
    captured_amount: MoneyText
    currency: Currency
    description: str | None
    metadata: Metadata
    placed_at: Time
    expires_at: Time | None
    transfer_id: str | None
    authority: Annotated[
        Authorised | None, Field(description="In the answer to an agent that paid: what let it. Null elsewhere.")
    ] = None
