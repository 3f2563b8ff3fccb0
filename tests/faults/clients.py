"""Clients who never give up: each sends a transfer, and the same again under the same key until it is answered."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from bursar.kernel.ids import new_id

SOURCE, TARGET = "ACC10001", "ACC20002"
# Long enough for a PostgreSQL to come back, short enough for a test to end.
_SECONDS_TO_WAIT = 60


@dataclass
class Clients:
    """Clients of one service, and what they were told: the id of the transfer, by Idempotency-Key.

    `lost` counts the answers that never came or could not say what had happened, `refused` those that said nothing had.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    told: dict[str, str] = field(default_factory=dict[str, str])
    lost: int = 0
    refused: int = 0
    statuses: set[int] = field(default_factory=set[int])
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self, number: int = 16) -> None:
        """Send until told to stop; everything sent has its answer then."""
        try:
            await self._run(number)
        finally:
            self._stop.set()
            await self._tell()

    async def _run(self, number: int) -> None:
        # A connection for each request, so that none is spoilt by what happened to the last.
        alone = httpx2.Limits(max_keepalive_connections=0)
        async with (
            httpx2.AsyncClient(base_url=self.url, timeout=10, headers=self.headers, limits=alone) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(number):
                group.create_task(self._send(client))

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    async def after(self, number: int) -> None:
        """Return when so many more transfers have been acknowledged."""
        wanted = len(self.told) + number
        await self._until(lambda: len(self.told) >= wanted)

    async def after_a_loss(self) -> None:
        """Return when one more answer did not come."""
        before = self.lost
        await self._until(lambda: self.lost > before)

    async def _until(self, so_far: Callable[[], bool]) -> None:
        async with asyncio.timeout(_SECONDS_TO_WAIT), self._more:
            await self._more.wait_for(lambda: so_far() or self._stop.is_set())
        assert not self._stop.is_set(), "a client failed; why, `run` says"

    async def _send(self, client: httpx2.AsyncClient) -> None:
        while not self._stop.is_set():
            key = new_id().hex
            async with asyncio.timeout(_SECONDS_TO_WAIT):
                while key not in self.told:
                    await self._try(client, key)

    async def _try(self, client: httpx2.AsyncClient, key: str) -> None:
        body = {"from_account": SOURCE, "to_account": TARGET, "amount": "0.01"}
        try:
            answer = await client.post("/transfers", json=body, headers={"Idempotency-Key": key})
        except httpx2.TransportError:
            self.lost += 1
            await self._tell()
            await asyncio.sleep(0.05)
            return
        self.statuses.add(answer.status_code)
        if answer.status_code != 200:
            await self._wait(answer)
            return
        self.told[key] = answer.json()["request_id"]
        await self._tell()

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def _wait(self, answer: httpx2.Response) -> None:
        """Nobody is told to make a new request: the same one, with the same key, in a moment."""
        problem = answer.json()
        assert problem["retry"] == "same_key", problem
        assert problem["money_moved"] == ("unknown" if problem["code"] == "outcome_unknown" else "no"), problem
        self.lost += problem["money_moved"] == "unknown"
        self.refused += problem["money_moved"] == "no"
        # Sooner than the service asks, so that the test meets it while it is not well.
        await asyncio.sleep(0.1)
