"""Write `openapi.json` and `schema.sql`, all of the API and of the database at a glance, or check them.

`python tools/snapshots.py` writes both; with `--check` nothing is written, what differs is printed, and the exit code
is 1 if anything does. The schema is what all migrations leave behind on the embedded PostgreSQL.
"""

import asyncio
import difflib
import json
import re
import sys
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bursar.api.app import create_api
from bursar.api.door import Door
from bursar.api.telemetry import Telemetry
from bursar.kernel.embedded import EmbeddedPostgres
from bursar.kernel.embedded.programs import find_programs
from bursar.kernel.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent

# What pg_dump writes about itself and for psql: comments, tokens that are new each time, and settings of its session.
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*;|SELECT pg_catalog\.set_config\(.*\);)\n", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Write the snapshots, or check them."""
    if arguments not in ([], ["--check"]):
        sys.exit("usage: snapshots.py [--check]")
    made = {ROOT / "openapi.json": openapi(), ROOT / "schema.sql": schema()}
    if not arguments:
        for path, text in made.items():
            path.write_text(text, encoding="utf-8")
        return
    changes = [line for path, text in made.items() for line in changes_of(path, text)]
    sys.stdout.writelines(changes)
    if changes:
        sys.exit("The snapshots are not current. Run `make snapshots`, and look at what changed.")


def openapi() -> str:
    """The OpenAPI document, of an application that is not started."""
    document = create_api(_closed, Telemetry()).openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _closed() -> AbstractAsyncContextManager[Door]:
    raise AssertionError("a document is made without opening the door")


def schema() -> str:
    """Tables, policies and grants of the schema `bursar`, as pg_dump of the same PostgreSQL writes them."""
    with tempfile.TemporaryDirectory(prefix="bursar-snapshots-") as data, EmbeddedPostgres(Path(data)) as server:
        url = server.start()
        asyncio.run(migrate(url))
        dumped = find_programs().run("pg_dump", "--schema-only", "--schema=bursar", url)
    if dumped.returncode != 0:
        sys.exit(dumped.stderr)
    return re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dumped.stdout)).strip() + "\n"


def changes_of(path: Path, text: str) -> list[str]:
    """A unified diff from the file to what it should be; empty when it is that."""
    have = path.read_text(encoding="utf-8") if path.exists() else ""
    return list(
        difflib.unified_diff(
            have.splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{path.name} as it is",
            f"{path.name} as made",
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
