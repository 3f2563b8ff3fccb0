"""docs/performance.md: each benchmark writes the figures of its own section, so that nobody copies one by hand.

A section's figures stand between `<!-- name -->` and `<!-- /name -->`; what is around them people write.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the figures depend on besides the code; `machine` is its processor, memory and kernel."""

    machine: str
    cores: int
    python: str
    libraries: str
    postgresql: str
    fsync: str
    synchronous_commit: str

    def __str__(self) -> str:
        """In one line."""
        software = f"Python {self.python}, {self.libraries}, {self.postgresql}"
        commits = f"fsync {self.fsync}, synchronous_commit {self.synchronous_commit}"
        return f"{self.cores} cores of {self.machine}; {software}, {commits}"


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG, and what it shows for those who do not see it."""

    name: str
    shows: str
    svg: str


@dataclass(frozen=True, slots=True)
class Section:
    """What a benchmark has to show."""

    tables: Sequence[Table]
    pictures: Sequence[Picture] = ()


def write(page: Path, name: str, where: Environment, section: Section) -> None:
    """Put a benchmark's figures in their place, and its pictures beside the page.

    ValueError when the page has no place for them.
    """
    before, opening, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not closing:
        raise ValueError(f"{page} has no place for {name}")
    first, *more = section.tables
    blocks = [
        f"{first.title}. {where}. {datetime.now(UTC):%Y-%m-%d}; no invariant was violated.",
        "\n".join(_rows(first)),
        *(text for table in more for text in (f"{table.title}:", "\n".join(_rows(table)))),
        *(f"![{picture.shows}](pictures/{picture.name}.svg)" for picture in section.pictures),
    ]
    for picture in section.pictures:
        (page.parent / "pictures" / f"{picture.name}.svg").write_text(picture.svg)
    page.write_text("".join([before, opening, "\n", "\n\n".join(blocks), "\n\n", closing, after]))


def _rows(table: Table) -> Iterator[str]:
    """A table as Markdown."""
    columns = table.columns
    yield _row(str(column.header) for column in columns)
    yield _row("---:" if column.justify == "right" else "---" for column in columns)
    for cells in zip(*(column.cells for column in columns), strict=True):
        yield _row(map(str, cells))


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
