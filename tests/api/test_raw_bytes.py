"""A stranger on the socket: whatever bytes come, the service answers or hangs up, does nothing by halves and stays."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.books import Books
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing
from tests.served import serving

NOT_HTTP = {
    "nothing": b"",
    "blank lines": b"\r\n\r\n\r\n",
    "noise": bytes(range(256)) * 20,
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n",
    "HTTP/9.9": b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
    "a made-up method": b"STEAL /v1/accounts HTTP/1.1\r\nHost: a\r\n\r\n",
    "a lower-case method": b"get /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "a bare line feed in a header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\n b: c\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "bytes above ASCII in the path": b"GET /v1/accounts/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank in the path": b"GET /v1/accounts/a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /healthz#/v1/accounts HTTP/1.1\r\nHost: a\r\n\r\n",
    "dots": b"GET /v1/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    "a whole address": b"GET http://example.com/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
    "an upgrade": b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a path of 100 kB": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header of 1 MB": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "ten thousand headers": b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
    "a negative length": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a length that is none": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\n",
    "a length without end": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 100 + b"\r\n\r\n",
    "two lengths": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
    "length and chunks": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "a huge chunk": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % (b"f" * 20),
    "another encoding": b"POST /v1/transfers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
}  # fmt: skip


@pytest.fixture
def url(database_url: str) -> Iterator[str]:
    with serving(database_url=database_url) as served:
        yield served.url


async def talk(url: str, sent: bytes, *, wait: bool = True, more: bool = False) -> bytes:
    """Send bytes, say that there are no more (but with `more`), and return what comes until the service hangs up."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    came = b""
    # The service may hang up before it has read everything.
    with suppress(ConnectionError):
        writer.write(sent)
        if wait:
            if not more:
                writer.write_eof()
            came = await asyncio.wait_for(reader.read(), 10)
    writer.transport.abort()
    return came


async def test_no_bytes_bring_the_service_down_or_make_it_fail(url: str, tenant: Tenant, books: Books) -> None:
    before = books.of(tenant)
    for name, sent in NOT_HTTP.items():
        came = await talk(url, sent)
        assert b" 50" not in came.split(b"\r\n")[0], (name, came[:200])
        assert b"Traceback" not in came, name
    async with httpx2.AsyncClient(base_url=url) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/v1/accounts", headers=bearing(tenant.operator))).status_code == 200
    assert books.of(tenant) == before


async def test_a_caller_who_leaves_within_the_body_has_asked_for_nothing(
    url: str, client: httpx2.AsyncClient, tenant: Tenant, books: Books
) -> None:
    """Whole, each of these bodies asks for a part; empty, the request would ask for all."""
    stock = Stock(client, tenant)
    paths = [f"/v1/transfers/{await stock.transfer()}/reverse", f"/v1/holds/{await stock.hold()}/capture"]
    body = json.dumps({"amount": "1.00"}).encode()
    before = books.of(tenant)
    for path in paths:
        for headers in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
            lines = [f"{name}: {value}" for name, value in bearing(tenant.operator).items()]
            head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: a", "Content-Type: application/json", headers, *lines])
            for part in (b"", body[:5]):
                framed = part if "Length" in headers or not part else b"5\r\n" + part + b"\r\n"
                await talk(url, head.encode() + b"\r\n\r\n" + framed, wait=False)
                await talk(url, head.encode() + b"\r\n\r\n" + framed)
    # All of it has been dealt with when a later request on the same process is answered.
    async with httpx2.AsyncClient(base_url=url) as later:
        assert (await later.get("/v1/accounts", headers=bearing(tenant.operator))).status_code == 200
    assert books.of(tenant) == before


async def test_a_second_request_does_not_hide_inside_of_the_first(
    url: str, client: httpx2.AsyncClient, tenant: Tenant
) -> None:
    """Two requests down one connection are two requests, and what follows a body's end is not read as part of it."""
    key = f"Authorization: Bearer {tenant.agent}\r\n"
    first = f"GET /v1/accounts/{tenant.main} HTTP/1.1\r\nHost: a\r\n{key}\r\n"
    second = f"GET /v1/accounts/{tenant.side} HTTP/1.1\r\nHost: a\r\n{key}Connection: close\r\n\r\n"
    came = await talk(url, (first + second).encode(), more=True)
    assert came.count(b"HTTP/1.1 200 OK") == 2
    smuggled = f"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: {len(second)}\r\nConnection: close\r\n\r\n{second}"
    came = await talk(url, smuggled.encode(), more=True)
    assert came.count(b"HTTP/1.1 200 OK") == 1
    assert tenant.side.encode() not in came
