"""The gate lets in small, plain, unambiguous JSON and nothing else, whatever it costs the sender."""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Message

from bursar.api.gate import read_json
from bursar.api.intake import BATCH_PATH, MOST_BYTES, MOST_BYTES_OF_A_BATCH
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument
from tests.api.operations import Operation
from tests.api.serving import BASE
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

JSON = {"Content-Type": "application/json"}
NOT_JSON_TYPES = [
    "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/jsonp", "application/json-seq", "application", "application/octet-stream", "*/*",
    "json",
]  # fmt: skip
BAD_BODIES = {
    "an empty text": b'""',
    "a list": b"[]",
    "a number": b"1",
    "true": b"true",
    "null": b"null",
    "only blanks": b"   ",
    "an open brace": b"{",
    "a closing brace": b"}",
    "an open string": b'{"source": "',
    "trailing garbage": b"{} x",
    "two documents": b"{}{}",
    "a trailing comma": b'{"source": "a",}',
    "a comment": b'{/* */"source": "a"}',
    "single quotes": b"{'source': 'a'}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"source": "a"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"source": "a"}'.encode("utf-16-be"),
    "UTF-32": '{"source": "a"}'.encode("utf-32"),
    "Latin-1": '{"source": "é"}'.encode("latin-1"),
    "an overlong NUL": b'{"source": "\xc0\x80"}',
    "an encoded surrogate": b'{"source": "\xed\xa0\x80"}',
    "a cut character": b'{"source": "\xe2\x82"}',
    "a raw NUL": b'{"source": "a\x00"}',
    "an escaped surrogate": rb'{"source": "\ud800"}',
    "a bad escape": rb'{"source": "\x41"}',
    "a field twice": b'{"source": "a", "source": "b"}',
    "a field twice, once escaped": rb'{"source": "a", "s\u006furce": "b"}',
    "a field twice, further down": b'{"metadata": {"a": "b", "a": "c"}}',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": -Infinity}',
    "a huge number": b'{"amount": 1' + b"0" * 5_000 + b"}",
    "a huge exponent": b'{"amount": 1e99999999999999999999}',
    "seventeen levels": b"[" * 17 + b"]" * 17,
    "seventeen levels of both kinds": b'{"a":[' * 8 + b"[0]" + b"]}" * 8,
    "many levels": b"[" * 30_000 + b"]" * 30_000,
    "many open levels": b'{"a":' * 10_000,
    "many fields": json.dumps({f"f{i}": i for i in range(4_000)}).encode(),
    "gzip": b"\x1f\x8b\x08\x00",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_bad_body_is_refused(client: httpx2.AsyncClient, tenant: Tenant, body: bytes) -> None:
    for path in ("/v1/transfers", "/v1/accounts", "/v1/transfers/batch", "/transfers"):
        answer = await client.post(path, content=body, headers={**JSON, **bearing(tenant.operator)})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), (path, answer.text)
        assert answer.json()["money_moved"] == "no"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_sixteen_levels_are_read_and_seventeen_are_not(opening: bytes, closing: bytes) -> None:
    def levels(number: int) -> bytes:
        return b'{"a":' + opening * (number - 1) + b"0" + closing * (number - 1) + b"}"

    read_json(levels(16))
    # Brackets inside of strings are no levels, and how many there are does not matter.
    read_json(b'{"a": ["[[[[[[[[[[[[[[[[[[[[", "\\"[[[[[[[[[[[[[[[[[[[[[[[[[[", ' + b"[]," * 100 + b"{}]}")
    with pytest.raises(InvalidArgument):
        read_json(levels(17))


