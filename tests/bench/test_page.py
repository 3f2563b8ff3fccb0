"""The page of figures: every benchmark has its place on it, and writes nothing else."""

from pathlib import Path

import pytest
from rich.table import Table

from bench.page import PAGE, Environment, Picture, Section, write

HERE = Environment("A processor, 1 GiB, Linux 6.1", 2, "3.11.2", "FastAPI 1.0", "PostgreSQL 18.6", "on", "on")
PAGE_BEFORE = """# Figures

<!-- one -->
Not measured yet.
<!-- /one -->

Words between.

<!-- other -->
| kept |
<!-- /other -->
"""


def table(title: str = "Medians") -> Table:
    made = Table(title=title)
    made.add_column("what")
    made.add_column("per second", justify="right")
    made.add_row("payments", "1,234")
    return made


def section() -> Section:
    return Section([table()])


def test_a_benchmark_writes_its_own_section_and_again_in_its_place(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE_BEFORE)
    write(page, "one", HERE, section())
    once = page.read_text()
    assert "\n\n| what | per second |\n| --- | ---: |\n| payments | 1,234 |\n\n<!-- /one -->" in once
    assert (
        "Medians. 2 cores of A processor, 1 GiB, Linux 6.1; Python 3.11.2, FastAPI 1.0, PostgreSQL 18.6, fsync on"
        in once
    )
    assert once.startswith("# Figures\n\n<!-- one -->\n")
    assert once.endswith(PAGE_BEFORE.partition("<!-- /one -->")[2])
    assert "Not measured" not in once
    write(page, "one", HERE, section())
    assert page.read_text() == once


def test_further_tables_and_pictures_follow_the_first(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE_BEFORE)
    (tmp_path / "pictures").mkdir()
    write(page, "one", HERE, Section([table(), table("Costs")], [Picture("bars", "Rates by side", "<svg/>")]))
    of_one = page.read_text().partition("<!-- /one -->")[0]
    costs = "\n\nCosts:\n\n| what | per second |\n| --- | ---: |\n| payments | 1,234 |\n\n"
    assert of_one.endswith(f"{costs}![Rates by side](pictures/bars.svg)\n\n")
    assert (tmp_path / "pictures" / "bars.svg").read_text() == "<svg/>"


def test_a_benchmark_without_a_place_says_so(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE_BEFORE)
    with pytest.raises(ValueError, match="no place for two"):
        write(page, "two", HERE, section())
    assert page.read_text() == PAGE_BEFORE


NAMES = ("transfers", "profile", "batches", "processes", "growth", "mandate", "runaway", "payments", "jobs", "lending")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_a_place_for_every_benchmark(name: str, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    write(page, name, HERE, section())
    assert page.read_text().count("| payments | 1,234 |") == 1
