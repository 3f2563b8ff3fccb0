"""A time is read as what it says or refused, in every field that takes one, up to the ends of time."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2

from bursar.kernel.ids import new_id
from tests.api.operations import Operation, Place, alternatives, fields
from tests.api.sending import Request
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

PAST = {
    "2020-02-29T23:59:59Z": "2020-02-29T23:59:59Z",
    "2020-01-01T00:00:00.123456Z": "2020-01-01T00:00:00.123456Z",
    "2020-01-01T00:00:00.5+00:00": "2020-01-01T00:00:00.500000Z",
    "2020-01-01T05:45:00+05:45": "2020-01-01T00:00:00Z",
    "2019-12-31T12:00:00-12:00": "2020-01-01T00:00:00Z",
    "1900-01-01T00:00:00Z": "1900-01-01T00:00:00Z",
    "1899-12-31T14:00:00-10:00": "1900-01-01T00:00:00Z",
}
BAD = [
    "", " ", "now", "0", "1700000000", "2020-01-01", "2020-01-01T00:00:00", "2020-01-01 00:00:00Z", "20200101T000000Z",
    "2020-W01-1T00:00:00Z", "2020-001T00:00:00Z", "2020-01-01T00:00Z", "2020-01-01T00Z", "2020-01-01T24:00:00Z",
    "2020-01-01T00:60:00Z", "2020-01-01T00:00:60Z", "2020-13-01T00:00:00Z", "2020-00-01T00:00:00Z",
    "2021-02-29T00:00:00Z",
    "2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00+99:99", "2020-01-01T00:00:00+0100", "2020-01-01T00:00:00 Z",
    "2020-01-01T00:00:00ZZ", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00,5Z",
    "2020-01-01T00:00:00UTC", "+2020-01-01T00:00:00Z", "-2020-01-01T00:00:00Z", "12020-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1899-12-31T23:59:59Z",
    "1900-01-01T00:00:00+14:00", "9000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59",
    "\uff12020-01-01T00:00:00Z", "2020-01-01T00:00:00Z\n", "infinity", "-infinity", "epoch", "today", "NaN",
]  # fmt: skip


def is_time(schema: Any) -> bool:
    return any(branch.get("format") == "date-time" for branch in alternatives(schema))


async def times(stock: Stock, operations: list[Operation]) -> list[tuple[Operation, Request, Place, bool]]:
    """Every field and query that takes a time, with a request around it; and whether it stands in the query."""
    found: list[tuple[Operation, Request, Place, bool]] = []
    for operation in operations:
        request = await stock.request(operation)
        found += [(operation, request, at, False) for at, schema in fields(operation.body or {}) if is_time(schema)]
        in_query = [p for p in operation.parameters if p["in"] == "query" and is_time(p["schema"])]
        found += [(operation, request, (p["name"],), True) for p in in_query]
    return found


def with_time(request: Request, at: Place, text: str, *, in_query: bool) -> Request:
    """The request with this text for a time."""
    if in_query:
        return replace(request, query={**request.query, str(at[0]): text})
    return request.with_literal(at, json.dumps(text))


async def test_what_is_no_time_is_refused_in_every_place(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    found = await times(Stock(client, tenant), operations)
    assert {operation.id for operation, *_ in found} >= {
        "create_transfer", "create_transfers", "create_hold", "get_balance", "get_statement", "list_events",
    }  # fmt: skip
    for operation, request, at, in_query in found:
        for text in BAD:
            answer = await with_time(request, at, text, in_query=in_query).send(client, bearing(tenant.operator))
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), (operation.id, at, text)


async def test_a_time_is_read_as_the_moment_that_it_says(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    stock = Stock(client, tenant)
    for text, moment in PAST.items():
        move = {"source": tenant.main, "target": tenant.side, "amount": "1", "currency": "USD", "effective_at": text}
        made = await stock.made("/v1/transfers", move)
        assert made["effective_at"] == moment
        request = Request("GET", f"/v1/accounts/{tenant.side}/balance", {"at": text})
        read = await request.send(client, bearing(tenant.agent))
        assert read.json()["at"] == moment
    # All of them, from the first that can be to now, page by page.
    request = Request("GET", f"/v1/accounts/{tenant.side}/statement", {"limit": "1"})
    lines: list[str] = []
    cursor: str | None = None
    while cursor is not None or not lines:
        page = replace(request, query={**request.query, **({"cursor": cursor} if cursor else {})})
        answer = await page.send(client, bearing(tenant.agent))
        assert answer.status_code == 200, answer.text
        lines += [line["effective_at"] for line in answer.json()["lines"]]
        cursor = answer.json()["next_cursor"]
    assert lines == sorted(PAST.values(), key=datetime.fromisoformat)


async def test_a_hold_may_last_for_ages_but_not_have_ended(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    hold = {"account": tenant.main, "amount": "1", "currency": "USD"}
    for end, status in (("8999-12-31T23:59:59.999999Z", 201), ("2020-01-01T00:00:00Z", 422)):
        request = Request("POST", "/v1/holds", body={**hold, "expires_at": end})
        answer = await request.send(client, bearing(tenant.agent, new_id().hex))
        assert answer.status_code == status, answer.text
