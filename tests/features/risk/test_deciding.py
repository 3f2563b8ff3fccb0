"""What a query over stored decisions finds is what the plain look back in memory says, however much there is."""

import itertools
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.core.authority.assessing import Question
from bursar.features.risk import deciding, history, store
from bursar.features.risk.deciding import assess, band_of
from bursar.features.risk.history import look_back
from bursar.features.risk.keeping import Kept, read_kept
from bursar.features.risk.model import Decided, History, Payment
from bursar.features.risk.ruleset import DEFAULT_RULES, read_rules, write_rules
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id
from tests.features.risk.past import WAYS, Past, Row, put_in_force, write, write_postings

NOW = datetime(2026, 11, 20, 12, 30, 15, 250_000, tzinfo=UTC)
AGENTS, PAYEES = [UUID(int=n) for n in (11, 12)], [UUID(int=n) for n in (21, 22, 23)]
SOURCES, AUTO_MAX = [UUID(int=n) for n in (31, 32)], 100
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Moments at which something begins or ends to count, and any others.
_ages = st.one_of(
    st.sampled_from([timedelta(0), HOUR, DAY, 180 * DAY, timedelta(minutes=30, seconds=15)]).flatmap(
        lambda age: st.sampled_from([age, age + timedelta(microseconds=1), age - timedelta(microseconds=1)])
    ),
    st.timedeltas(timedelta(microseconds=1), 3 * HOUR),
    st.timedeltas(timedelta(0), 2 * DAY),
    st.timedeltas(timedelta(0), 200 * DAY),
).filter(lambda age: age > timedelta(0))
_amounts = st.one_of(st.integers(1, 200), st.sampled_from([89, 90, 95, 100, 101]))


def _payments(ages: st.SearchStrategy[timedelta], targets: list[UUID | None]) -> st.SearchStrategy[Payment]:
    return st.builds(
        Payment, ages.map(lambda age: NOW - age), st.sampled_from(SOURCES), st.sampled_from(targets),
        st.sampled_from(["USD", "EUR"]), _amounts,
    )  # fmt: skip


_ways = st.sampled_from(list(WAYS))
_pasts = st.builds(Past, st.sampled_from(AGENTS), _payments(_ages, [*PAYEES]), _ways)
_questions = st.tuples(st.sampled_from(AGENTS), _payments(st.just(timedelta(0)), [*PAYEES, None]))
_postings = st.lists(st.tuples(st.sampled_from(SOURCES), _ages.map(lambda age: NOW - age)), max_size=4)


