"""Every "no" says why, whether money moved and what to do next, and never repeats what the caller sent."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import psycopg
import pytest

import bursar
from bursar.api.intake import BATCH_PATH
from bursar.api.problems import STATUS, status_of
from bursar.core.ledger.outcomes import Undone
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    TooMany,
    Unauthorized,
    Unavailable,
    title_of,
)
from bursar.wire.problems import Problem
from tests.api.operations import Operation
from tests.api.sending import Request
from tests.api.slots import Slot, slots
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

# What an agent can be told, and what only the way to Bursar itself can say.
CODES = {
    "account_frozen", "agent_suspended", "approval_expired", "approval_rejected", "not_an_approver", "step_up_failed",
    "counterparty_not_allowed", "currency_not_allowed", "idempotency_conflict", "answer_forgotten",
    "idempotency_in_flight", "insufficient_funds", "invalid_argument", "limit_exceeded", "mandate_expired",
    "mandate_missing", "mandate_revoked", "not_found", "outcome_unknown", "outside_time_window", "possible_duplicate",
    "rate_limited", "scope_missing", "state_conflict", "unauthenticated", "unknown_account", "unknown_counterparty",
    "upstream_unavailable", "velocity_exceeded",
    "lease_lost", "duties_separated",
    "consent_required", "policy_refused", "contact_not_allowed",
    "webhook_malformed", "webhook_unsigned",
    "busy", "body_too_large", "foreign_host", "internal_error", "method_not_allowed", "not_json",
}  # fmt: skip
CANARY = "Canary7f3a9c"


def refusals() -> list[type[Refusal]]:
    """Every refusal that any module defines, but for the kinds themselves."""
    for module in pkgutil.walk_packages(bursar.__path__, "bursar."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = {Invalid, Unauthorized, Forbidden, NotFound, Conflict, TooMany, Unavailable}
    # Statements are imported at the command line only.
    return [
        kind
        for kind in _subclasses(Refusal)
        if kind not in kinds and not kind.__module__.startswith("bursar.features.reconciliation.model")
    ]


def _subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def test_every_refusal_has_a_code_a_title_a_next_step_and_a_status() -> None:
    found = refusals()
    assert len(found) >= 20
    for kind in found:
        # A refused batch has the code of the order that decided it.
        assert kind is Undone or kind.__new__(kind).code in CODES, kind
        assert re.fullmatch(r"[A-Z].+\.", title_of(kind)), kind
        assert re.search(r"\w+.*\w", kind.next), kind
        assert status_of(kind.__new__(kind)) in STATUS.values(), kind
        assert kind.money_moved in ("no", "unknown"), kind


async def test_every_operation_documents_every_status_that_any_request_to_it_can_meet(
    operations: list[Operation],
) -> None:
    for operation in operations:
        always = {413, 421, 422} | ({415} if operation.changes else set[int]())
        asked = set[int]() if operation.is_service else {401, 403, 503}
        assert operation.documented >= always | asked, operation.id


@pytest.fixture
async def places(client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]) -> list[Slot]:
    """Every place that takes text."""
    return await slots(Stock(client, tenant), operations)


def check(answer: httpx2.Response, what: object) -> None:
    """What is true of every refusal."""
    assert answer.headers["Content-Type"] == "application/problem+json", what
    problem = Problem.model_validate(answer.json())
    assert problem.status == answer.status_code, what
    assert problem.code in CODES, what
    assert problem.type == f"urn:bursar:problem:{problem.code}", what
    assert problem.money_moved == "no", what
    assert problem.request_id == answer.headers["X-Request-Id"], what
    assert CANARY.lower() not in answer.text.lower(), (what, answer.text)
    assert CANARY.lower() not in str(answer.headers).lower(), what


async def test_no_refusal_repeats_what_was_sent_in_any_place(
    client: httpx2.AsyncClient, tenant: Tenant, places: list[Slot]
) -> None:
    refused = 0
    # What names something new is the service's own from then on.
    for slot in (slot for slot in places if slot.at not in (("number",), ("name",))):
        for text in (CANARY, f"{CANARY} <b>", f"acct_{CANARY}", CANARY * 50, f"{CANARY}\u202e"):
            answer = await slot.filled(text).send(client, bearing(tenant.operator))
            if not answer.is_success:
                check(answer, (slot.request.path, slot.at, text))
                refused += 1
    assert refused > 200


async def test_no_refusal_repeats_the_names_of_unknown_fields_or_metadata(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    stock = Stock(client, tenant)
    for operation in operations:
        if not operation.body:
            continue
        request = await stock.request(operation)
        bodies = [
            json.dumps({**request.body, CANARY: 1}),
            json.dumps({**request.body, "unknown": CANARY}),
            json.dumps(request.body).replace('"case"', f'"{CANARY} {CANARY}"'),
            json.dumps(request.body).replace('"7"', f'["{CANARY}"]'),
            json.dumps(request.body).replace('"case": "7"', f'"{CANARY}": 7'),
            json.dumps(request.body).replace('"5"', f'"{CANARY}"'),
            json.dumps(request.body)[:-1] + f', "{CANARY}',
            f'{{"{CANARY}": 1, "{CANARY}": 2}}',
            f'["{CANARY}"]',
            f'"{CANARY}"',
        ]
        for body in bodies:
            answer = await replace(request, content=body).send(client, bearing(tenant.operator))
            if not answer.is_success:
                check(answer, (operation.id, body))


async def test_no_refusal_repeats_a_header_a_key_or_a_path(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    transfer = Request("POST", "/v1/transfers", body={})
    sent: list[httpx2.Response] = [
        await transfer.send(client, {"Authorization": f"Bearer {CANARY}"}),
        await transfer.send(client, {"Authorization": f"Basic {CANARY}"}),
        await transfer.send(client, {"Authorization": CANARY}),
        await transfer.send(client, bearing(tenant.operator[:-5] + "AAAAA")),
        await transfer.send(client, bearing(tenant.operator, f"{CANARY} {CANARY}")),
        await transfer.send(client, bearing(tenant.operator, CANARY)),
        await client.get(f"/{CANARY}"),
        await client.get(f"/v1/{CANARY}?{CANARY}={CANARY}"),
        await client.request("DELETE", "/v1/transfers", headers={"X-Canary": CANARY}),
        await client.request("PATCH", f"/v1/transfers/{CANARY}"),
        await client.get("/v1/accounts/", headers=bearing(tenant.operator)),
        await client.get("//v1/accounts", headers=bearing(tenant.operator)),
    ]
    for answer in sent:
        assert 400 <= answer.status_code < 500, answer.request.url
        check(answer, answer.request.url)
        assert tenant.operator not in answer.text


async def test_a_method_that_is_not_taken_is_told_with_those_that_are(
    client: httpx2.AsyncClient, operations: list[Operation]
) -> None:
    for path in {operation.path.replace("{", "").replace("}", "") for operation in operations}:
        methods = {o.method for o in operations if o.path.replace("{", "").replace("}", "") == path}
        # These paths read as that of a transfer, job or payment, too.
        both = (BATCH_PATH, "/v1/transfers/check", "/v1/jobs/claim", "/payments/create")
        others = methods | ({"GET"} if path in both else set[str]())
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"} - others:
            answer = await client.request(method, path)
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["Allow"].replace(" ", "").split(",")) == methods, (method, path)


async def test_a_refused_key_says_how_to_authenticate(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/accounts")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_bug_of_ours_is_told_without_its_details(
    client: httpx2.AsyncClient, tenant: Tenant, database_url: str, method: str
) -> None:
    """The table is gone for a moment: a bug as good as any."""
    read, move = Request("GET", f"/v1/holds/hold_{new_id().hex}"), Request("POST", "/v1/transfers", body=None)
    body = {"source": tenant.main, "target": tenant.side, "amount": "1", "currency": "USD"}
    request = read if method == "GET" else replace(move, body=body)
    table = "hold" if method == "GET" else "answer"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE bursar.{table} RENAME TO {table}_gone".encode())
        answer = await request.send(client, bearing(tenant.agent))
        connection.execute(f"ALTER TABLE bursar.{table}_gone RENAME TO {table}".encode())
    problem = Problem.model_validate(answer.json())
    assert (answer.status_code, problem.code, problem.money_moved) == (500, "internal_error", "unknown")
    assert problem.retry == "same_key"
    assert table not in answer.text
    assert problem.request_id == answer.headers["X-Request-Id"]
