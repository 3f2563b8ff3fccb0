"""The gate lets in small, plain, unambiguous JSON and nothing else, whatever it costs the sender."""

import gzip
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Message

from bursar.api.gate import read_json
from bursar.api.intake import BATCH_PATH, MOST_BYTES, MOST_BYTES_OF_A_BATCH
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument
from tests.api.books import Books
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


def with_field(text: str, name: str, value: str) -> bytes:
    """A body with one more field, given as JSON."""
    return f"{text[:-1]}, {name}: {value}}}".encode()


def first_field(text: str) -> tuple[str, str]:
    """The first field of a body, as JSON."""
    (name, value), *_ = json.loads(text).items()
    return json.dumps(name), json.dumps(value)


def escaped_name(text: str) -> bytes:
    """A body with its first field again, whose name is written in another way."""
    name, value = first_field(text)
    return with_field(text, f'"\\u{ord(name[1]):04x}{name[2:]}', value)


def in_a_text(text: str, raw: bytes) -> bytes:
    """A body with these bytes at the beginning of every text in it."""
    return text.encode().replace(b'": "', b'": "' + raw)


# What can be wrong with a body all of whose fields are right.
SPOILED: dict[str, Callable[[str], bytes]] = {
    "in a list": lambda text: f"[{text}]".encode(),
    "as a text": lambda text: json.dumps(text).encode(),
    "twice": lambda text: (text + text).encode(),
    "with garbage behind": lambda text: f"{text} x".encode(),
    "with a NUL behind": lambda text: f"{text}\0".encode(),
    "with a trailing comma": lambda text: f"{text[:-1]},}}".encode(),
    "with a comment": lambda text: f"{text[:-1]}/* */}}".encode(),
    "with single quotes": lambda text: text.replace('"', "'").encode(),
    "cut at its end": lambda text: text[:-1].encode(),
    "cut within a text": lambda text: text[: text.rindex('"')].encode(),
    "with a byte order mark": lambda text: text.encode("utf-8-sig"),
    "in UTF-16": lambda text: text.encode("utf-16"),
    "in UTF-16 without a mark": lambda text: text.encode("utf-16-be"),
    "in UTF-32": lambda text: text.encode("utf-32"),
    "compressed": lambda text: gzip.compress(text.encode()),
    "with a field twice": lambda text: with_field(text, *first_field(text)),
    "with a field twice, once escaped": escaped_name,
    "with a field of nobody's": lambda text: with_field(text, '"tenant_id"', '"x"'),
    "with Latin-1 in a text": lambda text: in_a_text(text, b"\xe9"),
    "with an overlong NUL": lambda text: in_a_text(text, b"\xc0\x80"),
    "with an encoded surrogate": lambda text: in_a_text(text, b"\xed\xa0\x80"),
    "with an escaped surrogate": lambda text: in_a_text(text, rb"\ud800"),
    "with a bad escape": lambda text: in_a_text(text, rb"\x41"),
}

# What no parser may make something of, whatever would read it later.
NOT_READ = [
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e99999999999999999999}',
    b'{"a": 1' + b"0" * 40 + b"}", b'{"a": 0.' + b"0" * 40 + b"1}", b'{"a": 1, "\\u0061": 1}',
    b'{"a": {"b": 1, "b": 1}}', b'{"a": [{"b": 1, "b": 2}]}',
    b"1", b"1.5", b'"a"', b"[]", b"true", b"", b"{", b"}", b"\xff",
]  # fmt: skip


async def refuse_spoiled(
    client: httpx2.AsyncClient, tenant: Tenant, books: Books, operations: list[Operation], spoil: Callable[[str], bytes]
) -> None:
    for operation in operations:
        request = await Stock(client, tenant).request(operation)
        before = books.of(tenant)
        text = json.dumps(request.body)
        if (spoiled := spoil(text)) == text.encode():
            wordless = ("draft_risk_rules", "renew_step", "rotate_webhook_secret", "submit_application", "make_offer")
            assert operation.id in wordless, "only these have no text to spoil"
            continue
        answer = await replace(request, content=spoiled).send(client, bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), (operation.id, answer.text)
        assert answer.json()["money_moved"] == "no"
        assert books.of(tenant) == before, operation.id
        assert (await request.send(client, bearing(tenant.operator))).is_success, operation.id


def with_bodies(operations: list[Operation]) -> list[Operation]:
    return [operation for operation in operations if operation.body and not operation.needs_a_security_key]


# Each way meets a third of the operations, and each operation a third of the ways; in the soak all meet.
@pytest.mark.parametrize(("turn", "spoil"), list(enumerate(SPOILED.values())), ids=SPOILED.keys())
async def test_a_body_that_is_spoiled_is_refused_though_all_of_its_fields_are_right(
    client: httpx2.AsyncClient,
    tenant: Tenant,
    operations: list[Operation],
    books: Books,
    turn: int,
    spoil: Callable[[str], bytes],
) -> None:
    await refuse_spoiled(client, tenant, books, with_bodies(operations)[turn % 3 :: 3], spoil)


@pytest.mark.soak
@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
async def test_a_body_that_is_spoiled_is_refused_by_every_operation(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], books: Books, spoil: Callable[[str], bytes]
) -> None:
    await refuse_spoiled(client, tenant, books, with_bodies(operations), spoil)


@pytest.mark.parametrize("body", NOT_READ)
def test_what_is_not_plain_json_is_not_read(body: bytes) -> None:
    with pytest.raises(InvalidArgument):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "at"), [(b'{"a": 1}}', 8), (b'{"a": 1} {"b": 2}', 9), (b' {"a": }', 7), (b'{"a": 1} \n x', 11), (b"", 0)]
)
def test_a_refusal_names_the_place_where_json_ends(body: bytes, at: int) -> None:
    with pytest.raises(InvalidArgument, match=rf"\(at character {at}\)"):
        read_json(body)


def test_blanks_around_an_object_are_none_of_it() -> None:
    assert read_json(b' \t{"a": 1}\r\n') == read_json(b'{"a": 1}') == {"a": 1}


def test_numbers_are_read_exactly() -> None:
    read = read_json(b'{"a": 0.1, "b": 9007199254740993, "c": 1e-2, "d": 9007199254740993.10, "e": -0.0}')
    assert {name: str(value) for name, value in read.items()} == {
        "a": "0.1", "b": "9007199254740993", "c": "0.01", "d": "9007199254740993.10", "e": "-0.0",
    }  # fmt: skip


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_sixteen_levels_are_read_and_seventeen_are_not(opening: bytes, closing: bytes) -> None:
    def levels(number: int) -> bytes:
        return b'{"a":' + opening * (number - 1) + b"0" + closing * (number - 1) + b"}"

    read_json(levels(16))
    # Brackets inside of strings are no levels, and how many there are does not matter.
    for escaped in (b"", b'\\"'):
        read_json(b'{"a": ["[[[[[[[[[[[[[[[[[[[", "", "' + escaped + b'[[[[[[[[[[[[[[[[[[", ' + b"[]," * 100 + b"{}]}")
        with pytest.raises(InvalidArgument, match="nested deeper"):
            read_json(b'{"]": "' + escaped + b'", "b": ["]]", ' + levels(15) + b"]}")
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
