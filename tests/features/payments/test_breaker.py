"""A provider that fails again and again is left alone for a while; nothing new is begun with it meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bursar.features.payments.breaker import FAILURES_TO_OPEN, OPEN_FOR, Breaker, State, ended, lets_through, tried
from bursar.features.payments.ports import Charge, Malformed, NotSent, OutcomeUnknown, ProviderRefused, Report
from tests.api.serving import client_of, served
from tests.features.payments.counter import Counter, connected, key

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def failed(times: int) -> State:
    state = State()
    for _ in range(times):
        state = ended(tried(state, NOW), NOW, well=False)
    return state


def test_so_many_failures_in_a_row_open_it() -> None:
    assert lets_through(failed(FAILURES_TO_OPEN - 1), NOW)
    assert not lets_through(failed(FAILURES_TO_OPEN), NOW)
    assert lets_through(ended(failed(FAILURES_TO_OPEN - 1), NOW, well=True), NOW)
    assert ended(failed(FAILURES_TO_OPEN - 1), NOW, well=True) == State()


def test_after_a_while_one_call_is_let_through_and_decides() -> None:
    down, later = failed(FAILURES_TO_OPEN), NOW + OPEN_FOR
    assert not lets_through(down, later - timedelta(seconds=1))
    assert lets_through(down, later)
    trying = tried(down, later)
    assert not lets_through(trying, later)
    assert not lets_through(ended(trying, later, well=False), later)
    assert lets_through(ended(trying, later, well=True), later)
    # Whoever tried and never came back keeps nobody waiting for ever.
    assert lets_through(trying, later + OPEN_FOR)


@pytest.mark.parametrize(
    ("raised", "counts"),
    [(NotSent(), True), (OutcomeUnknown(), True), (Malformed(), True), (ProviderRefused("no"), False)],
)
async def test_a_refusal_is_an_answer(raised: Exception, counts: bool) -> None:
    breaker = Breaker()

    async def work() -> None:
        raise raised

    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(type(raised)):
            await breaker.call(work, lambda: NOW)
    assert breaker.lets_through(NOW) is not counts


@pytest.fixture
async def guarded(counter: Counter) -> AsyncGenerator[Counter]:
    """The counter with a breaker before its provider."""
    providers = connected(counter.provider, counter.clock)
    connection = replace(providers.connections["sandbox"], breaker=Breaker())
    providers = replace(providers, connections={"sandbox": connection})
    async with served(counter.database, providers=providers) as app, client_of(app) as client:
        yield replace(counter, client=client, providers=providers)


async def held(counter: Counter) -> Any:
    return (await counter.get(f"/v1/accounts/{counter.tenant.side}"))["held"]


async def test_while_it_is_open_nothing_is_begun_and_then_everything_goes_on(
    guarded: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = (await guarded.pay()).json()
    manual = (await guarded.pay(capture="manual")).json()
    calls: list[str] = []

    async def charge(order: Charge) -> Report:
        calls.append(order.key)
        raise OutcomeUnknown

    monkeypatch.setattr(guarded.provider, "charge", charge)
    first = key()
    for same in [first, *[key() for _ in range(FAILURES_TO_OPEN - 1)]]:
        assert (await guarded.pay(key=same)).json()["status"] == "unknown"
    before, same = len((await guarded.get("/v1/payments?limit=100"))["items"]), key()
    down = [
        await guarded.pay(key=same),
        await guarded.post(f"/v1/payments/{paid['id']}/refund", {"amount": "1.00"}, key()),
        await guarded.post(f"/v1/payments/{manual['id']}/capture", None, same),
        await guarded.post(f"/v1/payments/{manual['id']}/cancel", None, key()),
        await guarded.post("/v1/payouts", {"account": guarded.tenant.side, "amount": "1.00", "currency": "USD"}, key()),
    ]
    for answer in down:
        told = answer.json()
        assert (answer.status_code, told["code"], told["money_moved"]) == (503, "upstream_unavailable", "no")
        assert told["retry"] == "same_key"
    assert len(calls) == FAILURES_TO_OPEN
    assert len((await guarded.get("/v1/payments?limit=100"))["items"]) == before
    assert await held(guarded) == "0.00"
    # What was begun before is not refused: it is still unknown.
    assert (await guarded.pay(key=first)).json()["status"] == "unknown"
    monkeypatch.undo()
    guarded.clock.pass_by(seconds=OPEN_FOR.seconds)
    assert (await guarded.pay(key=same)).json()["status"] == "succeeded"
    captured = await guarded.post(f"/v1/payments/{manual['id']}/capture", None, same)
    assert (captured.status_code, captured.json()["status"]) == (200, "succeeded")
    await guarded.settle(3)
    statuses = {one["status"] for one in (await guarded.get("/v1/payments?limit=100"))["items"]}
    assert statuses == {"succeeded"}
    await guarded.refuse_difference()


async def test_of_many_at_once_one_tries_a_provider_that_was_down(
    guarded: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = guarded.providers.connections["sandbox"].breaker
    assert breaker
    breaker.state = State(FAILURES_TO_OPEN, guarded.clock.now)
    calls: list[str] = []

    async def charge(order: Charge) -> Report:
        calls.append(order.key)
        raise OutcomeUnknown

    await guarded.method("sandbox_ok")
    monkeypatch.setattr(guarded.provider, "charge", charge)
    answers = await asyncio.gather(*(guarded.pay() for _ in range(5)))
    assert len(calls) == 1
    assert {answer.status_code for answer in answers} <= {201, 503}
    monkeypatch.undo()
    await guarded.settle(3)
    await guarded.refuse_difference()


async def test_while_it_is_open_nothing_is_called_whoever_asks() -> None:
    """Questions and what was begun before come here without being refused ahead."""
    breaker, now, calls = Breaker(), datetime(2026, 11, 22, tzinfo=UTC), list[int]()

    async def fail() -> None:
        calls.append(1)
        raise OutcomeUnknown

    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(OutcomeUnknown):
            await breaker.call(fail, lambda: now)
    with pytest.raises(NotSent):
        await breaker.call(fail, lambda: now)
    assert len(calls) == FAILURES_TO_OPEN