@pytest.fixture
def owner(unverified_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(unverified_database_url) as connection:
        yield connection


@pytest.fixture
async def bare(unverified_database_url: str) -> AsyncGenerator[Database]:
    """A database whose decisions nobody asks for their events."""
    opened = await Database.open(unverified_database_url)
    yield opened
    await opened.close()


def question(agent_id: UUID, payment: Payment, *, is_new: bool = True) -> Question:
    return Question(
        agent_id, payment.at, payment.source_id, payment.target_id, payment.currency, payment.amount_minor, AUTO_MAX,
        is_new,
    )  # fmt: skip


async def kept_of(bare: Database, tenant_id: UUID, questions: list[Question]) -> list[Kept]:
    """What is kept of each, when all are asked in one batch in this order."""
    async with bare.transaction(tenant_id, read_only=True) as tx:
        score = await assess(tx, lambda: questions)
    assert score
    asked: list[Question] = []
    found: list[Kept] = []
    for one in questions:
        kept = score(one, [q for q in asked if q.agent_id == one.agent_id]).kept
        assert isinstance(kept, dict)
        found.append(read_kept(kept))
        asked.append(one)
    return found


def expected(past: list[Past], postings: list[tuple[UUID, datetime]], asked: list[tuple[UUID, Payment]]) -> History:
    """The history of the last of those asked."""
    *earlier, (agent_id, payment) = asked
    decided = [p.decided for p in past if p.agent_id == agent_id]
    decided += [Decided(p, let_through=False) for agent, p in earlier if agent == agent_id]
    band = band_of(DEFAULT_RULES, AUTO_MAX)
    near = band if band and band[0] <= payment.amount_minor <= band[1] else None
    last_at = max((at for source, at in postings if source == payment.source_id), default=None)
    return look_back(decided, last_at, payment, near)


@pytest.fixture(params=["as it is", "with narrow bounds"])
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that small examples can reach."""
    if request.param == "as it is":
        return
    for module in (deciding, history, store):
        for name, most in (("MOST_HABITS", 6), ("MOST_COUNTED", 3), ("MOST_LOOKED_AT", 1_000)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, most)


@pytest.mark.usefixtures("bounds")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(_pasts, max_size=30), _postings, st.lists(_questions, min_size=1, max_size=5))
async def test_the_query_says_what_the_look_back_in_memory_says(
    bare: Database,
    owner: psycopg.Connection,
    past: list[Past],
    postings: list[tuple[UUID, datetime]],
    asked: list[tuple[UUID, Payment]],
) -> None:
    tenant_id = new_id()
    past.sort(key=lambda p: p.payment.at)
    put_in_force(owner, tenant_id, write_rules(DEFAULT_RULES), 1, "active")
    write(owner, tenant_id, past)
    write_postings(owner, tenant_id, postings)
    found = await kept_of(bare, tenant_id, [question(*one) for one in asked])
    for number, kept in enumerate(found, 1):
        assert kept.active
        history = kept.history._replace(near_threshold=kept.active.near_threshold)
        assert history == expected(past, postings, asked[:number])


async def test_another_tenants_decisions_tell_nothing(bare: Database, owner: psycopg.Connection) -> None:
    mine, other = new_id(), new_id()
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    put_in_force(owner, mine, write_rules(DEFAULT_RULES), 1, "active")
    write(owner, other, [Past(AGENTS[0], payment._replace(at=NOW - HOUR / 2))])
    (kept,) = await kept_of(bare, mine, [question(AGENTS[0], payment)])
    assert (kept.history.payments, kept.history.last_hour, kept.history.payee_since) == (0, 0, None)


async def test_a_capture_counts_its_hold_once(bare: Database, owner: psycopg.Connection) -> None:
    tenant_id = new_id()
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    put_in_force(owner, tenant_id, write_rules(DEFAULT_RULES), 1, "active")
    hold = Row("create_hold", "allow", next(iter(WAYS)).results)
    write(owner, tenant_id, [Past(AGENTS[0], payment._replace(at=NOW - HOUR / 2), hold)])
    (capture,) = await kept_of(bare, tenant_id, [question(AGENTS[0], payment, is_new=False)])
    (other,) = await kept_of(bare, tenant_id, [question(AGENTS[0], payment)])
    assert capture.active
    assert other.active
    assert (capture.history.last_hour, capture.active.near_threshold) == (0, 0)
    assert (other.history.last_hour, other.active.near_threshold) == (1, 1)


async def test_each_version_counts_in_its_own_band(bare: Database, owner: psycopg.Connection) -> None:
    tenant_id = new_id()
    wider = write_rules(DEFAULT_RULES).replace('"near_percent":90', '"near_percent":50')
    put_in_force(owner, tenant_id, write_rules(DEFAULT_RULES), 1, "active")
    put_in_force(owner, tenant_id, wider.replace('"version":1', '"version":2'), 2, "shadow")
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    write(owner, tenant_id, [Past(AGENTS[0], payment._replace(at=NOW - HOUR, amount_minor=60))])
    (kept,) = await kept_of(bare, tenant_id, [question(AGENTS[0], payment)])
    assert kept.active
    assert kept.shadow
    assert (kept.active.near_threshold, kept.shadow.near_threshold) == (0, 1)


async def test_a_flood_of_other_amounts_hides_no_structuring(bare: Database, owner: psycopg.Connection) -> None:
    tenant_id = new_id()
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    put_in_force(owner, tenant_id, write_rules(DEFAULT_RULES), 1, "active")
    before = [Past(AGENTS[0], payment._replace(at=NOW - 2 * HOUR))] * 2
    flood = [Past(AGENTS[0], payment._replace(at=NOW - HOUR, amount_minor=1), Row("create_transfer", "deny", "[]"))]
    write(owner, tenant_id, before + flood * 3_000)
    (kept,) = await kept_of(bare, tenant_id, [question(AGENTS[0], payment)])
    assert kept.active
    assert (kept.active.near_threshold, kept.active.outcome) == (2, "deny")


class Planner:
    """A transaction that has statements explained in place of carried out."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.tenant = tx.tenant

    async def rows(self, _: object, sql: str, *args: object) -> list[str]:
        return await self._tx.column(str, cast(LiteralString, f"EXPLAIN {sql}"), *args)


async def test_every_look_back_goes_by_its_index_down_to_the_last_column(
    bare: Database, owner: psycopg.Connection
) -> None:
    """Behind row security a condition that might leak is looked at row by row: an hour's flood was read for each."""
    tenant_id = new_id()
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    ways = list(WAYS)
    past = [
        Past(
            AGENTS[n % 2],
            payment._replace(at=NOW - HOUR * n / 20, amount_minor=n, target_id=PAYEES[n % 3]),
            ways[n % 10],
        )
        for n in range(3_000, 0, -1)
    ]
    write(owner, tenant_id, past)
    owner.execute("ANALYZE decision")
    owner.commit()
    wanted = store.Wanted([AGENTS[0]], [(AGENTS[0], PAYEES[0])], [SOURCES[0]], [(AGENTS[0], "USD", 90, 100)])
    async with bare.transaction(tenant_id, read_only=True) as tx:
        plan: Any = await store.look_up(cast(Tx, Planner(tx)), NOW, wanted)
    conditions = {
        line.split(" using ")[1].split(" on ")[0]: below.strip()
        for line, below in itertools.pairwise(plan)
        if " using " in line
    }
    assert conditions.keys() == {
        "decision_by_agent", "decision_paid", "decision_payee", "decision_asked", "posting_by_source"
    }  # fmt: skip
    for name, column in (
        ("decision_by_agent", "decided_at"), ("decision_paid", "decided_at"), ("decision_payee", "target_id"),
        ("decision_asked", "decided_hour"), ("decision_asked", "amount_minor"), ("decision_asked", "currency"),
        ("posting_by_source", "source_id"),
    ):  # fmt: skip
        assert conditions[name].startswith("Index Cond:"), conditions[name]
        assert column in conditions[name], (name, conditions[name])
    assert not [line for line in plan if "Seq Scan" in line]


async def test_without_rules_nothing_is_known_or_kept(bare: Database) -> None:
    payment = Payment(NOW, SOURCES[0], PAYEES[0], "USD", 95)
    async with bare.transaction(new_id(), read_only=True) as tx:
        assert await assess(tx, lambda: [question(AGENTS[0], payment)]) is None


def test_the_bounds_do_not_take_being_fast_for_being_faster_than_usual() -> None:
    """Whatever the rate, an agent that keeps it is not above its busiest hour once it is faster than is counted."""
    for hourly in (100, 249, 251, 400, 5_000):
        gap = HOUR / hourly
        past = [
            Decided(Payment(NOW - gap * n, SOURCES[0], PAYEES[0], "USD", 1), let_through=True)
            for n in range(min(3 * hourly, 10_000), 0, -1)
        ]
        known = look_back(past, None, Payment(NOW, SOURCES[0], PAYEES[0], "USD", 1), None)
        assert 100 * (known.last_hour + 1) // max(known.busiest_hour, 3) <= 102, hourly


def test_the_rules_that_come_with_bursar_are_read_from_their_own_text() -> None:
    assert read_rules(write_rules(DEFAULT_RULES)) == DEFAULT_RULES
