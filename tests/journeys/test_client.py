"""The client when things go wrong: it never pays twice, never says more than it knows, and never waits for ever."""

import json
import socket
import subprocess
import sys
import time

import pytest

from bursar.client import AnswerLost, Bursar, BursarProblem, CallFailed, Reply, Unreachable
from tests.journeys.calls import calling, failure_of, pay
from tests.journeys.unsteady import (
    BUSY,
    CUT,
    GONE,
    IN_FLIGHT,
    MADE,
    NO_FUNDS,
    REPLAYED,
    SILENCE,
    TRANSFER,
    problem,
    says,
    unsteady,
)


async def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    replies: list[Reply] = []
    async with calling(CUT, REPLAYED, on_reply=replies.append) as (bursar, server):
        assert (await pay(bursar)).id == "tr_1"
    assert server.keys == ["k1", "k1"]
    assert server.bodies[0] == server.bodies[1]
    assert replies == [Reply("create_transfer", 201, "req_2", "k1", replayed=True, attempts=2)]


async def test_a_lost_answer_says_to_use_the_same_key_when_attempts_are_over() -> None:
    async with calling(CUT, attempts=1) as (bursar, server):
        failure = await failure_of(bursar)
    assert isinstance(failure, AnswerLost)
    assert (failure.money_moved, failure.retry, failure.idempotency_key) == ("unknown", "same_key", "k1")
    assert "SAME idempotency_key 'k1'" in str(failure)
    assert len(server.keys) == 1


async def test_attempts_are_bounded() -> None:
    async with calling(CUT) as (bursar, server):
        assert isinstance(await failure_of(bursar), AnswerLost)
        assert len(server.keys) == 3
    async with calling(BUSY) as (bursar, server):
        assert isinstance(await failure_of(bursar), BursarProblem)
        assert len(server.keys) == 3


@pytest.mark.parametrize("passing", [BUSY, IN_FLIGHT, problem(500, "internal_error", "same_key", "unknown")])
async def test_what_passes_is_asked_again(passing: bytes) -> None:
    async with calling(passing, MADE) as (bursar, server):
        assert (await pay(bursar)).id == "tr_1"
    assert server.keys == ["k1", "k1"]


async def test_a_refusal_is_not_asked_again() -> None:
    async with calling(NO_FUNDS) as (bursar, server):
        failure = await failure_of(bursar)
    assert isinstance(failure, BursarProblem)
    assert (failure.status, failure.code, failure.money_moved, failure.retry) == (
        409, "insufficient_funds", "no", "new_request",
    )  # fmt: skip
    assert failure.problem.detail in str(failure)
    assert failure.next in str(failure)
    assert len(server.keys) == 1


@pytest.mark.parametrize("answer", [CUT, BUSY, IN_FLIGHT, says(502, "<html>")])
async def test_without_a_key_a_quickstart_call_is_sent_once(answer: bytes) -> None:
    async with calling(answer) as (bursar, server):
        with pytest.raises(CallFailed):
            await bursar.retail_transfer(from_account="a", to_account="b", amount="1.00")
        with pytest.raises(CallFailed):
            await bursar.agent_transfer(agent_id="g", source_account="a", target_account="b", amount="1.00")
    assert server.keys == [None, None]


async def test_a_lost_answer_without_a_key_does_not_ask_for_a_retry() -> None:
    async with calling(CUT) as (bursar, _):
        with pytest.raises(AnswerLost) as raised:
            await bursar.retail_transfer(from_account="a", to_account="b", amount="1.00")
    assert (raised.value.money_moved, raised.value.retry) == ("unknown", "never")


async def test_with_a_key_a_quickstart_call_is_asked_again() -> None:
    answer = says(200, '{"status": "ok", "request_id": "r"}')
    async with calling(CUT, answer) as (bursar, server):
        await bursar.retail_transfer(from_account="a", to_account="b", amount="1.00", idempotency_key="q")
    assert server.keys == ["q", "q"]


async def test_retry_after_is_waited_for() -> None:
    async with calling(problem(503, "busy", "same_key", Retry_After="1"), MADE) as (bursar, _):
        began = time.monotonic()
        await pay(bursar)
        assert time.monotonic() - began >= 1


async def test_a_long_retry_after_is_left_to_the_caller() -> None:
    async with calling(problem(503, "busy", "same_key", Retry_After="3600"), MADE) as (bursar, server):
        failure = await failure_of(bursar)
    assert failure.retry_after_seconds == 3600
    assert len(server.keys) == 1


