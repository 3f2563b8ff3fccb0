"""A crowd that sends transfers one by one and by the thousand, never gives up, and knows what the books must then hold.

Half of it is an operator's, half an agent's, whose mandate has a cap.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any, NamedTuple, Self
from uuid import UUID

import httpx2
import psycopg

from bursar.core.authority.narrowing import WIDEST
from bursar.core.idempotency.model import lock_of
from bursar.core.identity import service as identity
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id, show
from tests.api.tenants import bearing, key_for
from tests.core.authority.mandates import window_json
from tests.faults.ledgers import violations
from tests.people import allow
from tests.stories import Story

CLIENTS, ORDERS = 64, 1_000
# What is a batch of many, and how a batch of orders is asked for by which word.
MANY = 20
MODES = {"each": "each", "together": "all_or_nothing"}
ACCOUNTS = [f"ACC{n}" for n in range(8)]
OPENING = 10_000_00
# Long enough for a PostgreSQL to come back, short enough for a test to end.
_SECONDS_TO_WAIT = 60


def cap_for(deaths: Sequence[str]) -> int:
    """What the agent may move in cents, which is less than it asks for in tests with these deaths."""
    return sum(ORDERS // 2 if what in MODES else 60 for what in deaths)


class Move(NamedTuple):
    """One transfer, in cents."""

    source: str
    target: str
    minor: int

    def body(self) -> dict[str, str]:
        amount = f"{self.minor // 100}.{self.minor % 100:02}"
        return {"source": self.source, "target": self.target, "amount": amount, "currency": "USD"}


class Wish(NamedTuple):
    """A request: its key, whose it is, the transfers it is for; `mode` is that of a batch."""

    key: str
    who: str
    moves: tuple[Move, ...]
    mode: str | None = None

    def body(self) -> dict[str, Any]:
        bodies = [move.body() for move in self.moves]
        return {"mode": self.mode, "transfers": bodies} if self.mode else bodies[0]


class Told(NamedTuple):
    """What the first answer said."""

    status: int
    body: bytes
    replayed: bool

    def transfers(self) -> list[str | None]:
        """The id of each transfer; None for one that was refused alone."""
        facts: Any = json.loads(self.body)
        each: list[Any] = [facts] if self.status == 201 else [result["transfer"] for result in facts["results"]]
        return [transfer and transfer["id"] for transfer in each]


@dataclass(frozen=True, slots=True)
class Books:
    """A tenant with accounts, and the keys of an operator and an agent, who may move `cap` cents in all."""

    url: str
    tenant_id: UUID
    operator: str
    agent: str
    cap: int

    @classmethod
    async def open(cls, url: str, cap: int) -> "Books":
        terms = WIDEST | {"windows": [window_json(period="lifetime", max_amount=f"{cap // 100}.{cap % 100:02}")]}
        database, tenant_id = await Database.open(url, connections=2), new_id()
        async with database.transaction(tenant_id) as tx:
            await identity.create_tenant(tx, f"crowd-{tenant_id.hex}")
            operator = await key_for(tx, "operator", "operator")
            agent = await identity.create_principal(tx, "agent", "capped")
            await allow(tx, agent, terms)
            _, made = await identity.create_key(tx, agent, None, live=False)
        story = await Story.begin(database, tenant_id)
        await story.tell("\n".join(f"{number} has {OPENING // 100}.00 USD" for number in ACCOUNTS))
        await database.close()
        return cls(url, tenant_id, operator, made.text, cap)

    async def check(self, told: dict[Wish, Told]) -> None:
        """Every transfer that was acknowledged is there, once, and nothing else is; nobody moved more than they may."""
        done = {wish: answer.transfers() for wish, answer in told.items() if answer.status != 409}
        moved = [(wish, move, id) for wish, ids in done.items() for move, id in zip(wish.moves, ids, strict=True) if id]
        balances = Counter(dict.fromkeys(ACCOUNTS, OPENING))
        for _, move, _ in moved:
            balances[move.source] -= move.minor
            balances[move.target] += move.minor
        with psycopg.connect(self.url, options="-c search_path=bursar") as connection:
            mine = "WHERE tenant_id = %s"
            entries = connection.execute(f"SELECT id FROM entry {mine}", [self.tenant_id]).fetchall()
            accounts = connection.execute(
                f"SELECT number, posted_minor FROM account {mine} AND floor_minor IS NOT NULL", [self.tenant_id]
            ).fetchall()
            used = connection.execute(f"SELECT sum(amount_minor) FROM limit_usage {mine}", [self.tenant_id]).fetchone()
        openings = len(ACCOUNTS)
        assert len({id for *_, id in moved}) == len(moved) == len(entries) - openings
        assert {id for *_, id in moved} <= {show("tr", entry) for (entry,) in entries}
        assert dict(accounts) == balances
        assert sum(move.minor for wish, move, _ in moved if wish.who == self.agent) == self.cap
        assert used == (self.cap,)
        assert await violations(self.url) == []


@dataclass
class Crowd:
    """Clients of one or more services on the same books: whoever gets no answer from one asks the next."""

    books: Books
    urls: Sequence[str]
    dice: Random = field(default_factory=lambda: Random(7))
    told: dict[Wish, Told] = field(default_factory=dict[Wish, Told])
    lost: int = 0
    _stopped: bool = False
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __aenter__(self) -> Self:
        self._client = httpx2.AsyncClient(timeout=30, limits=httpx2.Limits(max_connections=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[asyncio.TaskGroup]:
        """All send, most of them to the first service, until told to stop; at the end each has its answer."""
        self._stopped = False
        async with asyncio.TaskGroup() as sending:
            for number in range(len(self.urls)):
                for _ in range(CLIENTS >> 2 * number):
                    sending.create_task(self._go_on(number))
            yield sending

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True

    async def after(self, number: int) -> None:
        """Return when so many more requests have their answers."""
        wanted = len(self.told) + number
        async with asyncio.timeout(_SECONDS_TO_WAIT), self._more:
            await self._more.wait_for(lambda: len(self.told) >= wanted)

    async def _go_on(self, first: int) -> None:
        while not self._stopped:
            await self.send(Wish(new_id().hex, self.anybody(), (self._move(),)), first)

    async def use_up(self) -> None:
        """Send as the agent until the cap is reached, several at a time."""
        while all(answer.status == 201 for answer in await self._several(CLIENTS // 4)):
            pass

    async def _several(self, number: int) -> list[Told]:
        wishes = [Wish(new_id().hex, self.books.agent, (self._move(),)) for _ in range(number)]
        return await asyncio.gather(*(self.send(wish) for wish in wishes))

    def many(self, mode: str, who: str) -> Wish:
        """A batch; one transfer of those that go each on its own is for more than there is."""
        moves = [self._move() for _ in range(ORDERS)]
        if mode == "each":
            moves[ORDERS // 2] = moves[0]._replace(minor=99_999_999)
        return Wish(new_id().hex, who, tuple(moves), mode)

    def anybody(self) -> str:
        """The key of one of the two."""
        return self.dice.choice((self.books.operator, self.books.agent))

    def _move(self) -> Move:
        source, target = self.dice.sample(ACCOUNTS, 2)
        return Move(source, target, 1)

    async def send(self, wish: Wish, first: int = 0) -> Told:
        """Ask until it is answered, the service of this number first."""
        self.told[wish] = answer = await self._told(wish, first)
        async with self._more:
            self._more.notify_all()
        return answer

    async def send_many(self, mode: str, locks: list[int]) -> None:
        """Send one batch after the other until all are to stop; `locks` gets the locks of their keys beforehand."""
        while not self._stopped:
            wish = self.many(mode, self.anybody())
            locks.append(lock_of(self.books.tenant_id, "create_transfers", wish.key))
            await self.send(wish)

    async def replay(self) -> None:
        """Ask everything again: every answer comes again as it was."""
        places = asyncio.Semaphore(CLIENTS)

        async def again(wish: Wish, first: Told) -> None:
            async with places:
                answer = await self._told(wish, self.dice.randrange(len(self.urls)))
            assert answer == first._replace(replayed=True)

        await asyncio.gather(*(again(wish, first) for wish, first in self.told.items()))

    async def _told(self, wish: Wish, first: int) -> Told:
        async with asyncio.timeout(_SECONDS_TO_WAIT):
            for url in cycle([*self.urls[first:], *self.urls[:first]]):
                if answer := await self._ask(wish, url):
                    return answer
        raise AssertionError

    async def _ask(self, wish: Wish, url: str) -> Told | None:
        path = "/v1/transfers/batch" if wish.mode else "/v1/transfers"
        headers = bearing(wish.who, wish.key)
        try:
            answer = await self._client.post(url + path, json=wish.body(), headers=headers)
        except httpx2.TransportError:
            self.lost += 1
            await asyncio.sleep(0.05)
            return None
        if answer.status_code not in (200, 201):
            problem = answer.json()
            assert answer.status_code in (409, 503), problem
            assert problem["money_moved"] == ("unknown" if problem["code"] == "outcome_unknown" else "no"), problem
            if problem["retry"] == "same_key":
                await asyncio.sleep(0.1)
                return None
            assert problem["code"] == "limit_exceeded", problem
        return Told(answer.status_code, answer.content, "idempotent-replayed" in answer.headers)
