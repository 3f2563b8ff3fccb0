"""Every refusal that an agent can be told names the fact that decided it and the next useful step."""

import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx2
import psycopg
import pytest

from bursar.core.authority.mandate import DAYS
from bursar.core.idempotency.model import lock_of
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.wire.problems import Problem
from tests.api.serving import client_of, served
from tests.api.stands import Stand
from tests.api.tenants import Tenant, bearing, enrol
from tests.faults.proxy import proxied
from tests.features.lending.applying import Lender

# The codes of what is not there yet.
LATER = {"card_frozen"}
CLOSED_LIST = {
    "invalid_argument", "unknown_account", "unknown_counterparty", "counterparty_not_allowed", "currency_not_allowed",
    "limit_exceeded", "velocity_exceeded", "outside_time_window", "mandate_missing", "mandate_expired",
    "mandate_revoked", "agent_suspended", "account_frozen", "card_frozen", "insufficient_funds", "possible_duplicate",
    "idempotency_conflict", "idempotency_in_flight", "approval_rejected", "approval_expired", "state_conflict",
    "consent_required", "rate_limited", "upstream_unavailable", "outcome_unknown",
}  # fmt: skip


@pytest.fixture
async def stand(client: httpx2.AsyncClient, tenant: Tenant, database: Database, database_url: str) -> Stand:
    return Stand(client, tenant, database, database_url)


async def invalid_argument(stand: Stand) -> httpx2.Response:
    return await stand.pay(stand.tenant.agent, amount="5.001")


async def unknown_account(stand: Stand) -> httpx2.Response:
    return await stand.pay(stand.tenant.agent, target="NOBODY")


