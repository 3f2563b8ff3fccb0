"""Disputes are listed and read as they stand: what was taken, how it went on, a page at a time."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.features.payments.providers import sandbox_acting as acting
from bursar.features.payments.providers import sandbox_store as store
from tests.api.tenants import bearing
from tests.features.payments.conftest import counter
from tests.features.payments.counter import Counter

assert counter


async def dispute(counter: Counter, minor: int) -> tuple[str, str]:
    """A new payment that is disputed: the ids of both."""
    paid = (await counter.pay()).json()
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, paid["provider_reference"])
        assert charge
        about = await acting.dispute(tx, charge, minor, counter.clock.now)
    await counter.settle(2)
    return paid["id"], about


async def decide(counter: Counter, payment: str, minor: int, *, won: bool) -> None:
    reference = (await counter.get(f"/v1/payments/{payment}"))["provider_reference"]
    async with counter.database.transaction(counter.tenant.id) as tx:
        charge = await store.lock_charge(tx, reference)
        assert charge
        await acting.decide_dispute(tx, charge, minor, won=won, now=counter.clock.now)
    await counter.settle(2)


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
async def test_a_dispute_shows_what_was_taken_and_how_it_went_on(counter: Counter, won: bool, status: str) -> None:
    payment, about = await dispute(counter, 12_000)
    shown = await counter.get(f"/v1/disputes/{about}")
    assert (shown["id"], shown["payment_id"], shown["status"]) == (about, payment, "needs_response")
    # More than the 100.00 that were paid.
    assert (shown["amount"], shown["fee_amount"], shown["currency"]) == ("120.00", "15.00", "USD")
    await decide(counter, payment, 12_000, won=won)
    later = await counter.get(f"/v1/disputes/{about}")
    assert later == {**shown, "status": status, "changed_at": later["changed_at"]}
    assert later["changed_at"] > shown["changed_at"] == shown["opened_at"]


async def test_disputes_are_listed_newest_first_a_page_at_a_time(counter: Counter) -> None:
    made = [await dispute(counter, 1_000 + n) for n in range(3)]
    seen: list[Any] = []
    page: Any = {"next_cursor": None}
    while len(seen) < 4:
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        page = await counter.get(f"/v1/disputes?limit=1{cursor}")
        seen += page["items"]
        if page["next_cursor"] is None:
            break
    assert [one["id"] for one in seen] == [about for _, about in reversed(made)]
    assert [Decimal(one["amount"]) for one in seen] == [Decimal("10.02"), Decimal("10.01"), Decimal("10.00")]
    await decide(counter, made[1][0], 1_001, won=False)
    for query, expected in (
        (f"payment={made[0][0]}", [made[0][1]]),
        ("dispute_status=lost", [made[1][1]]),
        ("dispute_status=needs_response", [made[2][1], made[0][1]]),
    ):
        assert [one["id"] for one in (await counter.get(f"/v1/disputes?{query}"))["items"]] == expected


@pytest.mark.parametrize("name", ["dp_nobody", "x" * 64, "a b", "%F0%9F%92%B3"])
async def test_what_is_no_dispute_is_not_found_and_no_cursor(counter: Counter, name: str) -> None:
    headers = bearing(counter.tenant.agent)
    assert (await counter.client.get(f"/v1/disputes/{name}", headers=headers)).status_code == 404
    assert (await counter.client.get(f"/v1/disputes?cursor={name}", headers=headers)).status_code == 422
