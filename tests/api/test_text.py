"""Whatever text comes, in any place that takes one: what hides, reorders or breaks text is refused, never stripped."""

import json
import random
from collections.abc import Iterator

import httpx2
import pytest

from bursar.api.gate import read_json, refuse_bad_text
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import InvalidArgument
from tests.api.books import Books
from tests.api.operations import Operation, containers, fields, is_amount
from tests.api.sending import Request
from tests.api.slots import slots
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

# Code points that no text may hold: first and last of each range.
RANGES = [
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0D),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF), (0xFDD0, 0xFDEF), (0xD800, 0xDBFF),
    (0xDC00, 0xDFFF), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE007F), (0xE0100, 0xE01EF),
]  # fmt: skip
BAD = [
    "\x00", "a\x00b", "\x01", "\t", "\n", "a\r\nb", "\x1b[31m", "\x7f", "\x85", "\xad", "\u200b", "a\u200db", "\u2060",
    "\ufeffa", "\u202edcba", "\u2066a\u2069", "a\u2028b", "\u061c", "\ud800", "\udc00\ud800", "a\udfff", "\ufffe",
    "\u3164", "a\U000e0041", "\U000e01ef",
]  # fmt: skip
# Unusual, and nobody's business: it comes back as it was sent.
GOOD = [
    "Zażółć gęślą jaźń", "漢字かな", "العربية", "हिन्दी", "e\u0301", "👍🏽 ❤️", "\ufffd", "''; DROP TABLE entry; --",
    "%00", "\\u0000", "<script>alert(1)</script>", "{{7*7}}", "$1", "NULL", " leading and trailing ", '"', "a" * 200,
]  # fmt: skip
WRONG_TYPES = ["null", "true", "0", "-1", "1.5", "1e999999", "[]", "{}", '["a"]', '{"a": "b"}', "[[[[]]]]"]
# What those are that may be right somewhere.
KINDS = {"null": "null", "true": "boolean", "0": "integer", "-1": "integer"}
BAD_BYTES = ["%FF", "%C0%AE", "%ED%A0%80", "%F4%90%80%80", "a%80", "%E2%82"]


def many_bad_texts() -> Iterator[str]:
    """Each bad code point alone or inside other text, in turn, and some heaps of them."""
    dice = random.Random(7)
    points = [point for first, last in RANGES for point in range(first, last + 1)]
    chosen = [*{first for first, _ in RANGES}, *{last for _, last in RANGES}, *dice.sample(points, 320)]
    for point in chosen:
        yield dice.choice(("{}", "a{}", "{}a", "a{}b")).format(chr(point))
    for _ in range(40):
        yield "".join(chr(dice.choice(points)) for _ in range(dice.randint(2, 30)))


def test_the_gate_refuses_every_bad_code_point_raw_and_escaped() -> None:
    for first, last in RANGES:
        for point in range(first, last + 1):
            text = f"a{chr(point)}"
            with pytest.raises(InvalidArgument):
                refuse_bad_text(text, "text")
            with pytest.raises(InvalidArgument):
                read_json(json.dumps({"field": [text]}).encode())
            with pytest.raises(InvalidArgument):
                read_json(json.dumps({text: 1}).encode())
            with pytest.raises(InvalidArgument):
                read_json(json.dumps({"a": text}, ensure_ascii=False).encode(errors="surrogatepass"))


async def test_bad_text_is_refused(client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]) -> None:
    """In a third of the operations; in every place of all of them in the soak."""
    await refuse_everywhere(client, tenant, operations[1::3], BAD)


