"""Balances then and statements: what was effective when, however late it was written down."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bursar.core.ledger import reading
from bursar.core.ledger.reading import Line, Statement
from tests.stories import Story

LATE = """
    alice has 0.00 USD
    bob has 0.00 USD
    bank opens in USD floor none
    bank -> alice 100.00 USD on 2020-01-01
    alice -> bob 10.00 USD on 2020-03-01
    alice -> bob 1.00 USD on 2020-02-01     # written down late
    alice -> bob 2.00 USD on 2020-02-01
    bank -> alice 5.00 USD on 2020-02-15
    alice -> bob 20.00 USD on 2020-04-01
"""


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
async def late(story: Story) -> Story:
    """A book in which entries were recorded in another order than they took effect."""
    await story.tell(LATE)
    return story


async def _at(story: Story, number: str, moment: datetime) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await reading.balance_at(tx, await reading.find_account(tx, number), moment)


async def _statement(
    story: Story, number: str, start: str, end: str, after: tuple[datetime, int] | None = None, limit: int = 100
) -> Statement:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await reading.statement(tx, await reading.find_account(tx, number), day(start), day(end), after, limit)


@pytest.mark.parametrize(
    ("moment", "alice", "bob"),
    [
        ("2019-12-31", 0, 0),
        ("2020-01-01", 10000, 0),
        ("2020-01-31", 10000, 0),
        ("2020-02-01", 9700, 300),
        ("2020-02-15", 10200, 300),
        ("2020-03-01", 9200, 1300),
        ("2020-04-01", 7200, 3300),
        ("2029-01-01", 7200, 3300),
    ],
)
async def test_a_past_balance_counts_what_was_effective_then(late: Story, moment: str, alice: int, bob: int) -> None:
    assert (await _at(late, "alice", day(moment)), await _at(late, "bob", day(moment))) == (alice, bob)


async def test_an_entry_counts_from_its_very_moment_on(late: Story) -> None:
    assert await _at(late, "alice", day("2020-04-01") - timedelta(microseconds=1)) == 9200


async def test_the_books_balance_at_every_moment(late: Story) -> None:
    for moment in ("2019-12-31", "2020-01-15", "2020-02-01", "2020-02-20", "2020-05-01"):
        assert sum([await _at(late, number, day(moment)) for number in ("alice", "bob", "bank")]) == 0


async def test_a_statement_opens_runs_and_closes(late: Story) -> None:
    found = await _statement(late, "alice", "2020-02-01", "2020-04-01")
    assert found.opening_minor == 10000
    assert [(line.change_minor, line.balance_minor, line.counterparty, line.effective_at) for line in found.lines] == [
        (-100, 9900, "bob", day("2020-02-01")),
        (-200, 9700, "bob", day("2020-02-01")),
        (500, 10200, "bank", day("2020-02-15")),
        (-1000, 9200, "bob", day("2020-03-01")),
    ]
    assert (found.closing_minor, found.more) == (9200, False)
    # The versions tell the order of recording, which is another one.
    assert [line.version for line in found.lines] == [3, 4, 5, 2]


async def test_the_end_of_a_period_is_the_beginning_of_the_next(late: Story) -> None:
    days = ["2020-01-01", "2020-02-01", "2020-02-15", "2020-04-01", "2020-05-01"]
    periods = [await _statement(late, "alice", start, end) for start, end in pairwise(days)]
    assert [p.closing_minor for p in periods[:-1]] == [p.opening_minor for p in periods[1:]]
    assert sum(len(period.lines) for period in periods) == 6


async def test_an_empty_period_closes_as_it_opened(late: Story) -> None:
    found = await _statement(late, "alice", "2020-02-16", "2020-02-20")
    assert (found.opening_minor, found.lines, found.closing_minor, found.more) == (10200, [], 10200, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7])
async def test_pages_of_any_size_say_the_same_as_the_whole(late: Story, limit: int) -> None:
    whole = await _statement(late, "alice", "2020-01-01", "2021-01-01")
    lines: list[Line] = []
    after = None
    more = True
    while more:
        page = await _statement(late, "alice", "2020-01-01", "2021-01-01", after, limit)
        assert page.opening_minor == (lines[-1].balance_minor if lines else whole.opening_minor)
        assert len(page.lines) <= limit
        lines += page.lines
        after, more = (lines[-1].effective_at, lines[-1].version), page.more
    assert lines == whole.lines


async def test_a_debit_normal_account_reads_its_own_way(story: Story) -> None:
    await story.tell("""
        stock opens in USD debit
        alice has 0.00 USD
        stock -> alice 5.00 USD on 2020-01-01
        alice -> stock 2.00 USD on 2020-01-02
    """)
    found = await _statement(story, "stock", "2020-01-01", "2020-02-01")
    assert [(line.change_minor, line.balance_minor) for line in found.lines] == [(500, 500), (-200, 300)]
    assert await _at(story, "stock", day("2020-01-01")) == 500


async def test_entries_are_listed_newest_first_page_by_page_and_by_account(late: Story) -> None:
    async with late.database.transaction(late.tenant_id, read_only=True) as tx:
        bob = await reading.find_account(tx, "bob")
        first = await reading.list_entries(tx, bob.id, None, 3)
        second = await reading.list_entries(tx, bob.id, first[-1].entry.id, 3)
        everything = await reading.list_entries(tx, None, None, 100)
    assert [original.total_minor for original in first + second] == [2000, 200, 100, 1000]
    assert [original.total_minor for original in everything] == [2000, 500, 200, 100, 1000, 10000]
