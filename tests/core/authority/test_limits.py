"""Limits hold to the unit under concurrency: what is used is counted under the mandate's lock, in the same commit."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import pytest

from bursar.core.authority.desk import Desk
from bursar.core.authority.model import PendingApproval
from bursar.core.ledger.orders import (
    CaptureHold,
    Move,
    PlaceHold,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    Together,
)
from bursar.core.ledger.outcomes import AllDone, Done
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal
from tests.core.authority.limits import agent, ask, codes, day, send, terms, used
from tests.core.authority.mandates import cap_json
from tests.stories import Story


@pytest.fixture
async def desks(story: Story, database_url: str) -> AsyncGenerator[list[Desk]]:
    """Two desks with a pool each, as two processes have."""
    other = await Database.open(database_url)
    yield [Desk(story.database, assess), Desk(other, assess)]
    await other.close()


async def _race(story: Story, desks: Sequence[Desk], rounds: int) -> None:
    for number in range(rounds):
        who, mandate = await agent(story, f"agent-{number}", terms(windows=[day("0.40")]))
        replies = await asyncio.gather(*(ask(desks[n % len(desks)], who, [send(1)]) for n in range(64)))
        assert Counter(codes([told for reply in replies for told in reply])) == {"Done": 40, "limit_exceeded": 24}
        assert await used(story, mandate) == (40, 40)


async def test_of_64_racing_for_40_exactly_40_pass(story: Story, desks: list[Desk]) -> None:
    await _race(story, desks[:1], rounds=5)


async def test_of_64_racing_for_40_at_two_processes_exactly_40_pass(story: Story, desks: list[Desk]) -> None:
    await _race(story, desks, rounds=5)


@pytest.mark.soak
@pytest.mark.parametrize("processes", [1, 2])
async def test_of_64_racing_for_40_exactly_40_pass_500_times(story: Story, desks: list[Desk], processes: int) -> None:
    await _race(story, desks[:processes], rounds=500)


async def test_what_needs_no_approval_alone_is_stopped_by_the_window_together(story: Story, desks: list[Desk]) -> None:
    """Fifty at once, each under what the agent may pay alone, against a day's limit of ten of them."""
    form = terms(per_transaction=[cap_json(max="500.00", auto_max="10.00")], windows=[day("99.99")])
    who, mandate = await agent(story, "splitter", form)
    replies = await asyncio.gather(*(ask(desks[n % 2], who, [send(999)]) for n in range(50)))
    assert Counter(codes([told for reply in replies for told in reply])) == {"Done": 10, "limit_exceeded": 40}
    assert await used(story, mandate) == (9990, 10)


async def test_two_agents_share_what_the_mandate_above_them_allows(story: Story, desks: list[Desk]) -> None:
    _, above = await agent(story, "team", terms(windows=[day("0.40")]))
    first, under_first = await agent(story, "first", terms(windows=[day("0.30")]), above.id)
    second, under_second = await agent(story, "second", terms(), above.id)
    asked = [ask(desks[n % 2], who, [send(1)]) for n in range(32) for who in (first, second)]
    replies = await asyncio.gather(*asked)
    assert Counter(codes([told for reply in replies for told in reply])) == {"Done": 40, "limit_exceeded": 24}
    assert await used(story, above) == (40, 40)
    assert (await used(story, under_first))[0] <= 30
    assert await used(story, under_second) == (0, 0), "it has no window of its own"


async def test_each_window_counts_its_currency_and_its_payee(story: Story) -> None:
    await story.tell("""
        emma opens in EUR floor none
        erik opens in EUR
        carol opens in USD
    """)
    windows = [day("0.05"), day("0.03", currency="EUR"), day(count=2, per_payee=True, currency=None)]
    who, _ = await agent(story, "buyer", terms(windows=windows))
    euros = SendMoney(new_id(), new_id(), (Move("emma", "erik", Money(3, "EUR")),))
    more_euros = SendMoney(new_id(), new_id(), (Move("emma", "erik", Money(1, "EUR")),))
    orders = [send(3), send(1), send(1), send(2, target="carol"), send(1, target="carol"), euros, more_euros]
    outcomes = await ask(story.desk, who, orders, "create_transfers")
    assert codes(outcomes) == ["Done", "Done", "limit_exceeded", "limit_exceeded", "Done", "Done", "limit_exceeded"]