@pytest.mark.soak
async def test_bad_text_is_refused_in_every_place(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    await refuse_everywhere(client, tenant, operations, BAD)


@pytest.mark.soak
async def test_four_hundred_bad_texts_are_refused_in_every_place(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    await refuse_everywhere(client, tenant, operations, list(many_bad_texts()))


async def refuse_everywhere(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], texts: list[str]
) -> None:
    headers = bearing(tenant.operator)
    found = await slots(Stock(client, tenant), operations)
    assert {slot.kind for slot in found} == {"path", "query", "body"}
    for slot in found:
        for text in texts:
            answer = await slot.filled(text).send(client, headers)
            assert answer.status_code == 422, (slot.request.path, slot.at, ascii(text), answer.text)
            assert answer.json()["money_moved"] == "no"


async def test_bytes_that_are_no_text_are_refused_in_every_path_and_query(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    headers = bearing(tenant.operator)
    for slot in await slots(Stock(client, tenant), operations):
        if slot.kind != "body":
            for encoded in BAD_BYTES:
                answer = await slot.filled_raw(encoded).send(client, headers)
                assert answer.status_code == 422, (slot.request.path, slot.at, encoded)


async def test_long_text_and_other_types_break_nothing(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    """In a third of the operations; in all of them in the soak."""
    await break_nothing(client, tenant, operations[::3])


@pytest.mark.soak
async def test_long_text_and_other_types_break_nothing_anywhere(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    await break_nothing(client, tenant, operations)


async def break_nothing(client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]) -> None:
    headers = bearing(tenant.operator)
    stock = Stock(client, tenant)
    for slot in await slots(stock, operations):
        answer = await slot.filled("x" * 3_000).send(client, headers)
        assert answer.status_code in (404, 422), (slot.request.path, slot.at, answer.text)
        # The client itself takes no longer address than that.
        answer = await slot.filled("x" * (70_000 if slot.kind == "body" else 60_000)).send(client, headers)
        assert answer.status_code in (404, 413, 422), (slot.request.path, slot.at)
    for operation in operations:
        request = await stock.request(operation)
        for at, schema in fields(operation.body or {}) if operation.body else ():
            for literal in WRONG_TYPES:
                answer = await request.with_literal(at, literal).send(client, bearing(tenant.operator))
                may_pass = is_amount(schema) or is_object(schema)
                if kind := KINDS.get(literal):
                    may_pass = f'"{kind}"' in json.dumps(schema) or (kind != "null" and may_pass)
                assert answer.status_code == 422 or (may_pass and answer.status_code < 500), (operation.id, at, literal)


ASKED_IN_PART = (
    "create_key", "draft_mandate", "change_mandate", "request_mandate_change", "import_bank_statement",
    "create_webhook_endpoint", "change_webhook_endpoint",
    "create_loan_product", "create_application", "change_application", "create_job_definition",
    "draft_scorecard",
)  # fmt: skip


async def test_nothing_but_an_object_passes_for_an_object(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    for operation in (operation for operation in operations if operation.body):
        request = await Stock(client, tenant).request(operation)
        before = books.of(tenant)
        for at in containers(operation.body or {}):
            for literal in ("true", "0", "1", "1.5", "-0.0", "1e2", '""', '"a"', "[]", "[1.5]", "[null]", "[{}]"):
                answer = await request.with_literal(at, literal).send(client, bearing(tenant.operator))
                # A list of scopes may be empty, which asks for a key that may do nothing; so may most of a mandate's,
                # and an endpoint's events, which means all.
                if answer.status_code != 422:
                    assert operation.id in ASKED_IN_PART, answer.text
                    assert literal == "[]", (operation.id, at)
                    before = books.of(tenant)
        assert books.of(tenant) == before, operation.id


def is_object(schema: object) -> bool:
    return '"object"' in json.dumps(schema)


async def test_unusual_text_comes_back_as_it_was_sent(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    stock = Stock(client, tenant)
    for text in GOOD:
        account = await stock.made(
            "/v1/accounts", {"number": f"number-{new_id().hex}", "name": text, "currency": "USD"}
        )
        assert (await client.get(f"/v1/accounts/{account['id']}", headers=bearing(tenant.agent))).json()["name"] == text
        move = {"source": tenant.main, "target": tenant.side, "amount": "1", "currency": "USD"}
        made = await stock.made("/v1/transfers", {**move, "description": text, "metadata": {"memo": text}})
        read = (await client.get(f"/v1/transfers/{made['id']}", headers=bearing(tenant.agent))).json()
        assert (read["description"], read["metadata"]["memo"]) == (text, text)
        events = (await client.get(f"/v1/events?object={made['id']}", headers=bearing(tenant.agent))).json()["items"]
        assert [event["payload"]["description"] for event in events] == [text]


async def test_headers_with_bad_text_are_refused_and_never_echoed(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    request = Request("POST", "/v1/transfers", content="{}")
    for text in [*BAD, "é", "a b", "x" * 300]:
        raw = text.encode("utf-8", "surrogatepass")
        headers = [(b"Content-Type", b"application/json"), (b"Authorization", f"Bearer {tenant.operator}".encode())]
        for name, status in (("Idempotency-Key", 422), ("Authorization", 401), ("Content-Type", 415)):
            others = [(key, value) for key, value in headers if key != name.encode()]
            answer = await client.request(
                request.method, request.path, content=b"{}", headers=[*others, (name.encode(), raw)]
            )
            assert answer.status_code == status, (name, ascii(text), answer.text)
        answer = await client.get("/healthz", headers=[(b"X-Request-Id", raw)])
        assert answer.status_code == 200
        assert answer.headers["X-Request-Id"].startswith("req_")
