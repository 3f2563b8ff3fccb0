"""The sandbox is open without a key, so it answers this machine only, and no page of another site."""

import httpx2
import pytest

LOCAL_HOSTS = ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:65535", "[::1]", "[::1]:8000", "127.0.0.2"]
FOREIGN_HOSTS = [
    "", "example.com", "localhost.example.com", "127.0.0.1.example.com", "example.com:8000", "localhost:", "localhost.",
    "localhost:x", "localhost:123456", "127.0.0.2.example.com", "127.0.0", "127.0.0.1@example.com",
    "example.com#localhost", "0.0.0.0", "::1", "[::1", "[::ffff:127.0.0.1]", "localhost localhost", "localhost\t",
    "127.0.0.1,example.com", "\uff12",
    "localhost:\uff18\uff10", "http://localhost", "localhost/", "\x00",
]  # fmt: skip
LOCAL_ORIGINS = ["http://localhost", "http://127.0.0.1:3000", "https://localhost:8443", "http://[::1]:8000"]
FOREIGN_ORIGINS = [
    "null", "", "https://example.com", "http://localhost.example.com", "http://localhost@example.com",
    "http://example.com:80@localhost", "file://", "http://[", "http://]", "http://[::1", "//localhost", "localhost",
    "ftp://localhost", "chrome-extension://abc", "http://localhost:port", "http://localhost http://example.com",
    "http://localhost\x00", "http://127.0.0.1/", "é",
]  # fmt: skip


async def ask(client: httpx2.AsyncClient, **headers: str) -> list[httpx2.Response]:
    """A read, and a request that would move money, with these headers."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    body = b'{"from_account": "ACC10001", "to_account": "ACC20002", "amount": 1}'
    json = (b"Content-Type", b"application/json")
    return [
        await client.get("/accounts/ACC10001/balance", headers=raw),
        await client.post("/transfers", content=body, headers=[*raw, json]),
    ]


async def balance(client: httpx2.AsyncClient) -> str:
    return (await client.get("/accounts/ACC10001/balance")).json()["balance"]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
async def test_a_local_host_is_answered(sandboxed: httpx2.AsyncClient, host: str) -> None:
    assert [answer.status_code for answer in await ask(sandboxed, Host=host)] == [200, 200]


async def test_a_foreign_host_is_refused(sandboxed: httpx2.AsyncClient) -> None:
    for host in FOREIGN_HOSTS:
        for answer in await ask(sandboxed, Host=host):
            assert (answer.status_code, answer.json()["code"]) == (421, "foreign_host"), host
    assert await balance(sandboxed) == "12500.00"


@pytest.mark.parametrize("origin", LOCAL_ORIGINS)
async def test_a_page_of_this_machine_is_answered(sandboxed: httpx2.AsyncClient, origin: str) -> None:
    assert [answer.status_code for answer in await ask(sandboxed, Origin=origin)] == [200, 200]


async def test_a_page_of_another_site_is_refused(sandboxed: httpx2.AsyncClient) -> None:
    for origin in FOREIGN_ORIGINS:
        for answer in await ask(sandboxed, Origin=origin):
            assert (answer.status_code, answer.json()["code"]) == (421, "foreign_host"), origin
    assert await balance(sandboxed) == "12500.00"


async def test_a_form_or_beacon_of_another_site_cannot_pass_for_json(sandboxed: httpx2.AsyncClient) -> None:
    body = b'{"from_account": "ACC10001", "to_account": "ACC20002", "amount": 1}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""):
        answer = await sandboxed.post("/transfers", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 415
    assert await balance(sandboxed) == "12500.00"


async def test_outside_of_the_sandbox_every_host_is_answered_and_nothing_is_open(client: httpx2.AsyncClient) -> None:
    for answer in await ask(client, Host="bank.example.com", Origin="https://bank.example.com"):
        assert answer.status_code == 401