@pytest.mark.parametrize("last", [BUSY, IN_FLIGHT, problem(401, "unauthenticated", "never")])
async def test_after_a_lost_answer_a_no_that_knows_nothing_of_it_is_not_passed_on(last: bytes) -> None:
    async with calling(CUT, last) as (bursar, _):
        failure = await failure_of(bursar)
    assert isinstance(failure, AnswerLost)
    assert failure.money_moved == "unknown"
    assert isinstance(failure.__cause__, BursarProblem)


async def test_after_an_unknown_outcome_a_closed_door_is_not_a_no() -> None:
    async with calling(problem(503, "outcome_unknown", "same_key", "unknown"), GONE) as (bursar, server):
        failure = await failure_of(bursar)
    assert isinstance(failure.__cause__, Unreachable)
    assert failure.money_moved == "unknown"
    assert len(server.keys) == 1


async def test_after_a_lost_answer_a_refusal_settles_it() -> None:
    async with calling(CUT, NO_FUNDS) as (bursar, _):
        failure = await failure_of(bursar)
    assert isinstance(failure, BursarProblem)
    assert failure.money_moved == "no"


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with Bursar(f"http://127.0.0.1:{bound.getsockname()[1]}") as bursar:
            failure = await failure_of(bursar)
    assert isinstance(failure, Unreachable)
    assert (failure.money_moved, failure.retry) == ("no", "same_key")


async def test_an_answer_that_does_not_come_is_not_waited_for_twice() -> None:
    async with calling(SILENCE, answer_seconds=0.2) as (bursar, server):
        failure = await failure_of(bursar)
    assert isinstance(failure, AnswerLost)
    assert failure.money_moved == "unknown"
    assert len(server.keys) == 1


@pytest.mark.parametrize("strange", [says(200, "<html>"), says(404, "<html>"), says(201, '{"id": 1}'), says(200, "")])
async def test_an_answer_that_is_not_bursars_settles_nothing(strange: bytes) -> None:
    async with calling(strange) as (bursar, server):
        failure = await failure_of(bursar)
    assert isinstance(failure, AnswerLost)
    assert failure.money_moved == "unknown"
    assert len(server.keys) == 1


async def test_a_gateway_in_trouble_is_asked_again() -> None:
    async with calling(says(502, "<html>"), MADE) as (bursar, server):
        await pay(bursar)
    assert server.keys == ["k1", "k1"]


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    async with unsteady(MADE) as elsewhere:
        async with calling(says(307, "", Location=f"{elsewhere.address}/v1/transfers")) as (bursar, _):
            assert isinstance(await failure_of(bursar), AnswerLost)
        assert not elsewhere.heads


async def test_a_read_that_is_lost_moved_nothing() -> None:
    async with calling(CUT) as (bursar, server):
        with pytest.raises(AnswerLost) as raised:
            await bursar.get_transfer("tr_1")
    assert raised.value.money_moved == "no"
    assert len(server.keys) == 3


async def test_fields_of_a_newer_service_are_skipped() -> None:
    async with calling(says(201, json.dumps({**TRANSFER, "fresh": {"a": 1}}))) as (bursar, _):
        assert (await pay(bursar)).id == "tr_1"


async def test_a_list_is_read_to_its_end() -> None:
    agents = [
        {"id": f"prn_{n}", "name": f"a{n}", "team": None, "status": "active", "created_at": "2026-11-21T09:30:00Z"}
        for n in "12"
    ]
    pages = [says(200, json.dumps({"items": [a], "next_cursor": c})) for a, c in zip(agents, ("c1", None), strict=True)]
    async with calling(*pages) as (bursar, server):
        assert [agent.name async for agent in bursar.iterate_agents()] == ["a1", "a2"]
    asked = [head.split()[1] for head in server.heads]
    assert asked == ["/v1/agents?limit=500", "/v1/agents?cursor=c1&limit=500"]


def test_the_client_comes_without_the_server() -> None:
    program = (
        "import sys, bursar.client; "
        "print([m for m in sys.modules if m.split('.')[0] in ('fastapi', 'starlette', 'asyncpg', 'uvicorn')"
        " or m.startswith(('bursar.kernel', 'bursar.core', 'bursar.features', 'bursar.api', 'bursar.faces'))])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
