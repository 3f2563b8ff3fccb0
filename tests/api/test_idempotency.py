"""One key, one effect, one answer: whoever sends it, how often, at once, and to whichever process."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx2
import psycopg
import pytest

from bursar.kernel.db import Database
from tests.api.operations import Operation
from tests.api.stock import Stock
from tests.api.tenants import AGENT, Tenant, bearing, key_for
from tests.served import serving

KEYS = 150
CLIENTS = 10


@pytest.fixture
def two_services(database_url: str) -> Iterator[list[str]]:
    """Where two processes listen that serve the same database."""
    with serving(database_url=database_url) as first, serving(database_url=database_url) as second:
        yield [first.url, second.url]


def transfer(tenant: Tenant, amount: str = "1") -> dict[str, Any]:
    return {"source": tenant.main, "target": tenant.side, "amount": amount, "currency": "USD"}


async def test_a_hundred_and_fifty_keys_of_ten_clients_at_two_processes_have_one_effect_each(
    two_services: list[str], tenant: Tenant, database_url: str
) -> None:
    """Every client sends every key; half of them with another amount. The first to come decides what the key means."""
    answers: defaultdict[int, list[tuple[str, httpx2.Response]]] = defaultdict(list)

    async def one(number: int) -> None:
        amount = "1.00" if number % 2 else "2.00"
        dice = random.Random(number)
        async with httpx2.AsyncClient(base_url=two_services[number // 2 % 2], timeout=60) as client:
            for key in dice.sample(range(KEYS), KEYS):
                headers = bearing(tenant.agent, f"key-{key}")
                answers[key].append(
                    (amount, await client.post("/v1/transfers", json=transfer(tenant, amount), headers=headers))
                )

    await asyncio.gather(*(one(number) for number in range(CLIENTS)))
    decided = Counter(winner(sent) for sent in answers.values())
    # Who wins is chance; that one body always did would mean that the other was never first.
    assert decided["1.00"] + decided["2.00"] == len(answers) == KEYS
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT count(*), sum(amount_minor) FROM bursar.posting p JOIN bursar.account a ON a.id = p.target_id"
            " WHERE a.number = %s",
            [tenant.side],
        ).fetchone()
    assert found == (KEYS, decided["1.00"] * 100 + decided["2.00"] * 200)


def winner(sent: list[tuple[str, httpx2.Response]]) -> str:
    """The amount that one key came to mean, having checked everybody's answer to it."""
    done = [(amount, answer) for amount, answer in sent if answer.status_code == 201]
    assert len({amount for amount, _ in done}) == 1
    assert len({answer.content for _, answer in done}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for _, answer in done) == 1
    for amount, answer in sent:
        if answer.status_code != 201:
            problem = (answer.status_code, answer.json()["code"])
            same = amount == done[0][0]
            assert problem == (409, "idempotency_in_flight") or (not same and problem == (422, "idempotency_conflict"))
    return done[0][0]


async def test_every_operation_that_takes_a_key_replays_its_answer_byte_for_byte(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], database_url: str
) -> None:
    taking = [operation for operation in operations if "Idempotency-Key" in operation.named("header")]
    assert len(taking) >= 13
    for operation in (operation for operation in taking if not operation.needs_a_security_key):
        request = await Stock(client, tenant).request(operation)
        headers = bearing(tenant.operator)
        first = await request.send(client, headers)
        assert first.is_success, (operation.id, first.text)
        assert "Idempotent-Replayed" not in first.headers
        before = rows(database_url)
        for _ in range(2):
            again = await request.send(client, headers)
            assert (again.status_code, again.content) == (first.status_code, first.content), operation.id
            assert again.headers["Idempotent-Replayed"] == "true"
            assert again.headers["Content-Type"] == first.headers["Content-Type"]
        assert rows(database_url) == before, operation.id


ABOUT_SOMETHING_NEW = {
    "claim_step",
    "open_account",
    "create_agent",
    "draft_mandate",
    "create_counterparty",
    "create_freeze",
    "draft_risk_rules",
    "open_case",
    "import_bank_statement",
    "import_provider_transactions",
    "fetch_provider_transactions",
    "run_reconciliation",
    "create_customer",
    "create_payment_method",
    "create_loan_product",
    "draft_scorecard",
    "create_job_definition",
    "create_application",
    "quick_apply",
    "create_contact_rules",
    "create_reminder_template",
}


