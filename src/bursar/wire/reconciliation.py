"""Statements, runs, matches and breaks on the wire."""

import base64
import binascii
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bursar.wire.cases import OwnerRef
from bursar.wire.fields import AccountRef, Asked, Currency, MoneyText, Time, Told

SOURCE_PATTERN = r"^[a-z][a-z0-9_-]{0,31}$"
REASON_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"


def read_day(value: object) -> object:
    """A day as text; anything else is left for the type to refuse."""
    if not isinstance(value, str):
        return value
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year < 9000:
        raise ValueError("must be a day such as 2026-11-21, between the years 1900 and 9000")
    return day


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    return text


Day = Annotated[
    date,
    BeforeValidator(read_day),
    PlainSerializer(date.isoformat),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-21"]}),
]
SourceName = Annotated[
    str, Field(pattern=SOURCE_PATTERN, examples=["mybank"], description="What you call where it comes from.")
]
_HOW = "The file as base64; one of more than about 45 kB is imported on the command line."
Content = Annotated[str, AfterValidator(_base64), Field(min_length=1, description=_HOW)]
# A small MT940, and a small CSV.
_MT940 = (
    "OjIwOkEKOjI1OkIxCjoyOEM6MQo6NjBGOkMyNjAzMDFFVVIxMCwwMAo6NjE6MjYwMzAyRDIsMDBOVFJGSU5WLTEKOjYyRjpDMjYw"
    "MzAyRVVSOCwwMAo="
)
_CSV = "aWQsa2luZCxkYXksY3VycmVuY3ksYW1vdW50LGZlZSxyZWZlcmVuY2UKdHhuXzEsY2hhcmdlLDIwMjYtMDMtMDIsVVNELDEyLDEscGF5XzEK"
StatementFormat = Literal["csv", "camt053", "mt940"]
Leg = Literal["ledger_bank", "ledger_provider", "provider_bank"]
BreakKind = Literal[
    "missing_in_ledger", "missing_at_provider", "missing_at_bank", "amount_differs", "date_differs", "duplicate"
]
BreakState = Literal["open", "accepted", "posted", "cleared"]
ReasonCode = Annotated[
    str, Field(pattern=REASON_PATTERN, examples=["bank_fee"], description="Your own code for why, in lower case.")
]
Column = Annotated[str, Field(min_length=1, max_length=100)]
Columns = Annotated[list[Column], Field(max_length=10)]


class CsvColumns(Asked):
    """The header's name of each column: `amount`, or both `credit` and `debit`."""

    date: Column
    amount: Column | None = None
    credit: Column | None = None
    debit: Column | None = None
    direction: Column | None = None
    account: Column | None = None
    reference: Column | None = None
    bank_reference: Column | None = None
    counterparty: Columns | None = None
    description: Columns | None = None
    balance: Column | None = None


class CsvMapping(Asked):
    """How a bank writes its CSV. `outgoing` is what cells of `direction` say of money that went."""

    currency: Currency
    columns: CsvColumns
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "ascii", "latin-1", "cp1250", "cp1252"] | None = None
    date_format: Annotated[str, Field(min_length=2, max_length=30, examples=["%Y-%m-%d"])] | None = None
    decimal: Literal[".", ","] | None = None
    outgoing: Columns | None = None
    reversed: bool | None = None


class ImportBankStatement(Asked):
    """A file from a bank. `mapping` is for CSV; so is `account`, where no column names it."""

    source: SourceName
    format: Annotated[StatementFormat, Field(examples=["mt940"])]
    content: Annotated[Content, Field(examples=[_MT940])]
    mapping: CsvMapping | None = None
    account: Annotated[str, Field(min_length=1, max_length=64, description="What the bank calls it.")] | None = None


class ImportProviderTransactions(Asked):
    """Balance transactions of a provider, as CSV: id,kind,day,currency,amount,fee,reference."""

    provider: SourceName
    content: Annotated[Content, Field(examples=[_CSV])]


class FetchProviderTransactions(Asked):
    """Which days (of UTC) of a provider's books to bring in: 31 at most."""

    provider: Annotated[str, Field(pattern=SOURCE_PATTERN, examples=["sandbox"])]
    first_day: Day
    last_day: Day


class Imported(Told):
    """What an import did. A file that was imported before has no new lines."""

    statements: int
    lines: int
    new: int
    accounts: list[str]


class BankStatement(Told):
    """A statement as it was filed."""

    id: str
    source: str
    account: str
    currency: str
    format: StatementFormat
    number: str | None
    opening_balance: MoneyText | None
    closing_balance: MoneyText | None
    lines: int
    imported_at: Time


class RunReconciliation(Asked):
    """What to compare. `account` with `source` and `bank_account`, `clearing` with `provider`, or all of them."""

    first_day: Day
    last_day: Day
    currency: Currency
    account: AccountRef | None = None
    source: SourceName | None = None
    bank_account: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    provider: SourceName | None = None
    clearing: AccountRef | None = None
    tolerance_minor: Annotated[int, Field(ge=0, le=10**9)] = 0
    days: Annotated[int, Field(ge=0, le=31, description="How far two days may lie apart and still be one.")] = 3
    far_days: Annotated[
        int, Field(ge=0, le=92, description="Up to here a day differs; beyond, an item is missing.")
    ] = 14
    counterparty_decides: Annotated[
        bool, Field(description="Whether two counterparties that differ keep equal amounts apart.")
    ] = False
    owner: OwnerRef | None = None


class ReconciliationRun(Told):
    """A run and what it came to. `settled` counts items that people had settled before."""

    id: str
    scope: dict[str, Any]
    matched: int
    broken: int
    settled: int
    cleared: int
    ran_by: str
    ran_at: Time


class ReconciliationItems(Told):
    """The ids of the items of both sides: transfers (with their posting), a provider's ids, bank lines."""

    left: list[str]
    right: list[str]


class ReconciliationMatch(Told):
    """Items that are one, and why."""

    number: int
    leg: Leg
    how: Literal["reference", "amount_and_date", "references_together", "amounts_together"]
    why: str
    items: ReconciliationItems


class ReconciliationBreak(Told):
    """Items that do not agree. `difference` is what the left side lacks: above zero when the right has more."""

    id: str
    leg: Leg
    kind: BreakKind
    day: Day
    currency: str
    difference: MoneyText
    items: ReconciliationItems
    why: str
    state: BreakState
    reason: str | None
    transfer_id: str | None
    case_id: str | None
    run_id: str
    found_at: Time


class AcceptReconciliationBreak(Asked):
    """Why the difference may stay."""

    reason: ReasonCode
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class PostReconciliationBreak(Asked):
    """The account on the other side of the posting, and why."""

    reason: ReasonCode
    counter: AccountRef
    note: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
