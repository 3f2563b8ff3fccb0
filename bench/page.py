"""docs/performance.md: each benchmark writes the figures of its own section, so that nobody copies one by hand.

A section's figures stand between `<!-- name -->` and `<!-- /name -->`; what is around them people write.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from bench.report import Environment

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"


def write(page: Path, name: str, where: Environment, table: Table) -> None:
    """Put a benchmark's figures in their place; ValueError when the page has none for them."""
    before, opening, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not closing:
        raise ValueError(f"{page} has no place for {name}")
    lines = [f"{table.title}. {where}. {datetime.now(UTC):%Y-%m-%d}; no invariant was violated.", "", *_rows(table)]
    page.write_text("".join([before, opening, "\n".join(["", *lines, "", ""]), closing, after]))


def _rows(table: Table) -> Iterator[str]:
    """A table as Markdown."""
    columns = table.columns
    yield _row(str(column.header) for column in columns)
    yield _row("---:" if column.justify == "right" else "---" for column in columns)
    for cells in zip(*(column.cells for column in columns), strict=True):
        yield _row(map(str, cells))


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