async def test_another_body_under_the_same_key_is_refused_by_every_operation(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], database_url: str
) -> None:
    taking = (o for o in operations if "Idempotency-Key" in o.named("header") and not o.needs_a_security_key)
    # One that takes nothing cannot be asked for anything else.
    for operation in (o for o in taking if o.body or (o.named("path") and o.id not in ("reserve_funds", "mark_paid"))):
        stock = Stock(client, tenant)
        headers = bearing(tenant.operator)
        assert (await (await stock.request(operation)).send(client, headers)).is_success, operation.id
        # Another thing in the path or body: accounts, holds and names are new each time; else a field is changed.
        other = await stock.request(operation)
        if not operation.named("path") and operation.id not in ABOUT_SOMETHING_NEW:
            amount = "amount_cents" if "amount_cents" in other.body else "amount"
            other = other.with_literal(
                ("mode",) if "mode" in other.body else (amount,),
                '"all_or_nothing"' if "mode" in other.body else "6" if amount == "amount_cents" else '"6"',
            )
        before = rows(database_url)
        answer = await other.send(client, headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict"), operation.id
        assert rows(database_url) == before, operation.id


def rows(database_url: str) -> list[Any]:
    """How many rows there are of everything that a request can make."""
    tables = ("event", "entry", "posting", "hold", "answer", "account", "principal", "api_key")
    counts = ", ".join(f"(SELECT count(*) FROM bursar.{table})" for table in tables)
    with psycopg.connect(database_url) as connection:
        return connection.execute(f"SELECT {counts}".encode()).fetchall()


async def test_a_refusal_of_the_books_is_pinned_to_its_key(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    """What could not be afforded then is not done later, though now it could be: a new intent takes a new key."""
    headers = bearing(tenant.agent)
    body = {"source": tenant.side, "target": tenant.main, "amount": "10", "currency": "USD"}
    first = await client.post("/v1/transfers", json=body, headers=headers)
    assert (first.status_code, first.json()["code"]) == (409, "insufficient_funds")
    await client.post("/v1/transfers", json=transfer(tenant, "100"), headers=bearing(tenant.agent))
    again = await client.post("/v1/transfers", json=body, headers=headers)
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"amount": "-1"}, 422),
        ({"amount": "0.001"}, 422),
        ({"currency": "EUR"}, 422),
        ({"target": "{main}"}, 422),
        ({"effective_at": "2090-01-01T00:00:00Z"}, 422),
        ({"source": "world:funding:USD"}, 403),
    ],
)
async def test_what_is_not_valid_or_not_allowed_is_not_pinned(
    client: httpx2.AsyncClient, tenant: Tenant, wrong: dict[str, str], status: int
) -> None:
    """The caller is told to correct the request: the key is still theirs to do so."""
    headers = bearing(tenant.agent if status == 403 else tenant.operator)
    bad = {**transfer(tenant), **{name: value.format(main=tenant.main) for name, value in wrong.items()}}
    assert (await client.post("/v1/transfers", json=bad, headers=headers)).status_code == status
    corrected = await client.post("/v1/transfers", json=transfer(tenant), headers=headers)
    assert corrected.status_code == 201, corrected.text


async def test_an_unknown_caller_pins_nothing(client: httpx2.AsyncClient, database: Database, tenant: Tenant) -> None:
    async with database.transaction(tenant.id) as tx:
        without = await key_for(tx, "agent", "poor", ["accounts:read"])
        full = await key_for(tx, "agent", "poor")
    assert (
        await client.post("/v1/transfers", json=transfer(tenant), headers={"Idempotency-Key": "k"})
    ).status_code == 401
    refused = await client.post("/v1/transfers", json=transfer(tenant), headers=bearing(without, "k"))
    assert refused.status_code == 403
    assert (await client.post("/v1/transfers", json=transfer(tenant), headers=bearing(full, "k"))).status_code == 201


async def test_a_key_belongs_to_one_principal_and_one_operation(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant
) -> None:
    async with database.transaction(tenant.id) as tx:
        second_key = await key_for(tx, "agent", AGENT)
    sent = [
        ("/v1/transfers", transfer(tenant), tenant.agent),
        ("/v1/transfers", transfer(tenant), tenant.operator),
        ("/v1/holds", {"account": tenant.main, "amount": "1", "currency": "USD"}, tenant.agent),
        ("/v1/transfers/batch", {"mode": "each", "transfers": [transfer(tenant)]}, tenant.agent),
    ]
    for path, body, key in sent:
        answer = await client.post(path, json=body, headers=bearing(key, "one"))
        assert answer.is_success, answer.text
        assert "Idempotent-Replayed" not in answer.headers, path
    # The API key may be rotated: it is the principal that counts.
    answer = await client.post("/v1/transfers", json=transfer(tenant), headers=bearing(second_key, "one"))
    assert answer.headers["Idempotent-Replayed"] == "true"


async def test_without_a_key_a_quickstart_request_is_its_own_and_says_so(
    client: httpx2.AsyncClient, tenant: Tenant
) -> None:
    body = {"from_account": tenant.main, "to_account": tenant.side, "amount": 1}
    headers = {"Authorization": f"Bearer {tenant.agent}"}
    answers = [await client.post("/transfers", json=body, headers=headers) for _ in range(2)]
    assert len({answer.json()["request_id"] for answer in answers}) == 2
    assert {answer.headers["Idempotency-Key-Used"] for answer in answers} == {"false"}


async def test_the_way_a_body_is_written_does_not_matter(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    """The order of fields, blanks, escapes and defaults left out or spelled out: it is the same request."""
    headers = {**bearing(tenant.agent), "Content-Type": "application/json"}
    main, side = tenant.main, tenant.side
    defaults = '"metadata": {}, "description": null'
    texts = [
        f'{{"source": "{main}", "target": "{side}", "amount": "1.00", "currency": "USD"}}',
        f'{{"currency":"USD","amount":"1.00","target":"{side}","source":"{main}"}}',
        f'\n {{"source": "{main}", "target": "{side}", "amount": "1.\\u0030\\u0030", "currency": "\\u0055SD"}} \t',
        f'{{"source": "{main}", "target": "{side}", "amount": "1.00", "currency": "USD", {defaults}}}',
    ]
    answers = [await client.post("/v1/transfers", content=text, headers=headers) for text in texts]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
