"""Of two who change an application at once exactly one wins, and the other is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import psycopg
import pytest

from bursar.kernel.ids import new_id
from tests.features.lending.applying import Lender

Rival = Callable[[Lender, Any], Awaitable[httpx2.Response]]
ROUNDS = 8


async def approve(lender: Lender, found: Any) -> httpx2.Response:
    return await lender.decide("ann", found, "approved")


async def reject(lender: Lender, found: Any) -> httpx2.Response:
    return await lender.decide("operator", found, "rejected", reason="No.")


async def withdraw(lender: Lender, found: Any) -> httpx2.Response:
    return await lender.post("ann", f"/applications/{found['id']}/withdraw", {"version": found["version"]})


async def change(lender: Lender, found: Any) -> httpx2.Response:
    body = {"version": found["version"], "amount": "9000"}
    return await lender.post("ann", f"/applications/{found['id']}/change", body)


@pytest.mark.parametrize(
    "rivals",
    [
        (approve, withdraw),
        (approve, approve),
        (approve, reject),
        (approve, change),
        (withdraw, withdraw),
        (change, change),
    ],
    ids=lambda rivals: " x ".join(rival.__name__ for rival in rivals),
)
async def test_exactly_one_wins(lender: Lender, rivals: tuple[Rival, Rival], database_url: str) -> None:
    product = await lender.product()
    for turn in range(ROUNDS):
        found = await lender.submitted("ann", product)
        order = rivals if turn % 2 else rivals[::-1]
        answers = await asyncio.gather(*(rival(lender, found) for rival in order))
        assert sorted(answer.status_code for answer in answers) == [200, 409], [a.text for a in answers]
        (won,) = [answer.json() for answer in answers if answer.is_success]
        (lost,) = [answer.json() for answer in answers if not answer.is_success]
        assert (lost["code"], lost["money_moved"]) == ("state_conflict", "no")
        seen = await lender.get(f"/applications/{found['id']}")
        assert (seen["status"], seen["version"]) == (won["status"], 3)
    with psycopg.connect(database_url, options="-c search_path=bursar") as connection:
        decided, allowed = connection.execute(
            """SELECT (SELECT count(*) FROM loan_decision),
                      (SELECT count(*) FROM event WHERE type = 'loan.undertaken')"""
        ).fetchone() or (0, -1)
    assert decided == allowed, "whoever lost has used no limit"


async def test_many_retries_of_one_decision_at_once_are_one(lender: Lender) -> None:
    found = await lender.submitted("ann")
    once = new_id().hex
    answers = await asyncio.gather(*(lender.decide("ann", found, "approved", once) for _ in range(8)))
    done = [answer for answer in answers if answer.status_code == 200]
    assert done
    assert len({answer.content for answer in done}) == 1
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert all(answer.json()["code"] == "idempotency_in_flight" for answer in answers if answer.status_code == 409)


async def test_a_limit_is_exact_however_many_are_decided_at_once(lender: Lender) -> None:
    await lender.ok("operator", "/agents", {"name": "clerk"})
    key = (await lender.ok("operator", "/keys", {"agent": "clerk"}))["key"]
    terms = {
        "actions": ["decide_application"], "counterparties": {"mode": "any"},
        "windows": [{"period": "lifetime", "currency": "USD", "max_amount": "700"}],
    }  # fmt: skip
    mandate = await lender.ok("operator", "/mandates", {"name": "clerk", "agent": "clerk", "terms": terms})
    await lender.ok("operator", f"/mandates/{mandate['id']}/activate")
    product = await lender.product()
    found = [await lender.submitted(key, product, amount="100") for _ in range(12)]
    answers = await asyncio.gather(*(lender.decide(key, each, "approved") for each in found))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [409] * 5
    assert {a.json()["code"] for a in answers if not a.is_success} == {"limit_exceeded"}
