"""A scorecard is data under a version: features turned into whole points, points into a probability and a band."""

from decimal import Context, Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bursar.features.lending.features import Feature
from bursar.features.lending.mapping import Currency, faults_of
from bursar.kernel.canonical import digest
from bursar.kernel.money import MAX_MINOR
from bursar.kernel.refusal import InvalidArgument

Proposal = Literal["approve", "review", "reject"]
LOWEST_POINTS = -1_000_000
Points = Annotated[int, Field(ge=LOWEST_POINTS, le=1_000_000)]
Measure = Annotated[int, Field(ge=-MAX_MINOR, le=MAX_MINOR)]
Sentence = Annotated[str, Field(min_length=1, max_length=200)]

# Its results are correctly rounded, so that every machine gets the same digits.
_EXACT = Context(prec=40)
_MILLIONTH = Decimal("0.000001")
_MOST_DOUBLINGS = 60


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ramp(_Part):
    """Points of one feature: all of them at `best` and beyond, none at `worst` and beyond, a straight line between.

    `code` and `words` are its reason; the words name what was measured.
    """

    feature: Feature
    best: Measure
    worst: Measure
    points: Annotated[int, Field(ge=0, le=100_000)]
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    words: Sentence

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "Ramp":
        if self.best == self.worst:
            raise ValueError("best and worst are the same")
        return self

    def points_for(self, value: int | None) -> int:
        """Whole points, rounded down; what is not known earns none."""
        if value is None:
            return 0
        up = 1 if self.best > self.worst else -1
        span = up * (self.best - self.worst)
        return self.points * min(max(up * (value - self.worst), 0), span) // span


class Scale(_Part):
    """What points mean: at `points`, a loan is good with odds of `odds` to 1; `double` more points double them."""

    points: Points
    odds: Annotated[int, Field(ge=1, le=10_000)]
    double: Annotated[int, Field(ge=1, le=10_000)]

    def probability(self, points: int) -> Decimal:
        """Of a bad loan, to a millionth."""
        doublings = _EXACT.divide(Decimal(points - self.points), Decimal(self.double))
        bounded = max(min(doublings, Decimal(_MOST_DOUBLINGS)), Decimal(-_MOST_DOUBLINGS))
        odds = _EXACT.multiply(Decimal(self.odds), _EXACT.exp(_EXACT.multiply(bounded, _EXACT.ln(Decimal(2)))))
        return _EXACT.divide(Decimal(1), _EXACT.add(odds, Decimal(1))).quantize(_MILLIONTH)


class Band(_Part):
    """From `at_least` points on, up to the band before it; the last band takes all that is below."""

    name: Annotated[str, Field(pattern=r"^[A-Z]$")]
    at_least: Points
    proposal: Proposal


class Fitted(_Part):
    """Where a card comes from: the command that makes it again, and the SHA-256 of the files it was given."""

    command: Sentence
    statements_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    loans_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    loans: Annotated[int, Field(ge=1)]
    bad: Annotated[int, Field(ge=1)]


class Card(_Part):
    """A version of a scorecard. `under_minor` is what days are compared with; too short a history means a review."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    currency: Currency
    under_minor: Measure
    least_history_months: Annotated[int, Field(ge=0, le=120)]
    scale: Scale
    base_points: Points
    ramps: list[Ramp]
    bands: Annotated[list[Band], Field(min_length=1)]
    fitted: Fitted | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Card":
        if len({ramp.feature for ramp in self.ramps}) < len(self.ramps):
            raise ValueError("a feature has two ramps")
        floors = [band.at_least for band in self.bands]
        if floors != sorted(set(floors), reverse=True):
            raise ValueError("bands must fall from the most points to the least")
        if floors[-1] != LOWEST_POINTS:
            raise ValueError(f"the last band must take every score, from {LOWEST_POINTS} points on")
        if len({band.name for band in self.bands}) < len(self.bands):
            raise ValueError("two bands have one name")
        return self

    @property
    def scorecard(self) -> str:
        """What this version is called, such as `berka-1`."""
        return f"{self.name}-{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, in hexadecimal digits: another card never passes for this one."""
        return digest(self.model_dump()).hex()

    def band_of(self, points: int) -> Band:
        """The first band that these points reach."""
        return next(band for band in self.bands if points >= band.at_least)


def read_card(text: str) -> Card:
    """Check the JSON text of a card; refuses with all faults at once."""
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        raise InvalidArgument("card", faults_of(error)) from error


def write_card(card: Card) -> str:
    """The JSON text of a card, for people too; the same card always gives the same text."""
    return card.model_dump_json(indent=2) + "\n"


def find_card(file: Path | None) -> Card:
    """The card of a file, or the one that comes with Bursar."""
    path = file or files("bursar.features.lending") / "cards" / "berka-1.json"
    try:
        return read_card(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument("card", f"cannot be read: {error}") from error