async def test_orders_of_one_request_see_what_those_before_them_used(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("0.10")]))
    orders = [send(6), send(6), send(4), send(1)]
    outcomes = await ask(story.desk, who, orders, "create_transfers")
    assert codes(outcomes) == ["Done", "limit_exceeded", "Done", "limit_exceeded"]
    assert isinstance(outcomes[3], Refusal)
    assert "0.00 of 0.10 USD left until" in outcomes[3].detail
    assert await used(story, mandate) == (10, 2)


async def test_what_the_book_refuses_uses_nothing(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("2000.00")]))
    outcomes = await ask(story.desk, who, [send(150_000), send(60_000)], "create_transfers")
    assert codes(outcomes) == ["insufficient_funds", "Done"]
    assert await used(story, mandate) == (60_000, 1)


async def test_all_or_nothing_uses_all_or_nothing(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("0.10")]))
    too_much = Together((send(6), send(6)))
    assert codes(await ask(story.desk, who, [too_much], "create_transfers")) == ["limit_exceeded"]
    assert await used(story, mandate) == (0, 0)
    (outcome,) = await ask(story.desk, who, [Together((send(6), send(4)))], "create_transfers")
    assert isinstance(outcome, AllDone)
    assert await used(story, mandate) == (10, 2)


async def test_a_hold_uses_the_limit_until_it_is_released(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("1.00")]))
    hold_id = new_id()
    hold = PlaceHold(hold_id, new_id(), "alice", "bob", Money(80, "USD"))
    assert codes(await ask(story.desk, who, [hold], "create_hold")) == ["Done"]
    assert codes(await ask(story.desk, who, [send(30)])) == ["limit_exceeded"]
    assert codes(await ask(story.desk, who, [ReleaseHold(new_id(), hold_id)], "release_hold")) == ["Done"]
    assert await used(story, mandate) == (0, 0)
    assert codes(await ask(story.desk, who, [send(100)])) == ["Done"]


async def test_what_a_capture_leaves_is_given_back_to_the_limit(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("1.00")]))
    hold_id = new_id()
    await ask(story.desk, who, [PlaceHold(hold_id, new_id(), "alice", "bob", Money(80, "USD"))], "create_hold")
    capture = CaptureHold(new_id(), new_id(), hold_id, "0.50")
    assert codes(await ask(story.desk, who, [capture], "capture_hold")) == ["Done"]
    assert await used(story, mandate) == (50, 1)
    assert codes(await ask(story.desk, who, [send(51), send(50)], "create_transfers")) == ["limit_exceeded", "Done"]


async def test_a_hold_for_nobody_counts_to_its_payee_when_it_is_captured(story: Story) -> None:
    who, _ = await agent(story, "buyer", terms(windows=[day("1.00", per_payee=True)]))
    for minor, outcome in ((60, "Done"), (60, "limit_exceeded")):
        hold_id = new_id()
        await ask(story.desk, who, [PlaceHold(hold_id, new_id(), "alice", None, Money(minor, "USD"))], "create_hold")
        capture = CaptureHold(new_id(), new_id(), hold_id, None, "bob")
        assert codes(await ask(story.desk, who, [capture], "capture_hold")) == [outcome]


async def test_what_such_a_capture_took_stays_counted_to_its_payee(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("1.00", per_payee=True)]))
    hold_id = new_id()
    await ask(story.desk, who, [PlaceHold(hold_id, new_id(), "alice", None, Money(30, "USD"))], "create_hold")
    capture = CaptureHold(new_id(), new_id(), hold_id, "0.20", "bob")
    assert codes(await ask(story.desk, who, [capture], "capture_hold")) == ["Done"]
    assert await used(story, mandate) == (20, 1)


