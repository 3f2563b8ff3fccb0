"""Two pieces of work stepped statement by statement through every order their statements can come in.

PostgreSQL's isolationtester plays fixed SQL; here what decides between two statements is Python, so the real verbs run,
on connections that wait before each statement until the driver lets them go on. A lock that is waited for is seen in
`pg_blocking_pids`, never slept for.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import asyncpg

from bursar.kernel.db import Database, connect

Kind = Literal["alone", "read", "lock", "end"]
Work = Callable[[Database], Awaitable[Any]]
# Which of those that are ready goes on: a number out of the list.
Choose = Callable[[Sequence["Step"]], int]

_LOCKS = re.compile(
    r"\bFOR (NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)\b|\b(INSERT|UPDATE|DELETE|LOCK)\b|advisory", re.ASCII
)
_ALONE = re.compile(r"BEGIN|SAVEPOINT|RELEASE")
_ENDS = re.compile(r"COMMIT|ROLLBACK")
_BLOCKED = "SELECT p FROM unnest($1::int[]) p WHERE pg_blocking_pids(p) && $1::int[]"


class Step(NamedTuple):
    """A statement as it starts: whose, and what it can have to do with the other's."""

    lane: int
    number: int
    kind: Kind

    def commutes(self, other: "Step") -> bool:
        """Whether starting the two in either order comes to the same.

        At READ COMMITTED nobody sees what the other has not committed. So only these two things bear on the other:
        an end, which shows what was written and lets go of locks, on whatever looks or locks; and a lock on a lock.
        """
        if self.lane == other.lane:
            return False
        kinds = {self.kind, other.kind}
        return "alone" in kinds or ("end" not in kinds and kinds != {"lock"})


def kind_of(sql: str) -> Kind:
    """What a statement can have to do with those of others. BEGIN takes only advisory locks of its own here."""
    if _ALONE.match(sql):
        return "alone"
    if _ENDS.match(sql):
        return "end"
    return "lock" if _LOCKS.search(sql) else "read"


@dataclass(slots=True)
class Played:
    """What came of one order: the statements as they started, whose COMMIT was answered when, and the results."""

    steps: list[Step] = field(default_factory=list[Step])
    said: list[str] = field(default_factory=list[str])
    commits: list[int] = field(default_factory=list[int])
    results: list[Any] = field(default_factory=list[Any])
    deadlocks: int = 0
    waits: int = 0

    def __str__(self) -> str:
        return "\n".join(self.said)

    @property
    def lengths(self) -> tuple[int, int]:
        """How many statements each of the two came to."""
        ours = sum(step.lane == 0 for step in self.steps)
        return ours, len(self.steps) - ours


@dataclass(slots=True)
class Lane:
    """One connection, and the work that waits before each of its statements."""

    number: int
    connection: Any
    pid: int
    state: Literal["ready", "running", "blocked", "done"] = "done"
    waiting: str = ""
    steps: int = 0
    played: Played = field(default_factory=Played)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    free: bool = False

    async def turn(self, sql: str) -> None:
        """Wait to be let go on."""
        if self.free:
            return
        self.waiting = sql
        self.state = "ready"
        self.go.clear()
        await self.go.wait()

    @property
    def is_blocked(self) -> bool:
        """Whether it waits for a lock."""
        return self.state == "blocked"

    @property
    def next(self) -> Step:
        """What it would do."""
        return Step(self.number, self.steps, kind_of(self.waiting))


