"""Whoever may not act changes nothing, on every operation; and what they are told does not depend on what is there."""

import re
from uuid import UUID

import httpx2
import psycopg
import pytest

from bursar.core.authority.actions import ACTIONS
from bursar.core.identity.keys import make_key
from bursar.core.identity.model import SCOPES, read_key_id
from bursar.kernel.db import Database
from tests.api.books import Books, without_events
from tests.api.operations import Operation
from tests.api.sending import Request
from tests.api.stock import Stock
from tests.api.tenants import AGENT, Tenant, bearing, key_for

# The quickstart asks for the same as these.
QUICKSTART = {
    "agent_transfer": "create_transfer", "retail_transfer": "create_transfer", "agent_events": "list_events",
    "account_balance": "get_balance", "quick_payment": "create_payment", "quick_payment_status": "get_payment",
    "create_agent_payment": "create_payment", "reserve_funds": "create_hold", "mark_paid": "claim_step",
    "quick_apply": "create_application", "quick_decision": "decide_application",
}  # fmt: skip


async def revoked(client: httpx2.AsyncClient, tenant: Tenant) -> str:
    """A key that was good until now."""
    stock = Stock(client, tenant)
    agent = await stock.agent()
    made = await stock.made("/v1/keys", {"agent": agent})
    assert (await client.get("/v1/accounts", headers=bearing(made["key"]))).status_code == 200
    await stock.made(f"/v1/keys/{made['id']}/revoke", None)
    return made["key"]


async def every_request(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> list[tuple[Operation, Request]]:
    """A request for each operation, good but for who sends it."""
    asked = [operation for operation in operations if not operation.is_service]
    return [(operation, await Stock(client, tenant).request(operation)) for operation in asked]


async def test_without_a_good_key_every_operation_answers_the_same_and_does_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation], books: Books
) -> None:
    key = tenant.operator
    bad = {
        "none": None,
        "revoked": f"Bearer {await revoked(client, tenant)}",
        "of nobody": f"Bearer {make_key(tenant.id, live=False).text}",
        "of no tenant": f"Bearer {make_key(UUID(int=2**128 - 1), live=True).text}",
        "with another checksum": f"Bearer {key[:-1]}{'0' if key[-1] != '0' else '1'}",
        "cut": f"Bearer {key[:-10]}",
        "twice": f"Bearer {key} {key}",
        "with another scheme": f"Basic {key}",
        "without a scheme": key,
        "empty": "Bearer ",
        "long": f"Bearer {key}{'A' * 10_000}",
    }
    requests = await every_request(client, tenant, operations)
    before = books.of(tenant), books.of(other)
    for name, authorization in bad.items():
        headers = {"Authorization": authorization} if authorization is not None else {}
        for operation, request in requests:
            answer = await request.send(client, {**headers, "Idempotency-Key": "k", "X-Request-Id": "r"})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (operation.id, name)
    assert (books.of(tenant), books.of(other)) == before