def hostile_bodies() -> dict[str, bytes]:
    """As large as a batch may be, and made to have each of their parts looked at many times."""
    size = MOST_BYTES_OF_A_BATCH - 100
    head = b"[" + b"[]," * 20
    return {
        "escaped quotes without an end": head + b'"' + b'\\"' * (size // 2),
        "escaped quotes and a lone backslash": head + b'"' + b'\\"' * (size // 2) + b"\\",
        "backslashes": head + b'"' + b"\\" * size,
        "quotes": head + b'"' * size,
        "brackets in turn": b"[]" * (size // 2),
        "empty objects": b"[" + b"{}," * (size // 3) + b"{}]",
        "digits": b"[" + b"1" * size,
        "an exponent": b"[1e" + b"9" * size,
        "blanks": b" " * size,
        "escapes": b'["' + b"\\u0061" * (size // 6) + b'"]',
    }


@pytest.mark.parametrize("body", hostile_bodies().values(), ids=hostile_bodies().keys())
@pytest.mark.timeout(20)
async def test_a_hostile_body_costs_no_more_than_its_length(client: httpx2.AsyncClient, body: bytes) -> None:
    assert len(body) <= MOST_BYTES_OF_A_BATCH
    answer = await client.post(BATCH_PATH, content=body, headers=JSON)
    assert answer.status_code == 422


@pytest.mark.parametrize("kind", NOT_JSON_TYPES)
async def test_a_body_that_is_not_called_json_is_refused(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], kind: str
) -> None:
    for operation in operations:
        if operation.changes:
            path = operation.path.replace("{", "").replace("}", "")
            headers = {"Content-Type": kind, **bearing(tenant.operator)}
            answer = await client.request(operation.method, path, content=b"{}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (415, "not_json"), (operation.id, answer.text)


async def test_json_may_name_its_charset(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    body = {"source": tenant.main, "target": tenant.side, "amount": "1", "currency": "USD"}
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;"):
        headers = {"Content-Type": kind, **bearing(tenant.agent)}
        assert (await client.post("/v1/transfers", content=json.dumps(body), headers=headers)).status_code == 201


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/accounts", "/transfers", BATCH_PATH])
async def test_a_body_is_cut_off_at_its_limit_declared_or_not(
    client: httpx2.AsyncClient, tenant: Tenant, path: str
) -> None:
    limit = MOST_BYTES_OF_A_BATCH if path == BATCH_PATH else MOST_BYTES
    headers = {**JSON, **bearing(tenant.operator)}
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b" " * 10_000

    for content in (b" " * (limit + 1), endless()):
        answer = await client.post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert limit < sent <= limit + 20_000
    # At the limit it is read, and found to be no JSON.
    assert (await client.post(path, content=b" " * limit, headers=headers)).status_code == 422


@pytest.mark.parametrize("declared", ["9" * 30, "9" * 5_000, str(MOST_BYTES + 1), "-1", "²", "1_0", "x", ""])
async def test_a_content_length_is_never_believed_to_be_small(app: ASGIApp, declared: str) -> None:
    headers = [(b"content-length", declared.encode("latin-1")), (b"content-type", b"application/json")]
    answers = await raw(app, "/v1/transfers", headers, [request(b" " * (MOST_BYTES + 1))])
    assert answers[0]["status"] == 413


async def test_half_a_request_asks_for_nothing(
    app: ASGIApp, client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], verify_database: Database
) -> None:
    """A caller who leaves while the body is on its way has not asked for what an empty body means."""
    stock = Stock(client, tenant)
    for operation in operations:
        if not (operation.changes and operation.body):
            continue
        path = (await stock.request(operation)).path
        headers = [(name.lower().encode(), value.encode()) for name, value in bearing(tenant.operator).items()]
        headers += [(b"content-type", b"application/json"), (b"content-length", b"20")]
        before = await counts(verify_database)
        for parts in ([], [request(b'{"amount": ', more=True)]):
            assert await raw(app, path, headers, [*parts, {"type": "http.disconnect"}]) == []
        assert await counts(verify_database) == before, operation.id


async def counts(database: Database) -> Sequence[tuple[str, int]]:
    """How many rows there are of what requests make."""
    async with database.transaction(read_only=True) as tx:
        return await tx.pairs(
            """SELECT 'event', count(*) FROM event UNION SELECT 'entry', count(*) FROM entry
               UNION SELECT 'answer', count(*) FROM answer UNION SELECT 'hold', count(*) FROM hold
               UNION SELECT 'key', count(*) FROM api_key ORDER BY 1"""
        )


def request(body: bytes, *, more: bool = False) -> Message:
    """A part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


async def raw(app: ASGIApp, path: str, headers: list[tuple[bytes, bytes]], parts: list[Message]) -> list[Message]:
    """Hand the application a request part by part, and return what it sends."""
    sent: list[Message] = []
    waiting = iter(parts)

    async def receive() -> Message:
        return next(waiting)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", BASE.removeprefix("http://").encode()), *headers],
    }  # fmt: skip
    await app(scope, receive, send)
    return sent
