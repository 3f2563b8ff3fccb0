"""PgBouncer in transaction mode, as the guide says to run it, in front of the tests' PostgreSQL."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from bursar.kernel.embedded.programs import find_programs

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "running.md"
PROGRAM = shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="There is no PgBouncer: apt-get install pgbouncer.")
_SECONDS_TO_START = 10


@contextmanager
def bouncing(url: str, **changes: str) -> Generator[str]:
    """A PgBouncer in front of the server of this URL, and the URL by which one goes through it.

    `changes` are settings other than the guide's.
    """
    assert PROGRAM
    programs = find_programs(None)
    user, name, host = _parts(url)
    with tempfile.TemporaryDirectory(prefix="bouncer-") as place:
        os.chown(place, programs.owner, -1)
        ini = Path(place) / "pgbouncer.ini"
        here = {"unix_socket_dir": place, "listen_addr": "", "listen_port": "5432", "auth_type": "any", **changes}
        # Whoever comes is let in as themselves: nobody else reaches the directory.
        ini.write_text(_of_guide(f"{name} = host={host} port=5432 dbname={name} user={user}", here))
        ini.chmod(0o644)
        process = subprocess.Popen(
            [*programs.prefix, PROGRAM, "-q", ini], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(f"{place}/.s.PGSQL.5432")
            yield f"postgresql://{user}@/{name}?host={quote(place)}&port=5432"
        finally:
            process.kill()
            process.wait()


def _parts(url: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"postgresql://(\w+)@/(\w+)\?host=([^&]+)&port=\d+", url)
    assert found, url
    return found[1], found[2], unquote(found[3])


def _of_guide(database: str, changes: dict[str, str]) -> str:
    (ini,) = re.findall(r"```ini no-test\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    text = re.sub(r"^ledger = .*$", database, ini, flags=re.MULTILINE)
    for name, value in changes.items():
        text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert count == 1, f"the guide does not set {name}"
    return text


def _wait(address: str) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