async def test_a_key_that_names_another_key_is_nobodys(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    """The id of a good key with a secret of another, checksum and all."""
    other_secret = make_key(tenant.id, live=False).text
    text = tenant.operator.split("_")[:3] + other_secret.split("_")[3:]
    answer = await client.get("/v1/accounts", headers=bearing("_".join(text)))
    assert answer.status_code == 401


async def test_a_key_without_the_scope_is_refused_and_that_is_recorded(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    """By every other operation; by all of them in the soak."""
    await refuse_without_scope(client, database, tenant, operations[::2], books)


@pytest.mark.soak
async def test_a_key_without_the_scope_is_refused_by_every_operation_and_that_is_recorded(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    await refuse_without_scope(client, database, tenant, operations, books)


async def refuse_without_scope(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    requests = await every_request(client, tenant, operations)
    for operation, request in requests:
        scope = ACTIONS[QUICKSTART.get(operation.id, operation.id)].scope
        async with database.transaction(tenant.id) as tx:
            key = await key_for(tx, "service", f"no-{operation.id}", [s for s in SCOPES if s != scope])
        before = books.of(tenant)
        answer = await request.send(client, bearing(key))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), operation.id
        after = books.of(tenant)
        assert without_events(after) == without_events(before), operation.id
        # Reads are not recorded.
        assert after["event"][0] - before["event"][0] == (1 if operation.changes else 0), operation.id


READS = ("events:read",)
BESIDES = {
    # They go on with a job.
    "create_agent_payment": ("payments:capture", "jobs:work"), "mark_paid": ("holds:capture",),
    "create_key": ("accounts:read",), "create_webhook_endpoint": READS, "change_webhook_endpoint": READS,
    "enable_webhook_endpoint": READS,
}  # fmt: skip


async def test_a_key_with_the_scope_alone_may_do_just_that(
    client: httpx2.AsyncClient, database: Database, tenant: Tenant, operations: list[Operation]
) -> None:
    able = [o for o in operations if not o.needs_a_security_key and not o.needs_a_lease]
    for operation, request in await every_request(client, tenant, able):
        scope = ACTIONS[QUICKSTART.get(operation.id, operation.id)].scope
        # A key can hand out no scope that it has not itself, and sends nobody what it may not read.
        scopes = [scope, *BESIDES.get(operation.id, ())]
        async with database.transaction(tenant.id) as tx:
            key = await key_for(tx, "operator", f"only-{operation.id}", scopes)
        answer = await request.send(client, bearing(key))
        assert answer.is_success, (operation.id, answer.text)
        if operation.id == "create_transfers":
            assert answer.json()["posted"] == 1


async def test_a_suspended_agent_is_refused_by_every_operation(
    client: httpx2.AsyncClient, database_url: str, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    requests = await every_request(client, tenant, operations)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE bursar.principal SET status = 'suspended' WHERE tenant_id = %s AND name = %s", [tenant.id, AGENT]
        )
    before = books.of(tenant)
    for operation, request in requests:
        answer = await request.send(client, bearing(tenant.agent))
        assert (answer.status_code, answer.json()["code"]) == (403, "agent_suspended"), operation.id
    assert without_events(books.of(tenant)) == without_events(before)


async def test_an_agents_key_never_does_what_is_for_humans(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    humans = {
        "freeze_account",
        "unfreeze_account",
        "close_account",
        "create_agent",
        "create_key",
        "list_keys",
        "revoke_key",
    }
    seen: set[str] = set()
    for operation, request in await every_request(client, tenant, operations):
        if operation.id in humans:
            before = books.of(tenant)
            answer = await request.send(client, bearing(tenant.agent))
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), operation.id
            assert without_events(books.of(tenant)) == without_events(before)
            seen.add(operation.id)
    assert seen == humans


async def test_an_agents_key_moves_nothing_through_a_world_account(
    client: httpx2.AsyncClient, tenant: Tenant, books: Books
) -> None:
    world = "world:funding:USD"
    bodies = {
        "/v1/transfers": {"source": world, "target": tenant.side, "amount": "1", "currency": "USD"},
        "/v1/holds": {"account": world, "amount": "1", "currency": "USD"},
        "/transfers": {"from_account": tenant.main, "to_account": world, "amount": 1},
        "/agent/transfer": {"agent_id": AGENT, "source_account": world, "target_account": tenant.side, "amount": "1"},
    }
    for path, body in bodies.items():
        answer = await client.post(path, json=body, headers=bearing(tenant.agent))
        assert (answer.status_code, answer.json()["code"]) == (403, "counterparty_not_allowed"), path
    assert books.of(tenant)["entry"][0] == 3


async def test_an_agent_acts_in_no_other_agents_name(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    other_agent = await Stock(client, tenant).agent()
    body = {"agent_id": other_agent, "source_account": tenant.main, "target_account": tenant.side, "amount": "1"}
    answer = await client.post("/agent/transfer", json=body, headers=bearing(tenant.agent))
    assert (answer.status_code, answer.json()["code"]) == (403, "mandate_missing")


@pytest.mark.parametrize(
    "text", ["", "key_", "key_" + "0" * 15, "key_" + "8" + "0" * 15, "key_" + "f" * 16, "KEY_" + "0" * 16]
)
def test_what_is_no_id_of_a_key_names_none(text: str) -> None:
    assert read_key_id(text) is None


async def test_a_key_id_out_of_range_is_unknown(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    answer = await client.post(f"/v1/keys/key_{'f' * 16}/revoke", headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert re.fullmatch("There is no such key.", answer.json()["detail"])