async def unknown_counterparty(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(counterparties={"mode": "any_known"})
    return await stand.pay(key)


async def counterparty_not_allowed(stand: Stand) -> httpx2.Response:
    entered = await stand.made("/v1/counterparties", {"account": stand.tenant.side, "name": "Side"})
    key, _ = await stand.agent(counterparties={"mode": "any_known"})
    await stand.made(f"/v1/counterparties/{entered['id']}/block")
    return await stand.pay(key)


async def currency_not_allowed(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(per_transaction=[{"currency": "EUR", "max": "10.00"}])
    return await stand.pay(key)


async def limit_exceeded(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(windows=[{"period": "lifetime", "currency": "USD", "max_amount": "7.00"}])
    assert (await stand.pay(key)).status_code == 201
    return await stand.pay(key)


async def velocity_exceeded(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(velocity={"max_count": 1, "seconds": 3600})
    assert (await stand.pay(key)).status_code == 201
    return await stand.pay(key)


async def outside_time_window(stand: Stand) -> httpx2.Response:
    another_day = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    key, _ = await stand.agent(hours={"time_zone": "UTC", "days": [another_day]})
    return await stand.pay(key)


async def mandate_missing(stand: Stand) -> httpx2.Response:
    await stand.made("/v1/agents", {"name": "newcomer"})
    return await stand.pay((await stand.made("/v1/keys", {"agent": "newcomer"}))["key"])


async def mandate_expired(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    stand.change("UPDATE mandate SET expires_at = '2026-01-02T03:04:05Z' WHERE expires_at IS NOT NULL")
    return await stand.pay(key)


async def mandate_revoked(stand: Stand) -> httpx2.Response:
    key, mandate = await stand.agent()
    await stand.made(f"/v1/mandates/{mandate}/revoke")
    return await stand.pay(key)


async def agent_suspended(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent()
    await stand.made("/v1/freezes", {"scope": "tenant", "reason": "It looks odd."})
    return await stand.pay(key)


async def account_frozen(stand: Stand) -> httpx2.Response:
    await stand.made("/v1/freezes", {"scope": "account", "object": stand.tenant.main, "reason": "It looks odd."})
    return await stand.pay(stand.tenant.agent)


async def insufficient_funds(stand: Stand) -> httpx2.Response:
    return await stand.pay(stand.tenant.agent, source=stand.tenant.side, target=stand.tenant.main)


async def possible_duplicate(stand: Stand) -> httpx2.Response:
    key, _ = await stand.agent(duplicate_window_seconds=3600)
    assert (await stand.pay(key)).status_code == 201
    return await stand.pay(key)


async def idempotency_conflict(stand: Stand) -> httpx2.Response:
    once = new_id().hex
    assert (await stand.pay(stand.tenant.agent, once)).status_code == 201
    return await stand.pay(stand.tenant.agent, once, amount="6.00")


async def idempotency_in_flight(stand: Stand) -> httpx2.Response:
    """Somebody else works on this key, for longer than anybody waits."""
    once = new_id().hex
    with psycopg.connect(stand.database_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(stand.tenant.id, "create_transfer", once)])
        return await stand.pay(stand.tenant.agent, once)


async def _asked(stand: Stand) -> tuple[str, dict[str, str]]:
    """Where an approval is, and what to send to approve it."""
    key, _ = await stand.agent(per_transaction=[{"currency": "USD", "max": "10.00", "auto_max": "1.00"}])
    told = await stand.pay(key)
    path = f"/v1/approvals/{told.json()['approval_id']}"
    seen = await stand.client.get(path, headers=bearing(stand.tenant.operator))
    return path, {"payload_hash": seen.json()["payload_hash"]}


async def approval_rejected(stand: Stand) -> httpx2.Response:
    path, bound = await _asked(stand)
    await stand.made(f"{path}/reject", {"reason": "Not this one."})
    return await stand.post(f"{path}/approve", bound)


async def approval_expired(stand: Stand) -> httpx2.Response:
    path, bound = await _asked(stand)
    stand.change("UPDATE approval SET expires_at = created_at")
    return await stand.post(f"{path}/approve", bound)


async def state_conflict(stand: Stand) -> httpx2.Response:
    hold = {"account": stand.tenant.main, "amount": "5.00", "currency": "USD"}
    made = await stand.made("/v1/holds", hold)
    await stand.made(f"/v1/holds/{made['id']}/release")
    return await stand.post(f"/v1/holds/{made['id']}/release")


async def consent_required(stand: Stand) -> httpx2.Response:
    lender = Lender(stand.client, stand.tenant, {"operator": stand.tenant.operator})
    wish = await lender.wish(await lender.product(consents=["credit_check"]))
    made = await lender.ok(stand.tenant.agent, "/applications", wish)
    return await lender.post(stand.tenant.agent, f"/applications/{made['id']}/submit", {"version": 1})


async def rate_limited(stand: Stand) -> httpx2.Response:
    """An agent's key has a request in 1,000 seconds here while others are at work."""
    other = await enrol(stand.database, stand.client, "other")
    async with _elsewhere(stand.database, requests_per_second=0.001) as client:
        await client.get("/v1/accounts", headers=bearing(other.agent))
        for _ in range(2):
            await client.post("/v1/transfers", json=stand.wish(), headers=bearing(stand.tenant.agent))
        return await client.post("/v1/transfers", json=stand.wish(), headers=bearing(stand.tenant.agent))


async def upstream_unavailable(stand: Stand) -> httpx2.Response:
    """The database takes nobody any more."""
    name = re.findall(r"/(test_\w+)", stand.database_url)[0]
    with psycopg.connect(stand.database_url.replace(name, "postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            return await stand.pay(stand.tenant.agent)
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


async def outcome_unknown(stand: Stand) -> httpx2.Response:
    """The connection breaks while COMMIT is under way, and the server does not notice.

    There is one, because an account with a hold on it is only looked at under its lock.
    """
    await stand.made("/v1/holds", {"account": stand.tenant.main, "amount": "1.00", "currency": "USD"})
    with tempfile.TemporaryDirectory(prefix="cut-") as directory:
        async with proxied(stand.database_url, Path(directory)) as (proxy, url):
            database = await Database.open(url, connections=4)
            async with _elsewhere(database) as client:
                # What it asks to remember passes.
                proxy.plan(["pass", "unnoticed"])
                answer = await client.post("/v1/transfers", json=stand.wish(), headers=bearing(stand.tenant.operator))
            proxy.notice()
            await database.close()
    return answer


@asynccontextmanager
async def _elsewhere(database: Database, requests_per_second: float = 0) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of a second service."""
    async with served(database, requests_per_second=requests_per_second) as app, client_of(app) as client:
        yield client


class Says(NamedTuple):
    """What a refusal's `detail` and `next` say, as patterns."""

    fact: str
    then: str


Produce = Callable[[Stand], Awaitable[httpx2.Response]]
ASK_AN_OPERATOR = "Ask an operator"
SAME_KEY = "(?i)same Idempotency-Key|same key"
SAYS: dict[Produce, Says] = {
    invalid_argument: Says(r"amount: .*decimal", "Correct"),
    unknown_account: Says(r"target: no account", "GET /v1/accounts"),
    unknown_counterparty: Says(r"ours-side-USD is no known counterparty", "POST /v1/counterparties"),
    counterparty_not_allowed: Says(r"ours-side-USD.*blocked", ASK_AN_OPERATOR.lower()),
    currency_not_allowed: Says(r"covers EUR; you asked USD", "GET /v1/agents/{agent}/authority"),
    limit_exceeded: Says(r"2\.00 of 7\.00 USD left.*you asked 5\.00", "what is left"),
    velocity_exceeded: Says(r"1 payments in 3600 seconds.*after \d{4}-", "Wait until the moment"),
    outside_time_window: Says(r"from 08:00 to 18:00", "within the hours"),
    mandate_missing: Says(r"You have no mandate", ASK_AN_OPERATOR),
    mandate_expired: Says(r"Errands expired at 2026-01-02T03:04:05Z", ASK_AN_OPERATOR),
    mandate_revoked: Says(r"Errands is revoked", ASK_AN_OPERATOR),
    agent_suspended: Says(r"This agent is suspended", ASK_AN_OPERATOR),
    account_frozen: Says(r"ours-main-USD is frozen", ASK_AN_OPERATOR),
    insufficient_funds: Says(r"ours-side-USD has 0\.00 USD available; you asked 5\.00", "at most the available"),
    possible_duplicate: Says(r"evt_[0-9a-f]{32} paid the same amount.*3600 seconds", "acknowledge_duplicate"),
    idempotency_conflict: Says(r"Idempotency-Key", "make a new key for a new intent"),
    idempotency_in_flight: Says(r"still being worked on", SAME_KEY),
    approval_rejected: Says(r"was rejected", "ended_why"),
    approval_expired: Says(r"time to approve is over", "ask again"),
    state_conflict: Says(r"voided", "Read the object again"),
    consent_required: Says(r"credit_check", "Ask the applicant"),
    rate_limited: Says(r"0\.001 requests a second", "Retry-After"),
    upstream_unavailable: Says(r"cannot be reached", SAME_KEY),
    outcome_unknown: Says(r"lost while committing", SAME_KEY),
}
SENT_AGAIN = {"idempotency_in_flight", "rate_limited", "upstream_unavailable", "outcome_unknown"}


def code_of(produce: Produce) -> str:
    """The code that is produced: the function's name."""
    return getattr(produce, "__name__", "")


@pytest.mark.parametrize("produce", SAYS, ids=[code_of(produce) for produce in SAYS])
async def test_a_refusal_names_its_fact_and_the_next_step(stand: Stand, produce: Produce) -> None:
    answer = await produce(stand)
    problem = Problem.model_validate(answer.json())
    says = SAYS[produce]
    assert problem.code == code_of(produce), answer.text
    assert problem.money_moved == ("unknown" if problem.code == "outcome_unknown" else "no")
    assert re.search(says.fact, problem.detail), problem.detail
    assert re.search(says.then, problem.next), problem.next
    assert (problem.retry == "same_key") == (problem.code in SENT_AGAIN), problem.retry
    assert ("Retry-After" in answer.headers) == (problem.code in SENT_AGAIN)


def test_every_code_of_the_closed_list_is_produced_but_for_those_to_come() -> None:
    assert {code_of(produce) for produce in SAYS} == CLOSED_LIST - LATER
