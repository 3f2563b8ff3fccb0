"""How a page of the documentation is run: its blocks as one script, each output held against what the page shows."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bursar.kernel.canonical import Json

RUNS, SHOWS = ("bash", "python"), ("json", "text")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== block "

# An id may be cut short on a page; `acct_001`, a number somebody chose, is no id.
ID = (
    r"(?:tr|acct|evt|hold|prn|req|key|mnd|apr|cp|frz|pay|re|po|cus|pm|case|note|job|whe|whd|stm|bl|rec|brk|app|dec|ofr|loan|col|rem|prom)"
    r"_[0-9a-f]{6,32}…?"
    r"|bk_(?:live|test)_\w+…?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
CHANGING = re.compile(f"({ID}|{TIME})")

# Readers type `python3 run.py`; here that is the Python of the tests, and the first failing command ends the page.
PRELUDE = """set -Eeuo pipefail
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
python3() { if [ "$1" = run.py ]; then shift; set -- -P -m bursar "$@"; fi; command "$BURSAR_PYTHON" "$@"; }
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    options: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something a reader does, and what the page says comes of it."""

    does: Block
    shown: Block | None


@dataclass(slots=True)
class Names:
    """Which real id stands behind each id on a page."""

    real: dict[str, str] = field(default_factory=dict[str, str])

    def agree(self, shown: str, real: str) -> bool:
        if re.fullmatch(TIME, shown):
            return re.fullmatch(TIME, real) is not None
        if shown not in self.real and real in self.real.values():
            return False
        return _kind(shown) == _kind(real) and self.real.setdefault(shown, real) == real


def _kind(value: str) -> str:
    """The prefix of an id; a bare UUID has none."""
    return re.sub(r"_.*|^[^_]*$", "", value)


def steps_of(page: str) -> list[Step]:
    """The blocks that run, each with the output that follows it; a fence that says `no-test` is passed over."""
    blocks = [Block(m[1], m[2], m[3], page.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(page)]
    blocks = [block for block in blocks if "no-test" not in block.options]
    after: list[Block | None] = [*blocks[1:], None]
    return [
        Step(block, following if following and following.language in SHOWS else None)
        for block, following in zip(blocks, after, strict=True)
        if block.language in RUNS
    ]


def script_of(steps: Sequence[Step]) -> str:
    """All blocks as one shell script, so that what one sets the next one has."""
    parts = [PRELUDE]
    for number, step in enumerate(steps):
        text = step.does.text
        body = f"python3 - <<'END_OF_PYTHON'\n{text}END_OF_PYTHON\n" if step.does.language == "python" else text
        parts.append(f"echo; echo '{MARK}{number}'\n{body}")
    return "\n".join(parts)


def outputs_of(said: str) -> list[str]:
    """The output of each block that was begun."""
    return re.split(f"^{MARK}\\d+\n", said, flags=re.MULTILINE)[1:]


def differences(shown: Block, real: str, names: Names) -> list[str]:
    """Where the output is not what the page shows."""
    if shown.language == "json":
        try:
            return list(_differences(json.loads(shown.text), json.loads(real), names, "$"))
        except json.JSONDecodeError:
            return ["one of the two is no JSON", real]
    wanted, got = _lines(shown.text), _lines(real)
    return [] if _lines_agree(wanted, got, names) else ["the output is", *got]


def _differences(shown: Json, real: Json, names: Names, at: str) -> Iterator[str]:
    match shown, real:
        case str(), str():
            agree = _text_agrees(shown, real, names)
        case Mapping(), Mapping():
            agree = _members_agree(shown, real)
            for name in shown.keys() & real.keys():
                yield from _differences(shown[name], real[name], names, f"{at}.{name}")
        case list(), list():
            agree = len(shown) == len(real)
            for index, (one, other) in enumerate(zip(shown, real, strict=False)):
                yield from _differences(one, other, names, f"{at}.{index}")
        case _:
            agree = shown == real and type(shown) is type(real)
    if not agree:
        yield f"{at} is {json.dumps(real, ensure_ascii=False)}"


def _members_agree(shown: Mapping[str, Json], real: Mapping[str, Json]) -> bool:
    """`"…": "…"` says that there are more members than the page shows."""
    return shown.keys() - {"…"} <= real.keys() if "…" in shown else shown.keys() == real.keys()


def _text_agrees(shown: str, real: str, names: Names) -> bool:
    """Equal but for ids and times, which take odd places when the text is split at them."""
    wanted, got = CHANGING.split(shown), CHANGING.split(real)
    if len(wanted) != len(got) or wanted[::2] != got[::2]:
        return False
    return all(names.agree(one, other) for one, other in zip(wanted[1::2], got[1::2], strict=True))


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def _lines_agree(shown: list[str], real: list[str], names: Names) -> bool:
    """A line of … stands for any lines."""
    if not shown:
        return not real
    if shown[0] == "…":
        return any(_lines_agree(shown[1:], real[skipped:], names) for skipped in range(len(real) + 1))
    return bool(real) and _text_agrees(shown[0], real[0], names) and _lines_agree(shown[1:], real[1:], names)


def surroundings(data: Path) -> dict[str, str]:
    """The environment of a reader who has set nothing up."""
    own = ("BURSAR_", "DATABASE_URL", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {
        **kept,
        "BURSAR_DATA": str(data),
        "BURSAR_PYTHON": sys.executable,
        "COLUMNS": "100",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def sandbox(data: Path) -> Generator[str]:
    """A sandbox as `bursar serve` makes it; its address."""
    command = [sys.executable, "-P", "-m", "bursar", "serve", "--port", "0"]
    log = data.parent / "service.log"
    with log.open("w") as errors:
        service = subprocess.Popen(command, env=surroundings(data), stdout=subprocess.PIPE, stderr=errors, text=True)
        assert service.stdout
        try:
            said = service.stdout.readline()
            assert said.startswith("Bursar is listening on "), log.read_text()
            yield said.split()[-1]
        finally:
            service.terminate()
            service.communicate(timeout=30)
