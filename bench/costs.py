"""What a measurement costs the machine: the CPU time of whole families of processes, and PostgreSQL's log."""

from collections import defaultdict
from dataclasses import dataclass
from os import sysconf
from pathlib import Path
from typing import Final

import psycopg

PROC: Final = Path("/proc")
TICKS: Final = sysconf("SC_CLK_TCK")
# Where a process's file `stat` has these, counted from behind its name, which may hold spaces and brackets.
PARENT: Final = 1
# Its own user and system time, and that of the children it has waited for.
TIMES: Final = slice(11, 15)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used until now: CPU seconds of the service and of PostgreSQL, and bytes of write-ahead log."""

    service: float
    postgres: float
    wal: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one transfer: CPU microseconds of the service, of PostgreSQL and of the generator, and bytes of the log."""

    service: float
    postgres: float
    generator: float
    wal: float


def read(url: str, service: int | None) -> Reading:
    """What the service of this process and the PostgreSQL at `url` have used; without a process, no service has."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1), pg_current_wal_insert_lsn() - '0/0'"
        ).fetchone()
    assert row
    return Reading(cpu_seconds(service) if service else 0.0, cpu_seconds(int(row[0])), int(row[1]))


def between(before: Reading, after: Reading, generator: float, transfers: int) -> Costs | None:
    """The costs of one of so many transfers; None when there were none."""
    if not transfers:
        return None
    service, postgres = after.service - before.service, after.postgres - before.postgres
    each = 1_000_000 / transfers
    return Costs(service * each, postgres * each, generator * each, (after.wal - before.wal) / transfers)


def cpu_seconds(pid: int) -> float:
    """What a process, its descendants, and those of them that have ended and were waited for, have used."""
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        one = int(stat.parent.name)
        children[int(fields[PARENT])].append(one)
        ticks[one] = sum(map(int, fields[TIMES]))
    family = [pid]
    for one in family:
        family += children[one]
    return sum(ticks.get(one, 0) for one in family) / TICKS
