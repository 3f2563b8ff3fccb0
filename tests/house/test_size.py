"""Files are small enough to be read at a sitting: those of tests, too."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
PLACES = ("bench", "src", "tests", "tools")


def test_no_file_is_longer_than_anybody_reads() -> None:
    files = [ROOT / "run.py", *(path for place in PLACES for path in (ROOT / place).rglob("*.py"))]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}
