"""A key that a provider answers with an error for good: failed only once its list says that nothing was done."""

from datetime import timedelta
from uuid import UUID

import pytest

from bursar.features.payments.ports import Charge, KeySpent, OutcomeUnknown, Question, Report
from bursar.features.payments.resolving import SPENT_AFTER, resolve_due
from tests.features.payments.counter import Counter


@pytest.fixture
def spent(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Every charge is answered with an error that was kept; nothing is done."""

    async def charge(_: Charge) -> Report:
        raise KeySpent

    monkeypatch.setattr(counter.provider, "charge", charge)
    return counter


async def wait(counter: Counter, span: timedelta) -> None:
    """Let time go by, asking whenever it is due."""
    until = counter.clock.now + span
    while counter.clock.now < until:
        counter.clock.pass_by(minutes=1)
        await resolve_due(counter.shop)


async def test_it_fails_after_an_hour_when_the_provider_has_no_such_call(spent: Counter) -> None:
    asked = (await spent.pay()).json()
    assert asked["status"] == "unknown"
    await wait(spent, SPENT_AFTER - timedelta(minutes=1))
    assert (await spent.newest())["status"] == "unknown"
    await wait(spent, timedelta(hours=1))
    found = await spent.newest()
    assert (found["status"], found["failure"]) == ("failed", "provider_error")
    await spent.refuse_difference()


async def test_it_stays_unknown_while_the_list_cannot_be_had(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    just_sent = [False]

    async def charge(_: Charge) -> Report:
        just_sent[0] = True
        raise KeySpent

    async def ask(_: Question) -> Report | None:
        if just_sent[0]:
            just_sent[0] = False
            raise OutcomeUnknown
        return None

    monkeypatch.setattr(counter.provider, "charge", charge)
    monkeypatch.setattr(counter.provider, "ask", ask)
    await counter.pay()
    await wait(counter, timedelta(hours=3))
    assert (await counter.newest())["status"] == "unknown"
    # It was looked at after the key was spent, an hour and more after the call.
    assert not just_sent[0]


async def test_what_turns_up_at_the_second_look_is_believed(spent: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    await spent.pay()
    await wait(spent, SPENT_AFTER - timedelta(minutes=1))
    real, looks = spent.provider.ask, [0]

    async def ask(question: Question) -> Report | None:
        looks[0] += 1
        if looks[0] == 2:
            monkeypatch.undo()
            order = Charge(question.key, question.amount_minor, question.currency, "sandbox_ok")
            await spent.provider.charge(order)
        return await real(question)

    monkeypatch.setattr(spent.provider, "ask", ask)
    await wait(spent, timedelta(hours=1))
    assert (await spent.newest())["status"] == "succeeded"
    await spent.refuse_difference()


async def test_money_that_turns_up_after_all_wins(spent: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    await spent.pay()
    await wait(spent, timedelta(hours=2))
    async with spent.database.transaction(spent.tenant.id, read_only=True) as tx:
        (call,) = await tx.column(UUID, "SELECT id FROM payment_attempt WHERE tenant_id = $1", tx.tenant)
    monkeypatch.undo()
    await spent.provider.charge(Charge(call.hex, 10_000, "USD", "sandbox_late"))
    await spent.settle(2)
    assert (await spent.newest())["status"] == "succeeded"
    await spent.refuse_difference()