class _Stepped:
    """A connection of asyncpg's, one statement at a time; what it is asked for has no types, hence Any."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def execute(self, sql: str, *args: object) -> Any:
        return await self._ask(self._lane.connection.execute, sql, args)

    async def fetch(self, sql: str, *args: object) -> Any:
        return await self._ask(self._lane.connection.fetch, sql, args)

    async def fetchrow(self, sql: str, *args: object) -> Any:
        return await self._ask(self._lane.connection.fetchrow, sql, args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self._ask(self._lane.connection.fetchval, sql, args)

    async def _ask(self, verb: Callable[..., Awaitable[Any]], sql: str, args: Sequence[object]) -> Any:
        lane = self._lane
        await lane.turn(sql)
        try:
            answer = await verb(sql, *args)
        except asyncpg.DeadlockDetectedError:
            lane.played.deadlocks += 1
            raise
        if sql == "COMMIT":
            lane.played.commits.append(lane.number)
        return answer


class _Pool:
    """A pool of the one connection."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def get_max_size(self) -> int:
        return 1

    async def acquire(self, timeout: float) -> _Stepped:  # noqa: ASYNC109 -- the driver's own word
        assert timeout
        return _Stepped(self._lane)

    async def release(self, connection: _Stepped) -> None:
        assert connection


class Stepper:
    """Two connections to one database, and a third that watches who waits for whom."""

    def __init__(self, lanes: Sequence[Lane], watch: Any) -> None:
        self._lanes = lanes
        self._watch = watch

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, roles: Sequence[str]) -> AsyncGenerator["Stepper"]:
        """Connections in these roles; none of them gives up waiting."""
        connections = [await connect(url) for _ in (*roles, "watch")]
        for connection, role in zip(connections, roles, strict=False):
            await connection.execute(
                "SET search_path = bursar; SET timezone = 'UTC'; SET enable_seqscan = off; SET lock_timeout = '60s';"
                f"SET deadlock_timeout = '50ms'; SET ROLE {role}"
            )
        lanes = [Lane(n, c, c.get_server_pid()) for n, c in enumerate(connections[:-1])]
        try:
            yield cls(lanes, connections[-1])
        finally:
            for connection in connections:
                await connection.close()

    async def play(self, works: Sequence[Work], choose: Choose) -> Played:
        """Run the works to their ends, in the order that `choose` says wherever more than one can go on."""
        played = Played()
        for lane in self._lanes:
            lane.state, lane.steps, lane.free, lane.played = "running", 0, False, played
        tasks = [asyncio.create_task(_done(lane, work)) for lane, work in zip(self._lanes, works, strict=True)]
        try:
            await self._settle()
            while ready := [lane for lane in self._lanes if lane.state == "ready"]:
                await self._start(ready[choose([lane.next for lane in ready])], played)
        finally:
            # What is abandoned ends by itself, so that its connection is free again.
            for lane in self._lanes:
                lane.free = True
                lane.go.set()
            played.results = list(await asyncio.gather(*tasks))
        return played

    async def _start(self, lane: Lane, played: Played) -> None:
        """Let one statement go, and wait until everybody waits: for the driver, for a lock, or for nothing more."""
        played.steps.append(lane.next)
        played.said.append(f"{'AB'[lane.number]}: {' '.join(lane.waiting.split())[:110]}")
        lane.steps += 1
        for each in self._lanes:
            if each.is_blocked:
                each.state = "running"
        lane.state = "running"
        lane.go.set()
        await self._settle()
        if lane.is_blocked:
            played.waits += 1
            played.said.append(f"{'AB'[lane.number]}: ... waits")

    async def _settle(self) -> None:
        """Return when nobody runs. Of two that run, one may wait for the other; a deadlock PostgreSQL ends."""
        while running := [lane for lane in self._lanes if lane.state == "running"]:
            pids = [lane.pid for lane in self._lanes]
            blocked = [row["p"] for row in await self._watch.fetch(_BLOCKED, pids)]
            # The other is not let go on before this one waits, so what it waits for stays.
            if len(running) == 1 and running[0].pid in blocked:
                running[0].state = "blocked"


async def _done(lane: Lane, work: Work) -> Any:
    """What a work came to, or was refused or ended with."""
    try:
        return await work(Database(_Pool(lane), 1.0))
    except Exception as error:  # noqa: BLE001 -- whoever plays looks at it
        return error
    finally:
        lane.state = "done"
