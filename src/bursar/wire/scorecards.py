"""Scorecards on the wire, and the bank statements that they score."""

from typing import Annotated, Literal

from pydantic import Field

from bursar.wire.fields import Asked, Currency, Time, Told
from bursar.wire.lending import OriginKind, Sha256, Version
from bursar.wire.loans import Day

ScorecardName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}-[1-9][0-9]{0,6}$", examples=["berka-1"])]
ScorecardStatus = Literal["draft", "active", "retired"]
Proposal = Literal["approve", "review", "reject"]
Minor = Annotated[int, Field(ge=-(10**15), le=10**15, examples=[500_000])]
Turnover = Annotated[int, Field(ge=0, le=10**15, examples=[3_100_000])]
Points = Annotated[int, Field(ge=-1_000_000, le=1_000_000, examples=[600])]
Sentence = Annotated[str, Field(min_length=1, max_length=200)]
# Money that came in, or with a minus sign money that went out.
Signed = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,4})?$", examples=["-125.50"])]
DaysOfMonth = Annotated[int, Field(ge=0, le=31)]


class ScorecardScale(Asked):
    """At `points` a loan is good with odds of `odds` to 1; `double` more points double them."""

    points: Points
    odds: Annotated[int, Field(ge=1, le=10_000, examples=[20])]
    double: Annotated[int, Field(ge=1, le=10_000, examples=[50])]


class ScorecardRamp(Asked):
    """All points of a feature at `best` and beyond, none at `worst` and beyond, a straight line between."""

    feature: Literal[
        "history_months", "income_minor", "income_variation_bps", "lowest_minor", "average_minor", "days_under_bps",
        "days_overdrawn_bps", "penalties", "debt_service_bps",
    ]  # fmt: skip
    best: Annotated[Minor, Field(examples=[1_000_000])]
    worst: Minor
    points: Annotated[int, Field(ge=0, le=100_000, examples=[200])]
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["low_balance_days"])]
    words: Annotated[Sentence, Field(examples=["lowest balance"])]


class ScorecardBand(Asked):
    """From `at_least` points on, up to the band before it; the last band takes all from -1000000 on."""

    name: Annotated[str, Field(pattern=r"^[A-Z]$", examples=["A"])]
    at_least: Annotated[int, Field(ge=-1_000_000, le=1_000_000, examples=[-1_000_000])]
    proposal: Proposal


class ScorecardFitted(Asked):
    """Where a card comes from: the command that makes it again, and the files it was given."""

    command: Sentence
    statements_sha256: Sha256
    loans_sha256: Sha256
    loans: Annotated[int, Field(ge=1)]
    bad: Annotated[int, Field(ge=1)]


class ScorecardText(Asked):
    """A version of a scorecard, as `bursar lending fit` writes it: amounts in minor units, shares in basis points."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["berka"])]
    version: Annotated[int, Field(ge=1, le=1_000_000, examples=[1])]
    currency: Currency
    under_minor: Minor
    least_history_months: Annotated[int, Field(ge=0, le=120, examples=[2])]
    scale: ScorecardScale
    base_points: Points
    ramps: Annotated[list[ScorecardRamp], Field(max_length=9)]
    bands: Annotated[list[ScorecardBand], Field(min_length=1, max_length=26)]
    fitted: ScorecardFitted | None = None


class Scorecard(Told):
    """A version of a scorecard and where it stands; it is never edited. Only an active one scores."""

    scorecard: str
    status: ScorecardStatus
    card: ScorecardText
    card_sha256: str
    drafted_at: Time
    changed_at: Time
    changed_by: str


class StatementLine(Asked):
    """A line of a bank statement. Text of the bank or of payers has no place here: no rule would read it."""

    day: Day
    change: Annotated[Signed, Field(description="What came in, or went out with a minus sign.")] | None = None
    balance: Annotated[Signed, Field(description="The bank's own, after this line.")] | None = None
    kind: Literal["other", "interest", "penalty_interest", "debt_service"] = "other"


class StatementMonth(Asked):
    """A calendar month, or the part of it that is known, from `start` on; amounts are in minor units."""

    start: Day
    days: Annotated[int, Field(ge=1, le=31)]
    days_under: DaysOfMonth
    days_overdrawn: DaysOfMonth
    lowest_minor: Minor
    average_minor: Minor
    income_minor: Turnover
    debt_service_minor: Turnover
    penalties: Annotated[int, Field(ge=0, le=1_000_000)]


class StatementSummary(Asked):
    """What somebody else made of a statement: months in order, days counted under the amount that the card names."""

    currency: Currency
    under_minor: Minor
    months: Annotated[list[StatementMonth], Field(min_length=1, max_length=120)]


class AddStatement(Asked):
    """A bank statement of the applicant, as `lines` or as a `summary`; the latest one counts."""

    version: Version
    origin: OriginKind
    document: Annotated[str, Field(min_length=1, max_length=200, examples=["statement-2026-10.pdf"])] | None = None
    lines: Annotated[list[StatementLine], Field(min_length=1, max_length=1_000)] | None = None
    summary: StatementSummary | None = None


class ApplicationStatement(Told):
    """A bank statement as it was handed in; `sha256` is that of its content as canonical JSON, which decisions name."""

    application_version: int
    origin: OriginKind
    document: str | None
    lines: list[StatementLine] | None
    summary: StatementSummary | None
    sha256: str
