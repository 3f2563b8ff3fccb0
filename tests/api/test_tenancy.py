"""Tenants are walls: what belongs to another answers exactly as what is not there, and nothing of theirs changes."""

import re
from dataclasses import dataclass

import httpx2
import pytest

from bursar.kernel.ids import new_id
from tests.api.books import Books
from tests.api.operations import Operation
from tests.api.sending import Request
from tests.api.slots import Slot, slots
from tests.api.stock import Stock
from tests.api.tenants import AGENT, Tenant, bearing


@dataclass(frozen=True, slots=True)
class Twins:
    """Something of another tenant's, and its like that nobody has."""

    foreign: str
    unknown: str


async def twins(client: httpx2.AsyncClient, other: Tenant) -> dict[str, Twins]:
    """One pair for everything that has an id or a name."""
    stock = Stock(client, other)
    account = await stock.made("/v1/accounts", {"number": "their-account", "name": "Theirs", "currency": "USD"})
    agent = await stock.made("/v1/agents", {"name": "their-agent"})
    key = await stock.made("/v1/keys", {"agent": "their-agent"})
    transfer, hold = await stock.transfer(), await stock.hold()
    (event, *_) = (await client.get("/v1/events", headers=bearing(other.operator))).json()["items"]
    ids = [account["id"], agent["id"], transfer, hold, event["id"]]
    return {
        "account number": Twins("their-account", "nones-account"),
        "agent name": Twins("their-agent", "nones-agent"),
        "key id": Twins(key["id"], f"key_{new_id().hex[-16:]}"),
        **{name: Twins(name, f"{name.partition('_')[0]}_{new_id().hex}") for name in ids},
    }


def told(answer: httpx2.Response, value: str) -> tuple[int, str]:
    """An answer without what is its own: the id of the request, and the value that was asked about."""
    text = re.sub(r'"request_id":"[^"]*"', "", answer.text).replace(value, "@value@")
    # What a success tells of what it made is new each time.
    return answer.status_code, "" if answer.is_success and answer.request.method == "POST" else text


# What may be any text.
FREE = (
    ("name",),
    ("code",),
    ("number",),
    ("reason",),
    ("team",),
    ("note",),
    ("subject_id",),
    ("description",),
    ("source",),
    # It is compared with what the guard finds, and names nothing by itself.
    ("acknowledge_duplicate",),
)


async def test_what_is_another_tenants_answers_as_what_is_not_there(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation], books: Books
) -> None:
    """In a third of the operations; in every place of all of them in the soak."""
    assert await compare(client, tenant, other, operations[::3], books) >= 30


@pytest.mark.soak
async def test_what_is_another_tenants_answers_as_what_is_not_there_in_every_place(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation], books: Books
) -> None:
    assert await compare(client, tenant, other, operations, books) >= 100


async def compare(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation], books: Books
) -> int:
    """How many places there were in which something could have been found."""
    pairs = await twins(client, other)
    theirs = books.of(other)
    compared = 0
    # Names of new things are free whoever else has them; a test of their own is below.
    for slot in (s for s in await slots(Stock(client, tenant), operations) if s.at not in FREE):
        for kind, pair in pairs.items():
            answers = [await ask(client, tenant, slot, value) for value in (pair.foreign, pair.unknown)]
            # Text that is free changes the thing, so that the same version cannot be changed again.
            stale = [status for status, _ in answers] == [200, 409] and "version" in (slot.request.body or ())
            assert answers[0] == answers[1] or stale, (slot.request.path, slot.at, kind)
            compared += answers[0][0] == 404
    assert books.of(other) == theirs
    return compared


async def ask(client: httpx2.AsyncClient, tenant: Tenant, slot: Slot, value: str) -> tuple[int, str]:
    return told(await slot.filled(value).send(client, bearing(tenant.operator)), value)


async def test_a_foreign_id_is_answered_byte_for_byte_as_an_unknown_one(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation], books: Books
) -> None:
    """Every operation on a thing that its own tenant could act on; only the id of the request may differ."""
    for operation in operations:
        for name in operation.named("path"):
            real = await Stock(client, other).request(operation)
            foreign = re.fullmatch(re.sub(r"\{\w+\}", "(.+)", operation.path), real.path)
            assert foreign
            prefix, _, digits = foreign[1].rpartition("_")
            unknown = (
                f"{prefix}_{new_id().hex[-len(digits) :]}"
                if prefix and name != "agent_id"
                else f"nobody-{new_id().hex}"
            )
            theirs = books.of(other)
            answers: list[httpx2.Response] = []
            for value in (foreign[1], unknown):
                request = Request(real.method, operation.path.replace(f"{{{name}}}", value), real.query, real.body)
                answers.append(await request.send(client, {**bearing(tenant.operator), "X-Request-Id": "the-same"}))
            first, second = answers
            if operation.id == "reserve_funds":
                # Theirs goes by the name of one of ours, whose wallet is empty.
                assert [answer.status_code for answer in answers] == [400, 404]
                continue
            if operation.id == "agent_events":
                assert [answer.json()["events"] for answer in answers][1] == []
                continue
            assert first.status_code == 404, (operation.id, first.text)
            assert (first.content, first.headers) == (second.content, second.headers), operation.id
            assert books.of(other) == theirs, operation.id


async def test_lists_show_nothing_of_another_tenant(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant, operations: list[Operation]
) -> None:
    await twins(client, other)
    for operation in operations:
        if operation.method == "GET" and not operation.is_service:
            request = await Stock(client, tenant).request(operation)
            answer = await request.send(client, bearing(tenant.operator))
            assert answer.is_success, (operation.id, answer.text)
            assert "their" not in answer.text, operation.id
            assert other.id.hex not in answer.text


async def test_no_number_or_name_passes_for_an_id(
    client: httpx2.AsyncClient, sandboxed: httpx2.AsyncClient, tenant: Tenant
) -> None:
    """It would name something else, or nothing that could be found again."""
    for path, body in (
        ("/v1/accounts", {"number": f"acct_{new_id().hex}", "name": "A", "currency": "USD"}),
        ("/v1/agents", {"name": f"prn_{new_id().hex}"}),
    ):
        answer = await client.post(path, json=body, headers=bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    move = {"agent_id": f"prn_{new_id().hex}", "source_account": "ACC10001", "target_account": "ACC20002", "amount": 1}
    assert (await sandboxed.post("/agent/transfer", json=move)).status_code == 401


async def test_an_idempotency_key_of_another_tenant_is_free(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant
) -> None:
    for whose in (tenant, other):
        body = {"source": whose.main, "target": whose.side, "amount": "1", "currency": "USD"}
        answer = await client.post("/v1/transfers", json=body, headers=bearing(whose.agent, "the-same-key"))
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers


async def test_names_and_numbers_of_another_tenant_are_free(
    client: httpx2.AsyncClient, tenant: Tenant, other: Tenant
) -> None:
    stock = Stock(client, tenant)
    assert (await stock.made("/v1/accounts", {"number": other.main, "name": "Ours", "currency": "USD"}))[
        "posted"
    ] == "0.00"
    ours = (await client.get(f"/v1/agents/{AGENT}", headers=bearing(tenant.operator))).json()
    theirs = (await client.get(f"/v1/agents/{AGENT}", headers=bearing(other.operator))).json()
    assert ours["id"] != theirs["id"]