async def test_the_guard_against_duplicates_of_a_mandate_above_guards_too(story: Story) -> None:
    _, above = await agent(story, "team", terms(duplicate_window_seconds=600))
    who, _ = await agent(story, "buyer", terms(), above.id)
    assert codes(await ask(story.desk, who, [send(5)])) == ["Done"]
    assert codes(await ask(story.desk, who, [send(5)])) == ["possible_duplicate"]
    assert codes(await ask(story.desk, who, [send(6), send(6)], "create_transfers")) == ["Done", "possible_duplicate"]


async def test_a_reversal_is_a_payment_by_who_was_paid(story: Story) -> None:
    who, _ = await agent(story, "refunder", terms(accounts=["bob"], per_transaction=[cap_json(max="0.50")]))
    first, second = send(40), send(60)
    story_orders = await ask(story.desk, story.operator, [first, second], "create_transfers")
    assert codes(story_orders) == ["Done", "Done"]
    reversals = [ReverseEntry(new_id(), new_id(), order.entry_id) for order in (first, second)]
    outcomes = [(await ask(story.desk, who, [order], "reverse_transfer"))[0] for order in reversals]
    assert codes(outcomes) == ["Done", "limit_exceeded"]
    assert codes(await ask(story.desk, who, [send(1)])) == ["mandate_missing"]


async def test_above_what_an_agent_may_pay_alone_nothing_moves_and_everything_is_set_aside(story: Story) -> None:
    form = terms(per_transaction=[cap_json(max="500.00", auto_max="10.00")], windows=[day("600.00")])
    who, mandate = await agent(story, "buyer", form)
    (outcome,) = await ask(story.desk, who, [send(40_000)])
    assert isinstance(outcome, PendingApproval)
    assert outcome.why == ("400.00 USD is above 10.00, what the agent may pay alone.",)
    await story.tell("""
        alice = 1000.00 USD
        alice available 600.00 USD
        bob = 0.00 USD
    """)
    assert await used(story, mandate) == (40_000, 1)
    assert codes(await ask(story.desk, who, [send(30_000), send(60_000)], "create_transfers")) == [
        "limit_exceeded",
        "limit_exceeded",
    ]


async def test_what_could_not_be_carried_out_waits_for_nobody(story: Story) -> None:
    form = terms(per_transaction=[cap_json(max="5000.00", auto_max="10.00")])
    who, _ = await agent(story, "buyer", form)
    assert codes(await ask(story.desk, who, [send(200_000)])) == ["insufficient_funds"]


async def test_a_hold_of_an_approval_is_nobodys_to_take(story: Story) -> None:
    who, _ = await agent(story, "buyer", terms(per_transaction=[cap_json(max="500.00", auto_max="10.00")]))
    await ask(story.desk, who, [send(40_000)])
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        (hold_id,) = await tx.column(UUID, "SELECT id FROM hold WHERE approval_id IS NOT NULL")
    for asker in (who, story.operator):
        capture, release = CaptureHold(new_id(), new_id(), hold_id, None, "bob"), ReleaseHold(new_id(), hold_id)
        assert codes(await ask(story.desk, asker, [capture], "capture_hold")) == ["state_conflict"]
        assert codes(await ask(story.desk, asker, [release], "release_hold")) == ["state_conflict"]


async def test_every_order_of_an_agent_has_its_decision_and_nobody_elses_has(story: Story) -> None:
    who, mandate = await agent(story, "buyer", terms(windows=[day("0.10")]))
    done, refused = send(6), send(6)
    await ask(story.desk, who, [done, refused], "create_transfers")
    await ask(story.desk, story.operator, [send(1)])
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        rows = await tx.rows(
            lambda *columns: columns,
            "SELECT id, outcome, codes, mandate_id, mandate_version, amount_minor FROM decision ORDER BY id",
        )
    version = mandate.version
    assert sorted(rows) == sorted(
        [
            (done.event_id, "allow", "", mandate.id, version, 6),
            (refused.event_id, "deny", "limit_exceeded", mandate.id, version, 6),
        ]
    )


async def test_a_done_order_tells_its_entry(story: Story) -> None:
    who, _ = await agent(story, "buyer", terms())
    (outcome,) = await ask(story.desk, who, [send(6)])
    assert isinstance(outcome, Done)
    assert outcome.entry
