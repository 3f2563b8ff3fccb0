"""A connection that breaks around COMMIT: what the caller is told never contradicts the books."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from bursar.core.authority.desk import Desk
from bursar.core.authority.service import Reply
from bursar.core.idempotency.model import Answer, IdempotencyInFlight
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database, OutcomeUnknown, UpstreamUnavailable
from tests.asking import DONE, transfer
from tests.faults.proxy import Cut, Proxy, proxied
from tests.stories import Story


@pytest.fixture
async def story(database: Database, tenant_id: UUID) -> Story:
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        alice has 1000.00 USD
        bob has 0.00 USD
        carol has 1000.00 USD
    """)
    return story


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place for a socket, whose path may not be long."""
    with tempfile.TemporaryDirectory(prefix="cut-") as name:
        yield Path(name)


@pytest.fixture
async def line(database_url: str, directory: Path) -> AsyncGenerator[tuple[Proxy, Desk]]:
    """A desk whose connections go through a proxy that cuts them."""
    async with proxied(database_url, directory) as (proxy, url):
        database = await Database.open(url, connections=4)
        yield proxy, Desk(database, assess)
        proxy.notice()
        await database.close()


async def _moved(story: Story) -> int:
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        return await tx.value(int, "SELECT posted_minor FROM account WHERE number = 'bob'")


def _check(reply: Reply, moved: int) -> str:
    """Hold a reply against the books; returns what it was."""
    match reply:
        case Answer():
            assert (reply.status, moved) == (DONE, 1)
        case UpstreamUnavailable():
            assert (reply.money_moved, moved) == ("no", 0)
        case OutcomeUnknown():
            assert reply.money_moved == "unknown"
            assert moved in (0, 1)
        case _:
            raise AssertionError(reply)
    return type(reply).__name__


async def _cut_commits(story: Story, proxy: Proxy, desk: Desk, cuts: int) -> None:
    await story.tell("alice holds 1.00 USD as h1")
    random = Random(cuts)
    made: Counter[Cut] = Counter()
    told: Counter[str] = Counter()
    while made.total() - made["pass"] < cuts:
        # From an account with a hold on it one goes by a transaction, from the other by one statement.
        send = transfer(random.choice((story.operator, story.agent)), random.choice(("alice", "carol")), "bob")
        proxy.plan(random.choices(("before", "after", "at once"), k=random.choice((1, 1, 1, 2, 3, 5))))
        before = await _moved(story)
        reply = await desk.submit(send)
        made += Counter(proxy.made)
        proxy.plan([])
        told[_check(reply, await _moved(story) - before)] += 1
        again = await desk.submit(send)
        assert isinstance(again, Answer)
        assert (again.status, await _moved(story) - before) == (DONE, 1)
        assert not isinstance(reply, Answer) or again.body == reply.body
    assert min(made["before"], made["after"], made["at once"]) >= cuts // 8
    assert told["Answer"] > cuts // 4


async def test_no_answer_contradicts_the_books_when_commits_are_cut(story: Story, line: tuple[Proxy, Desk]) -> None:
    await _cut_commits(story, *line, cuts=60)


@pytest.mark.soak
async def test_no_answer_contradicts_the_books_when_many_commits_are_cut(
    story: Story, line: tuple[Proxy, Desk]
) -> None:
    await _cut_commits(story, *line, cuts=400)


@pytest.mark.parametrize("cut", ["before", "after", "at once"])
async def test_a_cut_batch_is_settled_for_each_of_its_callers(story: Story, line: tuple[Proxy, Desk], cut: Cut) -> None:
    proxy, desk = line
    proxy.plan([cut])
    replies = await asyncio.gather(*(desk.submit(transfer(story.operator, "alice", "bob")) for _ in range(30)))
    assert cut in proxy.made
    assert [_check(reply, 1) for reply in replies] == ["Answer"] * 30
    assert await _moved(story) == 30


async def _learn(desk: Desk, story: Story) -> None:
    """Have the desk know all that it would ask for beside the transaction that is cut.

    There is one, because an account with a hold on it is only looked at under its lock.
    """
    await story.tell("alice holds 1.00 USD as h1")
    refused = await desk.submit(transfer(story.agent, "alice", "bob", 10**9))
    assert isinstance(refused, Answer)


async def test_a_commit_that_is_cut_again_and_again_is_given_up_and_has_moved_nothing(
    story: Story, line: tuple[Proxy, Desk]
) -> None:
    proxy, desk = line
    await _learn(desk, story)
    # Between the attempts the desk asks what became of the last, and is let through.
    cuts: list[Cut] = ["before", "pass", "before", "pass", "before", "pass"]
    proxy.plan(cuts)
    send = transfer(story.agent, "alice", "bob")
    assert _check(await desk.submit(send), await _moved(story)) == "UpstreamUnavailable"
    assert proxy.made == cuts
    assert _check(await desk.submit(send), await _moved(story)) == "Answer"


async def test_while_the_server_has_not_noticed_nobody_guesses(story: Story, line: tuple[Proxy, Desk]) -> None:
    proxy, desk = line
    await _learn(desk, story)
    proxy.plan(["unnoticed"])
    send = transfer(story.agent, "alice", "bob")
    assert isinstance(await desk.submit(send), OutcomeUnknown)
    assert isinstance(await desk.submit(send), IdempotencyInFlight)
    proxy.notice()
    assert _check(await desk.submit(send), await _moved(story)) == "Answer"


async def test_a_statement_that_arrives_after_its_repetition_does_nothing(
    story: Story, line: tuple[Proxy, Desk]
) -> None:
    proxy, desk = line
    assert _check(await desk.submit(transfer(story.operator, "alice", "bob")), await _moved(story)) == "Answer"
    late: list[Cut] = ["late"]
    proxy.plan(late)
    reply = await desk.submit(transfer(story.operator, "alice", "bob"))
    assert _check(reply, await _moved(story) - 1) == "Answer"
    (told,) = await proxy.deliver()
    assert b"CBU001" in told or b"C23505" in told
    assert await _moved(story) == 2
