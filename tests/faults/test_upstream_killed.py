"""Two Bursars, one the upstream of the other, die and freeze between request and answer: each transfer happens once."""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest

from bursar.core.identity import service as identity
from bursar.core.ledger import accounts
from bursar.core.ledger.accounts import OpenAccount
from bursar.faces.cli.place import tenant_id_of
from bursar.features.sandbox import service as sandbox
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.tenants import bearing
from tests.databases import own_database
from tests.faults.ledgers import violations
from tests.served import Served, serving

# What the accounts here are called there, and what the second of them has there at first.
THERE = {"purse": "ACC10001", "shop": "ACC20002"}
OPENING = 500_000
# Shorter than a frozen upstream stays frozen.
SECONDS = 0.75
FATES = ("upstream killed", "upstream frozen", "killed ourselves")


async def ready(url: str, *, downstream: bool) -> str:
    """Fill a database as the sandbox does; the key of its agent."""
    database = await Database.open(url, role="bursar_app", connections=2)
    async with database.transaction(tenant_id_of(sandbox.TENANT)) as tx:
        await sandbox.ensure(tx)
        for number, there in THERE.items() if downstream else ():
            await accounts.open_account(tx, OpenAccount(number, number, "USD"))
            await accounts.live_upstream(tx, number, there)
        _, made = await identity.create_key(tx, await identity.find_agent(tx, sandbox.AGENT), None, live=True)
    await database.close()
    return made.text


@dataclass
class Pair:
    """Both services, and what was asked of the one below."""

    url: str
    key: str
    url_upstream: str
    key_upstream: str
    dice: random.Random
    running: ExitStack = field(default_factory=ExitStack)
    intents: dict[str, str] = field(default_factory=dict[str, str])
    doubted: int = 0

    def begin(self) -> None:
        self.upstream = self.running.enter_context(serving(database_url=self.url_upstream))
        self.here = self._here()

    def _here(self) -> Served:
        return self.running.enter_context(
            serving(
                database_url=self.url, BURSAR_UPSTREAM_URL=self.upstream.url, BURSAR_UPSTREAM_KEY=self.key_upstream,
                BURSAR_UPSTREAM_TENANT=sandbox.TENANT, BURSAR_UPSTREAM_SECONDS=str(SECONDS),
            )
        )  # fmt: skip

    async def send(self, intent: str) -> httpx2.Response | None:
        """Ask for the transfer of this key, or again; None when nobody answered."""
        body = {"agent_id": sandbox.AGENT, "source_account": "purse", "target_account": "shop", "amount": "0.01"}
        async with httpx2.AsyncClient(base_url=self.here.url, timeout=30) as client:
            with suppress(httpx2.HTTPError):
                return await client.post("/agent/transfer", json=body, headers=bearing(self.key, intent))

    async def strike(self, fate: str, seconds: float) -> None:
        """What befalls one of them so long after the transfers were sent, and that it comes back."""
        await asyncio.sleep(seconds)
        if fate == "upstream frozen":
            self.upstream.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2 * SECONDS)
            self.upstream.process.send_signal(signal.SIGCONT)
        elif fate == "upstream killed":
            self.upstream.kill()
            port = urlsplit(self.upstream.url).port
            assert port
            again = await asyncio.to_thread(
                self.running.enter_context, serving(database_url=self.url_upstream, port=port)
            )
            self.upstream = again
        else:
            self.here.kill()
            self.here = await asyncio.to_thread(self._here)
            # Whoever was killed had half a minute to send: it is over.
            with psycopg.connect(self.url) as connection:
                connection.execute("UPDATE bursar.payment_attempt SET leased_until = NULL, ask_at = now() "
                                   "WHERE ask_at IS NOT NULL")  # fmt: skip

    async def round(self, fate: str, transfers: int) -> None:
        """Transfers at once, one blow among them, and then every key is asked until it is told."""
        intents = [new_id().hex for _ in range(transfers)]
        blow = self.strike(fate, self.dice.choice([0.0, 0.005, 0.02, 0.04, 0.08]))
        *told, _ = await asyncio.gather(*(self.send(intent) for intent in intents), blow)
        self.doubted += sum(answer is None or answer.status_code != 200 for answer in told)
        for intent in intents:
            self.intents[intent] = await self.told_of(intent)

    async def told_of(self, intent: str) -> str:
        async with asyncio.timeout(60):
            while True:
                answer = await self.send(intent)
                if answer and answer.status_code == 200:
                    return answer.json()["transfer"]["transfer_id"]
                # The same key may be asked about by the worker at this moment, or by who was frozen.
                assert answer is None or (answer.status_code, answer.json()["code"]) in (
                    (503, "outcome_unknown"), (503, "upstream_unavailable"), (409, "idempotency_in_flight"),
                    (409, "busy"),
                ), answer.text  # fmt: skip

    async def check(self) -> None:
        """What is told here has happened there, once, under the id that it has here; and nothing else has."""
        with psycopg.connect(self.url_upstream) as there, psycopg.connect(self.url) as here:
            keys = there.execute("SELECT key FROM bursar.answer").fetchall()
            (has,) = there.execute("SELECT posted_minor FROM bursar.account WHERE number = 'ACC20002'").fetchall()
            entries = here.execute("SELECT id FROM bursar.entry WHERE kind = 'payment'").fetchall()
            states = here.execute("SELECT DISTINCT status FROM bursar.payment_attempt").fetchall()
            books = here.execute("SELECT number, posted_minor, held_minor FROM bursar.account "
                                 "WHERE upstream IS NOT NULL ORDER BY number").fetchall()  # fmt: skip
        count = len(self.intents)
        assert sorted(f"tr_{key}" for (key,) in keys) == sorted(self.intents.values())
        assert sorted(f"tr_{entry.hex}" for (entry,) in entries) == sorted(self.intents.values())
        assert (has, states) == ((OPENING + count,), [("succeeded",)])
        assert books == [("purse", -count, 0), ("shop", count, 0)]
        assert await violations(self.url_upstream) == await violations(self.url) == []


@pytest.fixture
async def pair(database_url: str, postgres: str) -> AsyncGenerator[Pair]:
    with own_database(postgres) as upstream_url:
        key, there = await ready(database_url, downstream=True), await ready(upstream_url, downstream=False)
        pair = Pair(database_url, key, upstream_url, there, random.Random(new_id().int))
        with pair.running:
            pair.begin()
            yield pair


@pytest.mark.timeout(300)
# The others are among the hundred blows of the soak.
@pytest.mark.parametrize("fate", list(FATES)[:1])
async def test_what_dies_or_freezes_between_request_and_answer_moves_everything_once(pair: Pair, fate: str) -> None:
    for _ in range(2):
        await pair.round(fate, transfers=6)
    await pair.check()


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_a_hundred_blows_move_everything_once(pair: Pair) -> None:
    for turn in range(99):
        await pair.round(FATES[turn % 3], transfers=6)
    await pair.check()
    assert pair.doubted > 99
