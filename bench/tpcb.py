"""What PostgreSQL itself does in a second on the same cluster: pgbench's TPC-B, a few clients, one transaction each."""

import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.comparing import Side
from bench.load import PROCESS_SECONDS, Measurement, summarise
from bench.services import ServiceFailed
from bursar.kernel.embedded import find_binaries

CLIENTS: Final = 8
SCALE: Final = 10
TPCB: Final = "TPC-B"
PGBENCH: Final = f"pgbench, {CLIENTS} clients"
# Where a line of its log has the microseconds that a transaction took.
TIME: Final = 2


def pgbench(url: str, scratch: Path, scale: int = SCALE) -> Side:
    """A side that has pgbench's own accounts in this empty database, and statements that are prepared."""
    run("--initialize", "--quiet", f"--scale={scale}", url)

    def measured(_: str, seed: int, seconds: float) -> Measurement:
        log = scratch / f"tpcb-{seed}"
        cpu = children_seconds()
        run(
            *(f"--client={CLIENTS}", f"--time={max(round(seconds), 1)}", "--jobs=2", "--protocol=prepared"),
            *("--no-vacuum", "--log", f"--log-prefix={log}", f"--random-seed={seed}", url),
        )
        return told_by(sorted(scratch.glob(f"{log.name}.*")), max(round(seconds), 1), children_seconds() - cpu)

    return Side(measured)


def told_by(logs: Sequence[Path], seconds: int, cpu_seconds: float) -> Measurement:
    """What pgbench's logs of every transaction add up to."""
    times = [int(line.split()[TIME]) / 1_000_000 for log in logs for line in log.read_text().splitlines()]
    for log in logs:
        log.unlink()
    count = len(times)
    return Measurement(count / seconds, count, count, 0, cpu_seconds, {}, {}, summarise(times), [])


def run(*arguments: str) -> None:
    """Run pgbench to its end; ServiceFailed when it does not succeed."""
    command = [str(program()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20 * PROCESS_SECONDS, check=False)
    if done.returncode:
        raise ServiceFailed(f"pgbench ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def program() -> Path:
    """The one beside the server's own programs, else the system's."""
    beside = find_binaries() / "pgbench"
    return beside if beside.is_file() else Path("pgbench")


def children_seconds() -> float:
    """The CPU time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
