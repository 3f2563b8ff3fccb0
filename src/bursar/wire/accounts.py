"""Accounts, balances and statements on the wire."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from bursar.wire.fields import ACCOUNT_PATTERN, Amount, Asked, Currency, Metadata, MoneyText, Time, Told

Floor = Literal["none", "zero", "credit_limit"]


class OpenAccount(Asked):
    """An account to open."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"number": "ACC30003", "name": "Petty cash", "currency": "USD"}]}
    )

    number: Annotated[str, Field(pattern=ACCOUNT_PATTERN, examples=["ACC30003"])]
    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Petty cash"])]
    currency: Currency
    normal_side: Literal["debit", "credit"] = "credit"
    floor: Annotated[
        Floor, Field(description="How low `available` may go; agents may only open accounts with zero.")
    ] = "zero"
    credit_limit: Annotated[Amount | None, Field(description="With floor `credit_limit`: how far below zero.")] = None
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limit_belongs_to_floor(self) -> "OpenAccount":
        if (self.floor == "credit_limit") != (self.credit_limit is not None):
            raise ValueError("credit_limit goes with floor credit_limit, and only with it")
        return self


class MarkUpstream(Asked):
    """Where an account's money lives."""

    number: Annotated[str, Field(pattern=ACCOUNT_PATTERN, examples=["ACC10001"], description="Its number upstream.")]


class Account(Told):
    """An account as it stands: `available` is posted minus held; `version` counts the postings on it.

    With `upstream`, its number in another service, its money lives there: these amounts are what was moved through
    here, and `held` what is under way. Its balance says what it has there.
    """

    id: str
    number: str
    name: str
    currency: Currency
    normal_side: Literal["debit", "credit"]
    floor: Floor
    credit_limit: MoneyText | None
    status: Literal["open", "frozen", "closed"]
    posted: MoneyText
    held: MoneyText
    available: MoneyText
    version: int
    metadata: Metadata
    opened_at: Time
    upstream: str | None


class Balance(Told):
    """A balance now, or with `at` the posted balance of a past moment (held and available are then null)."""

    account: str
    currency: Currency
    posted: MoneyText
    held: MoneyText | None
    available: MoneyText | None
    version: int
    at: Time | None


class StatementLine(Told):
    """One posting as the account sees it: `change` is signed, `balance` runs through the statement."""

    transfer_id: str
    kind: str
    version: int
    change: MoneyText
    balance: MoneyText
    counterparty: str
    description: str | None
    effective_at: Time
    recorded_at: Time


class Statement(Told):
    """Opening balance, lines by time of effect, closing balance; page on with `next_cursor`."""

    account: str
    currency: Currency
    start: Time
    end: Time
    opening_balance: MoneyText
    lines: list[StatementLine]
    closing_balance: MoneyText
    next_cursor: str | None
