"""PgBouncer in transaction mode, in front of the benchmark's PostgreSQL, if it is installed."""

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from bench.services import START_SECONDS, ServiceFailed, stop
from bursar.kernel.embedded.programs import find_programs

# Debian puts it where only root looks.
PATH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
PORT: Final = 5432
# Whoever comes is let in as themselves: nobody else reaches the directory.
SETTINGS: Final = """
[databases]
{name} = host={host} port={port} dbname={name} user={user}

[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {place}
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
"""


def program() -> str | None:
    """Where PgBouncer is; None when it is not installed."""
    return shutil.which("pgbouncer", path=PATH)


@contextmanager
def bouncing(url: str, scratch: Path) -> Generator[str]:
    """The URL by which one goes through a PgBouncer of one's own; ServiceFailed when it does not start."""
    found = program()
    assert found
    programs, parts = find_programs(), conninfo_to_dict(url)
    place = scratch / "bouncer"
    place.mkdir()
    os.chown(place, programs.owner, -1)
    ini = place / "pgbouncer.ini"
    name, user = parts["dbname"], parts["user"]
    ini.write_text(
        SETTINGS.format(name=name, user=user, host=parts["host"], port=parts["port"], own_port=PORT, place=place)
    )
    process = subprocess.Popen(
        [*programs.prefix, found, "-q", str(ini)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(place / f".s.PGSQL.{PORT}", process)
        yield f"postgresql://{user}@/{name}?host={quote(str(place))}&port={PORT}"
    finally:
        stop(process)


def wait_for(socket: Path, process: "subprocess.Popen[bytes]") -> None:
    """Return when PgBouncer listens; ServiceFailed when it ends or takes too long."""
    give_up_at = time.monotonic() + START_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise ServiceFailed(f"PgBouncer did not start: {process.poll()}")
        time.sleep(0.02)
