"""A flood of one caller keeps nobody else waiting, and a caller that is alone waits for nothing."""

from uuid import UUID

import psycopg
import pytest

from bursar.api.turnstile import RateLimited, Turnstile
from bursar.core.identity.model import KeyCredential
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from tests.api.serving import client_of, served
from tests.api.tenants import bearing, enrol

OURS, THEIRS = UUID(int=1), UUID(int=2)


def caller(tenant_id: UUID, key_id: int = 1, secret: bytes = b"secret") -> KeyCredential:
    return KeyCredential(tenant_id, key_id, secret)


def flood(turnstile: Turnstile, who: KeyCredential, now: float, number: int = 1_000) -> list[float]:
    """How long each of many requests that come at once waits, until one is refused."""
    waits: list[float] = []
    for _ in range(number):
        try:
            waits.append(turnstile.seconds_until_turn(who, now))
        except RateLimited:
            break
    return waits


def test_one_that_is_alone_waits_for_nothing() -> None:
    assert flood(Turnstile(10), caller(OURS), 100.0) == [0.0] * 1_000


def test_one_of_a_tenant_that_is_alone_waits_for_none_of_its_own() -> None:
    turnstile = Turnstile(10)
    turnstile.seconds_until_turn(caller(OURS, 2), 100.0)
    assert flood(turnstile, caller(OURS), 100.0) == [0.0] * 1_000


def test_beside_others_each_key_goes_on_at_its_pace_and_is_refused_beyond_a_second() -> None:
    turnstile = Turnstile(10)
    turnstile.seconds_until_turn(caller(THEIRS), 99.5)
    waits = flood(turnstile, caller(OURS), 100.0)
    assert waits == pytest.approx([0.0, 0.0, *(n / 10 for n in range(1, 11))])
    assert flood(turnstile, caller(OURS), 100.35) == pytest.approx([0.75, 0.85, 0.95])
    # Their next request waits for none of ours, and another key of ours for none of this one's.
    assert turnstile.seconds_until_turn(caller(THEIRS), 100.4) == 0.0
    assert turnstile.seconds_until_turn(caller(OURS, 2), 100.4) == 0.0


def test_a_second_after_the_others_have_stopped_nothing_waits() -> None:
    turnstile = Turnstile(10)
    turnstile.seconds_until_turn(caller(THEIRS), 99.0)
    assert len(flood(turnstile, caller(OURS), 100.0)) == 12
    assert flood(turnstile, caller(OURS), 100.01) == [0.0] * 1_000


def test_who_does_not_know_the_secret_uses_up_nobodys_share() -> None:
    turnstile = Turnstile(10)
    turnstile.seconds_until_turn(caller(THEIRS), 100.0)
    flood(turnstile, caller(OURS, secret=b"guess"), 100.0)
    assert turnstile.seconds_until_turn(caller(OURS), 100.0) == 0.0


def test_people_and_services_wait_for_nothing() -> None:
    turnstile = Turnstile(10)
    turnstile.seconds_until_turn(caller(THEIRS), 100.0)
    assert {turnstile.seconds_until_turn(caller(OURS), 100.0, is_agent=False) for _ in range(1_000)} == {0.0}


def test_no_limit_is_no_limit() -> None:
    turnstile = Turnstile(0)
    turnstile.seconds_until_turn(caller(THEIRS), 100.0)
    assert flood(turnstile, caller(OURS), 100.0) == [0.0] * 1_000


async def test_a_refused_request_is_not_pinned_and_moves_nothing(database: Database, database_url: str) -> None:
    """Once it is known as an agent's, a key of a request in 1,000 seconds may go on once beside others, and no more."""
    async with served(database) as app, client_of(app) as client:
        ours, theirs = await enrol(database, client, "ours"), await enrol(database, client, "theirs")
    key = new_id().hex
    wish = {"source": ours.main, "target": ours.side, "amount": "1.00", "currency": "USD"}
    async with served(database, requests_per_second=0.001) as app, client_of(app) as client:
        assert (await client.get("/v1/accounts", headers=bearing(theirs.agent))).status_code == 200
        assert (await client.post("/v1/transfers", json=wish, headers=bearing(ours.agent, "a"))).status_code == 201
        assert (await client.get("/v1/accounts", headers=bearing(ours.agent))).status_code == 200
        for _ in range(5):
            assert (await client.get("/v1/accounts", headers=bearing(ours.operator))).status_code == 200
        refused = await client.post("/v1/transfers", json=wish, headers=bearing(ours.agent, key))
    problem = refused.json()
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert (problem["code"], problem["money_moved"], problem["retry"]) == ("rate_limited", "no", "same_key")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT FROM bursar.answer WHERE key = %s", [key]).rowcount == 0
    async with served(database) as app, client_of(app) as client:
        assert (await client.post("/v1/transfers", json=wish, headers=bearing(ours.agent, key))).status_code == 201
