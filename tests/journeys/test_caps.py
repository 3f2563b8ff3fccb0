"""A cap is kept to the unit: many requests at once, over one process that serves and over two."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from bench.load import drive
from bench.wire import Endpoint, post
from bursar.core.authority.narrowing import WIDEST
from bursar.core.identity import service as identity
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.core.authority.mandates import window_json
from tests.people import allow
from tests.served import serving
from tests.stories import Story

AT_ONCE, CAP = 64, 40
# Payments that share no account share the lock of their mandate only.
ACCOUNTS = 16


def lifetime(most: str | None = None, **changes: Any) -> dict[str, Any]:
    """A window that no clock opens again in the middle of a round."""
    return window_json(**{"period": "lifetime", "max_amount": most} | changes)


class Payer(NamedTuple):
    """An agent of a round, by its key."""

    id: UUID
    key: str
    mandate: UUID


class Order(NamedTuple):
    """A transfer of 1.00 that an agent asks for."""

    key: str
    source: str
    target: str
    currency: str


@dataclass(frozen=True, slots=True)
class Till:
    """The database, from which agents are enrolled, and the services, which they ask."""

    story: Story
    endpoints: Sequence[Endpoint]
    books: psycopg.Connection[Any]

    async def enrol(self, *windows: dict[str, Any], parent: UUID | None = None) -> Payer:
        """A new agent under a mandate with these windows."""
        async with self.story.database.transaction(self.story.tenant_id) as tx:
            agent = await identity.create_principal(tx, "agent", f"agent-{new_id().hex}")
            mandate = await allow(tx, agent, WIDEST | {"windows": list(windows)}, parent)
            _, made = await identity.create_key(tx, agent, None, live=False)
        return Payer(agent.id, made.text, mandate.id)

    async def send(self, orders: Sequence[Order], connections: int) -> None:
        """Send them all, each under a key of its own, spread over the services; each is answered."""
        lanes = [list(orders[n :: len(self.endpoints)]) for n in range(len(self.endpoints))]
        most = connections // len(self.endpoints)
        seen = await asyncio.gather(
            *(
                drive(place, iter([_request(place, order) for order in lane]), seconds=300, connections=most)
                for place, lane in zip(self.endpoints, lanes, strict=True)
            )
        )
        statuses = sum((Counter(each.statuses) for each in seen), Counter[int]())
        assert statuses.total() == len(orders)
        assert set(statuses) <= {201, 409}, [each.samples for each in seen]

    def paid(self, *payers: Payer) -> dict[str, int]:
        """Minor units that these agents paid, by the kind of account that received them, as the postings say."""
        rows = self.books.execute(
            """SELECT rtrim(a.number, '0123456789'), sum(p.amount_minor)::bigint
               FROM decision d JOIN entry e ON e.tenant_id = d.tenant_id AND e.event_id = d.id
               JOIN posting p ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
               JOIN account a ON a.tenant_id = p.tenant_id AND a.id = p.target_id
               WHERE d.agent_id = ANY(%s) GROUP BY 1""",
            [[payer.id for payer in payers]],
        )
        return dict(rows.fetchall())

    def refused(self, *payers: Payer) -> dict[str, int]:
        """How many orders of these agents were refused, by codes."""
        rows = self.books.execute(
            "SELECT codes, count(*) FROM decision WHERE agent_id = ANY(%s) AND outcome = 'deny' GROUP BY 1",
            [[payer.id for payer in payers]],
        )
        return dict(rows.fetchall())

    def used(self, mandate: UUID) -> list[int]:
        """Minor units that are used of each window of a mandate."""
        rows = self.books.execute(
            """SELECT sum(amount_minor)::bigint FROM limit_usage WHERE mandate_id = %s
               GROUP BY window_key, payee_id ORDER BY 1""",
            [mandate],
        )
        return [minor for (minor,) in rows.fetchall()]


def _request(place: Endpoint, order: Order) -> bytes:
    body = f'{{"source":"{order.source}","target":"{order.target}","amount":"1.00","currency":"{order.currency}"}}'
    return post(Endpoint(place.host, place.port, place.path, order.key), place.path, body, new_id().hex)


def dollars(payer: Payer, number: int = AT_ONCE) -> list[Order]:
    """From any purse to any shop."""
    return [Order(payer.key, f"purse{n % ACCOUNTS}", f"shop{n % ACCOUNTS}", "USD") for n in range(number)]


def euros(payer: Payer, number: int = AT_ONCE) -> list[Order]:
    return [Order(payer.key, f"beutel{n % ACCOUNTS}", f"laden{n % ACCOUNTS}", "EUR") for n in range(number)]


@contextmanager
def tills(story: Story, database_url: str, services: int, workers: int = 1) -> Generator[Till]:
    """That many services on one database, each of so many processes."""
    with ExitStack() as stack:
        program = ("bursar", "serve", "--workers", str(workers))
        served = [stack.enter_context(serving(database_url=database_url, program=program)) for _ in range(services)]
        urls = [urlsplit(each.url) for each in served]
        places = [Endpoint(url.hostname or "", url.port or 0, "/v1/transfers") for url in urls]
        options = "-c search_path=bursar -c enable_seqscan=off"
        books = psycopg.connect(database_url, autocommit=True, options=options)
        yield Till(story, places, stack.enter_context(books))


@pytest.fixture
async def story(database: Database, tenant_id: UUID) -> Story:
    """Money enough in two currencies."""
    story = await Story.begin(database, tenant_id)
    for n in range(ACCOUNTS):
        await story.tell(f"""
            purse{n} has 100000.00 USD
            shop{n} has 0.00 USD
            beutel{n} has 100000.00 EUR
            laden{n} has 0.00 EUR
        """)
    await story.tell("stall has 0.00 USD")
    return story


# Rounds


async def one_window(till: Till) -> None:
    payer = await till.enrol(lifetime("40.00"))
    await till.send(dollars(payer), AT_ONCE)
    assert till.paid(payer) == {"shop": 4_000}
    assert till.refused(payer) == {"limit_exceeded": AT_ONCE - CAP}
    assert till.used(payer.mandate) == [4_000]


async def a_count(till: Till) -> None:
    payer = await till.enrol(lifetime(max_count=CAP))
    await till.send(dollars(payer), AT_ONCE)
    assert till.paid(payer) == {"shop": 4_000}
    assert till.refused(payer) == {"limit_exceeded": AT_ONCE - CAP}


async def many_windows(till: Till) -> None:
    """The tightest decides; all count."""
    wider = [window_json(kind="rolling", period=period, max_amount="50.00") for period in ("hour", "day", "week")]
    payer = await till.enrol(*wider, lifetime("40.00"), window_json(period="month", max_amount="60.00"))
    await till.send(dollars(payer), AT_ONCE)
    assert till.paid(payer) == {"shop": 4_000}
    assert till.used(payer.mandate) == [4_000] * 5


async def two_currencies(till: Till) -> None:
    """Each has its own cap, under the same mandate and at the same time."""
    payer = await till.enrol(lifetime("40.00"), lifetime("40.00", currency="EUR"))
    both = zip(dollars(payer), euros(payer), strict=True)
    await till.send([order for pair in both for order in pair], AT_ONCE)
    assert till.paid(payer) == {"shop": 4_000, "laden": 4_000}


async def two_payees(till: Till) -> None:
    """Each has a window of its own under the same mandate."""
    payer = await till.enrol(lifetime("40.00", per_payee=True))
    both = [(each._replace(target="stall"), each._replace(target="shop0")) for each in dollars(payer)]
    await till.send([order for pair in both for order in pair], AT_ONCE)
    assert till.paid(payer) == {"shop": 4_000, "stall": 4_000}


async def two_below_one(till: Till) -> None:
    """What two agents may pay each is more than the mandate above them has for both."""
    above = await till.enrol(lifetime("40.00"))
    payers = [await till.enrol(lifetime("25.00"), parent=above.mandate) for _ in range(2)]
    both = zip(*(dollars(payer, AT_ONCE // 2) for payer in payers), strict=True)
    await till.send([order for pair in both for order in pair], AT_ONCE)
    assert till.paid(*payers) == {"shop": 4_000}
    assert till.used(above.mandate) == [4_000]
    assert all(till.paid(payer)["shop"] <= 2_500 for payer in payers)


ROUNDS: Sequence[Callable[[Till], Awaitable[None]]] = (
    one_window, two_below_one, two_currencies, a_count, many_windows, two_payees,
)  # fmt: skip


async def play(till: Till, rounds: int) -> None:
    for each in itertools.islice(itertools.cycle(ROUNDS), rounds):
        await each(till)


# Over one process, over one service of two, and many more rounds, in the soak.
@pytest.mark.parametrize("services", [2])
async def test_of_64_at_once_against_a_cap_of_40_40_are_paid(story: Story, database_url: str, services: int) -> None:
    with tills(story, database_url, services) as till:
        await play(till, 12)


@pytest.mark.soak
@pytest.mark.parametrize(("services", "workers"), [(1, 1), (2, 1), (1, 2)])
async def test_of_64_at_once_against_a_cap_of_40_40_are_paid_500_times(
    story: Story, database_url: str, services: int, workers: int
) -> None:
    with tills(story, database_url, services, workers) as till:
        for _ in range(500):
            await one_window(till)
        await play(till, 60)


# A client that makes a new key for every call, and does not stop when it is told no


async def run_away(till: Till, calls: int, cap: int) -> None:
    payer = await till.enrol(lifetime(f"{cap}.00"))
    await till.send(dollars(payer, calls), 32)
    assert till.paid(payer) == {"shop": cap * 100}
    assert till.refused(payer) == {"limit_exceeded": calls - cap}
    assert till.used(payer.mandate) == [cap * 100]


# Over two processes in the soak.
@pytest.mark.parametrize("processes", [1])
async def test_a_runaway_client_pays_its_cap_and_no_more(story: Story, database_url: str, processes: int) -> None:
    with tills(story, database_url, processes) as till:
        await run_away(till, 1_000, 300)


@pytest.mark.soak
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_runaway_client_of_20000_calls_pays_its_cap_and_no_more(
    story: Story, database_url: str, processes: int
) -> None:
    with tills(story, database_url, processes) as till:
        await run_away(till, 20_000, 5_000)
