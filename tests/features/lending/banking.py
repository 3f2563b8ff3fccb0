"""Statements, features and past loans for tests of the score."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bursar.features.lending.features import Features
from bursar.features.lending.mapping import Kind, find_mapping
from bursar.features.lending.scorecard import LOWEST_POINTS, Band, Card, Ramp, Scale
from bursar.features.lending.summary import Movement

BERKA = find_mapping("berka")
SAMPLE = Path(__file__).parent / "berka" / "statements.csv"
LOANS = SAMPLE.with_name("loans.csv")
HEADER = "trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account"

CARD = Card(
    name="test",
    version=3,
    currency="CZK",
    under_minor=500_000,
    least_history_months=2,
    scale=Scale(points=600, odds=20, double=50),
    base_points=400,
    ramps=[
        Ramp(feature="days_under_bps", best=100, worst=1_100, points=200, code="low_days", words="low days"),
        Ramp(feature="lowest_minor", best=100_000, worst=0, points=100, code="lowest", words="lowest balance"),
        Ramp(feature="penalties", best=0, worst=1, points=50, code="penalty", words="charges"),
    ],
    bands=[
        Band(name="A", at_least=700, proposal="approve"),
        Band(name="B", at_least=550, proposal="review"),
        Band(name="C", at_least=LOWEST_POINTS, proposal="reject"),
    ],
)
BEST = Features(history_months=12, days_under_bps=0, lowest_minor=100_000, penalties=0)
WORST = Features(history_months=12, days_under_bps=10_000, lowest_minor=-1, penalties=7)


def moved(day: date, change_minor: int | None, balance_minor: int | None = None, kind: Kind = "other") -> Movement:
    """A movement; without a balance the bank printed none."""
    return Movement(day, change_minor, balance_minor, kind)


def line(
    reference: str,
    account: str = "1787",
    date_: str = "970101",
    type_: str = "credit",
    amount: str = "100.00",
    balance: str = "100.00",
    symbol: str = "",
) -> str:
    """A credit of 100.00, but for what is said otherwise."""
    return f"{reference};{account};{date_};{type_};;{amount};{balance};{symbol};;"


def write(folder: Path, *lines: str, header: str = HEADER, end: str = "\n") -> Path:
    """A file of these lines."""
    file = folder / "statements.csv"
    file.write_bytes("".join(text + end for text in (header, *lines)).encode())
    return file


def of_sample(accounts: Sequence[str]) -> list[str]:
    """The lines of these accounts in the sample."""
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()[1:]
    return [text for text in lines if text.split(";")[1] in accounts]
