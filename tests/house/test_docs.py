"""What the pages say is run: every command on them, against a sandbox of its own, answers as the page shows.

A `bash` or `python` block runs unless its fence says `no-test`; a `json` or `text` block that follows it is its output,
in which ids are wildcards that stay the same through a page, times are any time, and … leaves something out.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import bursar.api.app  # Every refusal of the API is defined once this is imported.
from bursar.api.problems import STATUS, status_of
from bursar.core.identity.model import HUMAN_ONLY, SCOPES
from bursar.core.ledger.outcomes import Undone
from bursar.kernel.refusal import Refusal
from tests.house.pages import FENCE, Block, Names, differences, outputs_of, sandbox, script_of, steps_of, surroundings

assert bursar.api.app

ROOT = Path(__file__).parents[2]
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
DOCUMENTED = "http://127.0.0.1:8000"
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages' commands need curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with sandbox(data) as address:
        steps = steps_of(page.read_text().replace(DOCUMENTED, address))
        command = ["bash", "-c", script_of(steps)]
        done = subprocess.run(command, cwd=ROOT, env=surroundings(data), capture_output=True, text=True, check=False)
    outputs = outputs_of(done.stdout)
    if done.returncode != 0:
        pytest.fail(f"{page.name}:{steps[len(outputs) - 1].does.line} {done.stderr}\n{outputs[-1]}")
    names = Names()
    for step, output in zip(steps, outputs, strict=True):
        wrong = differences(step.shown, output, names) if step.shown else []
        assert not wrong, "\n".join([f"{page.name}:{step.does.line}", *wrong])


@pytest.mark.parametrize(
    ("language", "shown", "real"),
    [
        ("json", '{"balance": "10.00"}', '{"balance":"10.01"}'),
        ("json", '{"balance": "10.00"}', '{"balance":10.00}'),
        ("json", '{"version": 1}', '{"version":true}'),
        ("json", '{"status": "ok"}', '{"status":"ok","more":1}'),
        ("json", '{"status": "ok", "…": "…"}', '{"more":1}'),
        ("json", "[1]", "[1, 2]"),
        ("json", '["tr_01a1fd…", "tr_01a1fd…"]', '["tr_01a1fd7e9a69", "tr_01a1fd80b7c6"]'),
        ("json", '["tr_01a1fd…", "tr_01a1fe…"]', '["tr_01a1fd7e9a69", "tr_01a1fd7e9a69"]'),
        ("json", '["tr_01a1fd…"]', '["evt_01a1fd7e9a69"]'),
        ("json", '["2026-11-21T09:47:13Z"]', '["soon"]'),
        ("text", "200 OK\n…\nlast", "200 OK\nmore"),
        ("text", "200 OK", "200 OK\nmore"),
        ("text", "posted 2", "posted 3"),
    ],
)
def test_output_that_is_not_what_the_page_shows_is_told(language: str, shown: str, real: str) -> None:
    assert differences(Block(language, "", shown, 1), real, Names())


@pytest.mark.parametrize(
    ("language", "shown", "real"),
    [
        ("json", '{"a": 1, "…": "…"}', '{"b":2,"a":1}'),
        ("json", '["tr_01a1fd…", "tr_01a1fd…"]', '["tr_01a1fd7e9a69", "tr_01a1fd7e9a69"]'),
        ("json", '["acct_001", "2026-11-21T09:47:13Z"]', '["acct_001", "1999-01-01T00:00:00.5Z"]'),
        ("text", "HTTP/1.1 200 OK\n…\n", "HTTP/1.1 200 OK\r\ndate: today\r\n"),
        ("text", "key bk_test_2VTj…", "\nkey bk_test_2VTjbSwpu6JiUHDACRra_x\n"),
    ],
)
def test_output_as_the_page_shows_it_passes(language: str, shown: str, real: str) -> None:
    assert not differences(Block(language, "", shown, 1), real, Names())


def test_the_first_command_that_fails_ends_a_page() -> None:
    steps = steps_of("```bash\nfalse\n```\n\n```bash\necho not reached\n```\n")
    done = subprocess.run(["bash", "-c", script_of(steps)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "failed: false" in done.stderr
    assert "not reached" not in done.stdout


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(text.relative_to(ROOT)))
def test_links_lead_somewhere(text: Path) -> None:
    links = [m[1] or m[2] for m in LINK.finditer(FENCE.sub("", text.read_text()))]
    dead = [link for link in links if "://" not in link and not (text.parent / link).exists()]
    assert not dead


@pytest.mark.parametrize("text", [t for t in TEXTS if t.parent.name == "decisions"], ids=lambda text: text.stem)
def test_a_decision_fits_on_a_page(text: Path) -> None:
    lines = text.read_text().splitlines()
    assert len(lines) <= 40
    for heading in ("## Context", "## Decision", "## Consequences", "## Alternatives"):
        assert heading in lines


def test_the_architecture_names_every_table() -> None:
    migrations = (ROOT / "src" / "bursar" / "migrations").glob("0*.sql")
    tables = {name for path in migrations for name in re.findall(r"CREATE TABLE (\w+)", path.read_text())}
    described = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE))
    assert tables
    assert tables == described & tables


def test_the_security_page_lists_every_scope_and_who_may_have_it() -> None:
    rows = re.findall(r"^\| (`.+?) \|.*\| (yes|people only) \|$", (ROOT / "docs/security.md").read_text(), re.MULTILINE)
    listed = {scope: who for scopes, who in rows for scope in re.findall(r"`([a-z]+:[a-z]+)`", scopes)}
    assert listed == {scope: "people only" if scope in HUMAN_ONLY else "yes" for scope in SCOPES}


def test_the_errors_page_lists_every_code_as_the_api_answers_it() -> None:
    table = "\n".join(_table_of_errors())
    page = (ROOT / "docs" / "guide" / "errors.md").read_text()
    assert table in page, f"docs/guide/errors.md should hold:\n{table}"


def _table_of_errors() -> list[str]:
    rows = {
        (status_of(refusal), refusal.code, refusal.title, refusal.retry, refusal.next)
        for refusal in (kind.__new__(kind) for kind in _kinds(Refusal))
    }
    lines = [
        f"| {status} | `{code}` | {title} | `{retry}` | {then} |" for status, code, title, retry, then in sorted(rows)
    ]
    return ["| HTTP | `code` | `title` | `retry` | `next` |", "|---|---|---|---|---|", *lines]


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    """Every refusal that an answer can carry: not the bare kinds, nor what only the command line says."""
    for below in kind.__subclasses__():
        bare = below in STATUS and below.__module__ == Refusal.__module__
        # A batch that is undone carries the code of the order that was refused.
        if not bare and below is not Undone and not below.__module__.startswith("bursar.features.reconciliation.model"):
            yield below
        yield from _kinds(below)
