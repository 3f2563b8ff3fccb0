"""Three agents do many jobs while their processes die and freeze past their leases: every job is done exactly once."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psycopg
import pytest

from bursar.kernel.db import Database
from tests.api.tenants import bearing, enrol
from tests.crews import Crew, crew_of
from tests.faults.job_worker import LEASE_SECONDS
from tests.served import serving

WORKER = Path(__file__).with_name("job_worker.py")
ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Gang:
    """The processes of the agents; whoever dies is replaced, whoever is frozen goes on when its lease is over."""

    url: str
    keys: list[str]
    directory: Path
    dice: random.Random
    running: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    frozen: dict[int, float] = field(default_factory=dict[int, float])
    fates: Counter[str] = field(default_factory=Counter[str])

    def begin(self, key: str) -> subprocess.Popen[bytes]:
        number = sum(1 for _ in self.directory.iterdir())
        with (self.directory / f"{number}.log").open("w") as said:
            command = [sys.executable, "-m", "tests.faults.job_worker", self.url, key, str(self.dice.getrandbits(30))]
            return subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)

    def start(self) -> None:
        self.running = [self.begin(key) for key in self.keys]

    def tend(self) -> None:
        """Replace the dead, wake those whose lease is over, and find those who froze by themselves."""
        for place, process in enumerate(self.running):
            if process.poll() is not None:
                self.fates["died"] += 1
                self.running[place] = self.begin(self.keys[place])
            elif is_stopped(process.pid):
                since = self.frozen.setdefault(process.pid, time.monotonic())
                if time.monotonic() - since > LEASE_SECONDS + 1:
                    self.fates["went on after its lease"] += 1
                    del self.frozen[process.pid]
                    process.send_signal(signal.SIGCONT)

    def strike(self) -> None:
        """End or freeze one of them, whatever it is doing."""
        self.dice.choice(self.running).send_signal(self.dice.choice([signal.SIGKILL, signal.SIGSTOP]))

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def said(self) -> Counter[str]:
        return Counter(word for log in self.directory.iterdir() for word in log.read_text().split())


def is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False


async def initiate(crew: Crew, number: int) -> int:
    """A job of one kind after the other, by one agent after the other; how many minor units it is for."""
    kind = ("checkout", "shared_bill", "claim_disbursement")[number % 3]
    share = {"source": crew.tenant.main, "target": crew.tenant.side}
    shares = [{**share, "weight": weight} for weight in (1, 1, 5)] if kind == "shared_bill" else [share]
    minor = 1_000 + number
    who = ("ann", "bob", "cat")[number // 3 % 3]
    await crew.ok(who, "", crew.wish(definition=kind, amount=f"{minor // 100}.{minor % 100:02}", shares=shares))
    return minor


async def play(database: Database, database_url: str, directory: Path, jobs: int, seconds_between: float) -> Gang:
    """Have them all done under strikes; what must hold at the end is asked."""
    dice = random.Random(20261121)
    with serving(database_url=database_url) as served:
        async with httpx2.AsyncClient(base_url=served.url, timeout=60) as client:
            crew = await crew_of(database, client, await enrol(database, client, "ours"))
            total = sum([await initiate(crew, number) for number in range(jobs)])
            gang = Gang(served.url, [crew.keys[name] for name in ("ann", "bob", "cat")], directory, dice)
            gang.start()
            try:
                await until_done(gang, database_url, jobs, seconds_between)
            finally:
                gang.end()
            side = await client.get(f"/v1/accounts/{crew.tenant.side}/balance", headers=bearing(crew.tenant.operator))
    assert side.json()["posted"] == f"{total // 100}.{total % 100:02}"
    return gang


async def until_done(gang: Gang, database_url: str, jobs: int, seconds_between: float) -> None:
    struck = time.monotonic()
    with psycopg.connect(database_url, autocommit=True) as connection:
        while True:
            found = dict(connection.execute("SELECT status, count(*) FROM bursar.job GROUP BY status").fetchall())
            if found == {"done": jobs}:
                return
            assert found.keys() <= {"active", "done"}, found
            gang.tend()
            if time.monotonic() - struck > seconds_between:
                gang.strike()
                struck = time.monotonic()
            await asyncio.sleep(0.1)


def check(database_url: str, jobs: int) -> None:
    """Beside the invariants, which every test asks at its end: each share is captured once, and nothing else moved."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            """SELECT (SELECT count(*) FROM bursar.entry WHERE kind = 'capture'),
                      (SELECT count(*) FROM bursar.job_share),
                      (SELECT count(*) FROM bursar.entry WHERE kind <> 'capture'),
                      (SELECT count(*) FROM bursar.hold WHERE status <> 'posted'),
                      (SELECT count(*) FROM bursar.job_step)"""
        ).fetchone()
    assert row
    captures, shares, others, left_over, steps = row
    # Three currencies were funded.
    assert (captures, others, left_over, steps) == (shares, 3, 0, 6 * jobs)


# Services die in the middle of batches on every change.
@pytest.mark.soak
async def test_jobs_are_done_once_though_agents_die_and_freeze(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    gang = await play(database, database_url, tmp_path, jobs=8, seconds_between=1.0)
    check(database_url, 8)
    said = gang.said()
    assert gang.fates["died"] > 0, gang.fates
    # Every step that was done was asked for again under another key, and refused.
    assert said["lease_lost"] > 0, said


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_a_thousand_jobs_are_done_once_though_agents_die_and_freeze(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    gang = await play(database, database_url, tmp_path, jobs=1000, seconds_between=3.0)
    check(database_url, 1000)
    assert gang.fates["died"] > 10, gang.fates
    assert gang.fates["went on after its lease"] > 10, gang.fates
    assert gang.said()["lease_lost"] > 1000
