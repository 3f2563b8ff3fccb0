"""Agents' payments decided on what a process remembers: no limit gives way, whatever others do meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from bursar.core.authority import counterparties, mandates, rulebook
from bursar.core.authority.desk import Desk
from bursar.core.authority.narrowing import WIDEST
from bursar.core.authority.refusals import PossibleDuplicate
from bursar.core.authority.remaining import authorised_of
from bursar.core.authority.rulebook import Rulebook, Unlearnt
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import PlaceHold
from bursar.core.ledger.outcomes import Done
from bursar.features.risk import service as risk
from bursar.features.risk.deciding import assess
from bursar.features.risk.ruleset import DEFAULT_RULES
from bursar.kernel.db import Tx, connect
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.asking import transfer
from tests.core.authority.ahead import Ahead, until_waiting
from tests.core.authority.freezing import wait_for
from tests.core.authority.limits import agent, ask, day, send, terms
from tests.core.authority.mandates import NOW, counterparties_json, terms_json, window_json
from tests.core.authority.offices import Office
from tests.core.authority.test_counterparties import enter
from tests.people import allow
from tests.stories import Story

CAP = 20


@pytest.fixture
async def capped(story: Story, ahead: Ahead) -> Office:
    """The clerk pays known counterparties twenty times 0.01 USD a day; it has done so once, and all is remembered."""
    known = counterparties_json(mode="any_known", allow=[], cool_off_seconds=0)
    rolling = window_json(kind="rolling", period="hour", currency=None, max_amount=None, max_count=1000)
    to_each = window_json(period="lifetime", max_amount="500.00", per_payee=True)
    limits = [window_json(max_amount="0.20"), rolling, to_each]
    velocity = {"max_count": 1000, "seconds": 60}
    office = await Office.open(
        story, terms_json(windows=limits, counterparties=known, velocity=velocity, duplicate_window_seconds=None)
    )
    await enter(office, await _ann(office))
    assert await pay(office) == "done"
    assert await pay(office) == "done"
    ahead.written = 0
    return office


async def _ann(office: Office) -> Actor:
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await identity.find_principal_named(tx, "ann")
    assert found
    return Actor(office.story.tenant_id, found.id, "operator", "ann", None, frozenset())


async def pay(office: Office, desk: Desk | None = None, minor: int = 1) -> str:
    """`done`, or the code of the refusal."""
    here, office.story.desk = office.story.desk, desk or office.story.desk
    try:
        return await office.pay(minor)
    finally:
        office.story.desk = here


async def test_an_agents_payment_is_one_statement(capped: Office, ahead: Ahead) -> None:
    assert [await pay(capped) for _ in range(5)] == ["done"] * 5
    assert (ahead.written, ahead.stale) == (5, 0)


async def test_a_refusal_of_the_mandate_is_found_under_locks(capped: Office, ahead: Ahead) -> None:
    assert Counter([await pay(capped) for _ in range(CAP)]) == {"done": CAP - 2, "limit_exceeded": 2}
    assert ahead.written == CAP - 2


async def test_two_processes_come_to_the_cap_and_no_further(capped: Office, elsewhere: Desk) -> None:
    desks = (capped.story.desk, elsewhere)
    said = [await pay(capped, desks[n % 2]) for n in range(CAP + 4)]
    assert Counter(said) == {"done": CAP - 2, "limit_exceeded": 6}


async def test_what_two_processes_ask_at_once_comes_to_the_cap(story: Story, elsewhere: Desk) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("0.40")], velocity={"max_count": 1000, "seconds": 10}))
    for desk in (story.desk, elsewhere):
        await ask(desk, who, [send(1)])
    desks = (story.desk, elsewhere)
    told = await asyncio.gather(*(ask(desks[n % 2], who, [send(1)]) for n in range(64)))
    assert sum(isinstance(each, Done) for (each,) in told) == 38
    await story.tell("bob = 0.40 USD")


async def test_what_is_set_aside_under_locks_elsewhere_counts(story: Story, elsewhere: Desk, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    await story.tell("carol has 10.00 USD")
    for _ in range(2):
        await ask(story.desk, who, [send(1)])
    before = len(ahead.drafts)
    hold = PlaceHold(new_id(), new_id(), "carol", "bob", Money(995, "USD"))
    (placed,) = await ask(elsewhere, who, [hold], "create_hold")
    assert isinstance(placed, Done)
    assert len(ahead.drafts) == before
    told = [(await ask(story.desk, who, [send(2)]))[0] for _ in range(3)]
    assert [isinstance(each, Done) for each in told] == [True, False, False]


async def test_a_share_of_a_parents_limit_used_elsewhere_counts(story: Story, elsewhere: Desk) -> None:
    _, parent = await agent(story, "head", terms(windows=[day("0.10")]))
    bots = [(await agent(story, f"bot-{n}", terms(windows=[day("0.08")]), parent.id))[0] for n in range(2)]
    desks = (story.desk, elsewhere)
    told = [await ask(desks[n % 2], bots[n % 2], [send(1)]) for n in range(14)]
    assert sum(isinstance(each, Done) for (each,) in told) == 10


async def _pause(office: Office, tx: Tx) -> None:
    await mandates.pause(tx, office.mandate.granted_by, office.mandate.id)


async def _revoke(office: Office, tx: Tx) -> None:
    await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)


async def _block(office: Office, tx: Tx) -> None:
    found = await counterparties.list_all(tx, None, 1)
    await counterparties.block(tx, found[0].id)


async def _grant_none(office: Office, tx: Tx) -> None:
    clerk = await identity.find_principal_named(tx, "clerk")
    assert clerk
    await mandates.revoke(tx, office.mandate.granted_by, office.mandate.id)
    await allow(tx, clerk, terms_json(actions=["create_hold"]))


async def _two_that_could(office: Office, tx: Tx) -> None:
    clerk = await identity.find_principal_named(tx, "clerk")
    assert clerk
    await allow(tx, clerk, WIDEST)


CHANGES: dict[str, tuple[Callable[[Office, Tx], Awaitable[None]], str]] = {
    "paused": (_pause, "mandate_revoked"),
    "revoked": (_revoke, "mandate_revoked"),
    "blocked": (_block, "counterparty_not_allowed"),
    "another": (_grant_none, "mandate_missing"),
    "two": (_two_that_could, "mandate_missing"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_another_process_changes_holds_at_once(capped: Office, change: str) -> None:
    made, told = CHANGES[change]
    async with capped.database.transaction(capped.story.tenant_id) as tx:
        await made(capped, tx)
    assert await pay(capped) == told


@pytest.mark.parametrize("change", CHANGES)
async def test_whoever_pays_while_it_is_changed_waits_and_is_refused(
    capped: Office, change: str, database_url: str
) -> None:
    made, told = CHANGES[change]
    async with capped.database.transaction(capped.story.tenant_id) as tx:
        await made(capped, tx)
        # As it is when it commits: everything is locked, and nothing is seen.
        await tx.run("SET CONSTRAINTS ALL IMMEDIATE")
        paying = asyncio.create_task(pay(capped))
        await wait_for(database_url, 1)
    assert await paying == told


async def test_a_payment_that_is_being_written_goes_before_a_change(
    capped: Office, database_url: str, ahead: Ahead
) -> None:
    connection = await connect(database_url)
    async with connection.transaction():
        # What comes after the mandates; less than the half second that a statement waits at most.
        await connection.execute("SELECT FROM bursar.account WHERE number = 'bob' FOR UPDATE")
        paying = asyncio.create_task(pay(capped))
        await until_waiting(connection)
        pausing = asyncio.create_task(_paused(capped))
        await wait_for(database_url, 2)
    await connection.close()
    assert await paying == "done"
    await pausing
    assert (ahead.written, await pay(capped)) == (1, "mandate_revoked")


async def _paused(office: Office) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        await _pause(office, tx)


async def test_under_risk_rules_everything_is_asked_under_locks(capped: Office, ahead: Ahead) -> None:
    async with capped.database.transaction(capped.story.tenant_id) as tx:
        await risk.become(tx, (await _ann(capped)).principal_id, DEFAULT_RULES.version, "active")
    assert [await pay(capped) for _ in range(12)] == ["done"] * 12
    assert ahead.written == 0
    async with capped.database.transaction(capped.story.tenant_id, read_only=True) as tx:
        scored = "SELECT count(*) FROM decision WHERE tenant_id = $1 AND inputs LIKE '%assessed%'"
        assert await tx.value(int, scored, tx.tenant) == 12


async def test_the_same_payment_is_found_wherever_it_was_made(story: Story, elsewhere: Desk) -> None:
    who, _ = await agent(story, "bot", terms(duplicate_window_seconds=3600))
    desks = (story.desk, elsewhere)
    for desk in desks:
        (told,) = await ask(desk, who, [send(7 if desk is story.desk else 8)])
        assert isinstance(told, Done)
    for minor in range(10, 16):
        first, again = [(await ask(desks[(minor + n) % 2], who, [send(minor)]))[0] for n in range(2)]
        assert isinstance(first, Done)
        assert isinstance(again, PossibleDuplicate)


async def test_of_the_same_payments_at_once_one_is_made(story: Story, elsewhere: Desk) -> None:
    who, _ = await agent(story, "bot", terms(duplicate_window_seconds=3600))
    desks = (story.desk, elsewhere)
    for minor in range(1, 9):
        told = await asyncio.gather(*(ask(desks[n % 2], who, [send(minor)]) for n in range(6)))
        assert sum(isinstance(each, Done) for (each,) in told) == 1


async def test_what_others_give_back_is_told_as_left(story: Story, ahead: Ahead) -> None:
    who, _ = await agent(story, "bot", terms(windows=[day("10.00")]))
    # An account with a hold on it is only looked at under its lock.
    await story.tell("carol has 10.00 USD")
    hold = PlaceHold(new_id(), new_id(), "carol", "bob", Money(400, "USD"))
    (placed,) = await ask(story.desk, who, [hold], "create_hold")
    assert isinstance(placed, Done)
    story.names["h1"] = hold.hold_id
    assert await _left(story, who) == 1000 - 400 - 1
    before = ahead.written
    assert await _left(story, who) == 1000 - 400 - 2
    assert ahead.written == before + 1
    await story.tell("release h1")
    assert await _left(story, who) == 1000 - 3
    assert await _left(story, who) == 1000 - 4


async def _left(story: Story, who: Any) -> int:
    (done,) = await ask(story.desk, who, [send(1)])
    assert isinstance(done, Done)
    authorised = authorised_of(done)
    assert authorised
    _, used = authorised.left[0]
    return 1000 - used.amount_minor


async def test_what_counts_on_a_payment_that_never_came_is_not_written(
    capped: Office, elsewhere: Desk, database_url: str, ahead: Ahead
) -> None:
    assert await pay(capped, elsewhere) == "done"
    assert await pay(capped) == "done"
    lost = transfer(capped.clerk, "alice", "bob", 15)
    connection = await connect(database_url)
    async with connection.transaction():
        # It has nothing locked yet but its key; it uses 15 of what is left of 20.
        await connection.execute("SELECT pg_advisory_xact_lock($1)", lost.ask.lock)
        one = asyncio.create_task(capped.story.desk.submit(lost))
        await until_waiting(connection)
        assert await pay(capped, elsewhere, 2) == "done"
        two = asyncio.create_task(pay(capped))
        async with asyncio.timeout(10):
            await ahead.came_to_nothing.wait()
    await connection.close()
    await asyncio.gather(one, two)
    async with capped.database.transaction(capped.story.tenant_id, read_only=True) as tx:
        used = "SELECT sum(amount_minor)::bigint FROM limit_usage WHERE tenant_id = $1 AND window_key LIKE '%day%'"
        assert await tx.value(int, used, tx.tenant) <= CAP
        paid = "SELECT posted_minor FROM account WHERE tenant_id = $1 AND number = 'bob'"
        assert await tx.value(int, paid, tx.tenant) == await tx.value(int, used, tx.tenant)


async def test_what_is_remembered_of_limits_is_bounded(capped: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "_MOST_LIMITS", 3)
    monkeypatch.setattr(rulebook, "_MOST_PAYEES", 3)
    clerk, limits = (capped.clerk_id, None), [(capped.mandate.id, f"key-{n}", new_id(), NOW) for n in range(8)]
    rules, known = Rulebook(), 0
    for limit in limits:
        async with capped.database.transaction(capped.story.tenant_id, read_only=True) as tx:
            await rules.learn_mandates(tx, [clerk], assess)
        await rules.learn(capped.database, capped.story.tenant_id, Unlearnt([limit], [limit[2]]))
    for limit in limits:
        with suppress(Unlearnt):
            rules.known([limit], [], [])
            known += 1
        with suppress(Unlearnt):
            rules.known([], [limit[2]], [])
            known += 1
    assert 2 <= known <= 2 * 4
