"""What the client is told: amounts, times, names, keys and secrets reach the service as meant, or not at all."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bursar.client import Bursar, BursarProblem, CallFailed
from tests.journeys.calls import calling, failure_of, pay
from tests.journeys.unsteady import (
    CUT,
    MADE,
    problem,
)


@pytest.mark.parametrize("amount", [0.1, 1, True, b"1.00", float("nan")])
async def test_an_amount_that_is_not_text_or_decimal_is_a_type_error(amount: Any) -> None:
    async with calling(MADE) as (bursar, server):
        with pytest.raises(TypeError, match="must be str or Decimal"):
            await pay(bursar, amount)
        with pytest.raises(TypeError, match="must be str or Decimal"):
            await bursar.retail_transfer(from_account="a", to_account="b", amount=amount)
    assert not server.keys


@pytest.mark.parametrize(
    ("amount", "text"),
    [("125.50", "125.50"), (Decimal("125.50"), "125.50"), (Decimal("1E+3"), "1000"), (Decimal("1E-2"), "0.01")],
)
async def test_an_amount_travels_exactly(amount: str | Decimal, text: str) -> None:
    async with calling(MADE) as (bursar, server):
        await pay(bursar, amount)
    assert json.loads(server.bodies[0])["amount"] == text


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN")])
async def test_an_amount_that_is_no_number_is_a_value_error(amount: Decimal) -> None:
    async with calling(MADE) as (bursar, server):
        with pytest.raises(ValueError, match="finite"):
            await pay(bursar, amount)
    assert not server.keys


async def test_a_time_without_a_zone_is_a_value_error() -> None:
    async with calling(MADE) as (bursar, server):
        with pytest.raises(ValueError, match="zone"):
            await bursar.get_balance("a", at=datetime(2026, 11, 21))  # noqa: DTZ001 -- that is what is refused
        with pytest.raises(CallFailed):
            await bursar.get_balance("a", at=datetime(2026, 11, 21, tzinfo=UTC))
    assert "at=2026-11-21T00%3A00%3A00Z" in server.heads[0]


@pytest.mark.parametrize("name", ["..", "../v1/keys", "a/b", "a?b=c", "a#b", "%2e%2e", "ü", "world:cash:CZK"])
async def test_a_name_stays_one_segment_of_its_path(name: str) -> None:
    async with calling(problem(404, "not_found", "new_request")) as (bursar, server):
        with pytest.raises(BursarProblem):
            await bursar.get_account(name)
    path = server.heads[0].split()[1]
    assert path.startswith("/v1/accounts/")
    assert not set(path.removeprefix("/v1/accounts/")) & set("/?#.")


async def test_an_empty_name_is_a_value_error() -> None:
    async with calling(MADE) as (bursar, server):
        with pytest.raises(ValueError, match="empty"):
            await bursar.get_account("")
    assert not server.keys


@pytest.mark.parametrize("key", ["", "a\nb", "ключ"])
async def test_a_key_that_no_header_can_hold_is_a_value_error(key: str) -> None:
    async with calling(MADE) as (bursar, server):
        with pytest.raises(ValueError, match="idempotency_key must be"):
            await pay(bursar, key=key)
    assert not server.keys


async def test_a_secret_that_no_header_can_hold_is_not_shown() -> None:
    with pytest.raises(ValueError, match="api_key must be") as raised:
        Bursar("http://127.0.0.1", "bk_test_secret\n")
    assert "secret" not in str(raised.value)


async def test_the_secret_is_sent_and_shown_nowhere() -> None:
    async with calling(CUT, attempts=1) as (bursar, server):
        failure = await failure_of(bursar)
        assert "bk_test_key" not in f"{failure!r} {failure} {bursar!r}"
    assert "Authorization: Bearer bk_test_key" in server.heads[0]
