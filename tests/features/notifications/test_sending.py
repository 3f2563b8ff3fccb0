"""One attempt: what is sent, over which connection, and what a receiver's answers come to, good and bad."""

import asyncio
import json
import socket
from pathlib import Path

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook

from bursar.features.notifications import sending
from bursar.features.notifications.sending import ANSWER_BYTES, Letter, Post, excerpt, network
from bursar.features.notifications.signing import new_secret
from tests.features.notifications.receivers import PUBLIC, Detour, Received, certified, listening, plain

BODY = b'{"id":"evt_1","type":"transfer.posted","timestamp":"2026-11-21T09:30:00Z","data":{}}'


def sandboxed() -> Post:
    """Sends to this machine without a certificate, as the sandbox may."""
    return Post(network(), plain_to_loopback=True)


async def public(name: str, port: int) -> list[str]:
    assert name == "hooks.example.com"
    assert port == 443
    return [PUBLIC]


async def test_a_receiver_can_verify_what_it_gets() -> None:
    secret, post = new_secret(), sandboxed()
    async with listening(plain(204)) as receiver:
        result = await post.send(Letter(f"http://localhost:{receiver.port}/hook?a=b", "evt_1", BODY, [secret]))
    await post.transport.aclose()
    (got,) = receiver.received
    assert got.line == "POST /hook?a=b HTTP/1.1"
    assert (got.headers["host"], got.headers["content-type"]) == (f"localhost:{receiver.port}", "application/json")
    assert Webhook(secret).verify(got.body, got.headers) == json.loads(BODY)
    assert (result.status, result.error, result.taken, result.answer) == (204, None, True, "")


async def test_the_certificate_must_be_of_the_name_though_the_address_is_called(tmp_path: Path) -> None:
    server, client = certified(tmp_path, "hooks.example.com")
    letter = Letter("https://hooks.example.com/hook", "evt_1", BODY, [new_secret()])
    async with listening(plain(200), server) as receiver:
        detour = Detour(httpx2.AsyncHTTPTransport(verify=client, trust_env=False), receiver.port)
        assert (await Post(detour, public).send(letter)).status == 200
        assert detour.went_to == [(PUBLIC, None)]
        assert receiver.received[0].headers["host"] == "hooks.example.com"
        # Who signed it is not known to the machine.
        stranger = Detour(network(), receiver.port)
        assert (await Post(stranger, public).send(letter)).error == "connect_failed"
        assert len(receiver.received) == 1
        await stranger.aclose()
        await detour.aclose()
    (folder := tmp_path / "other").mkdir()
    server, client = certified(folder, "other.example.com")
    async with listening(plain(200), server) as receiver:
        detour = Detour(httpx2.AsyncHTTPTransport(verify=client, trust_env=False), receiver.port)
        assert (await Post(detour, public).send(letter)).error == "connect_failed"
        await detour.aclose()
    assert receiver.received == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_like_any_other_and_is_not_followed(status: int) -> None:
    post = sandboxed()
    async with listening() as inside, listening() as receiver:
        receiver.answer = plain(status, more=f"Location: http://127.0.0.1:{inside.port}/\r\n")
        result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
    await post.transport.aclose()
    assert (result.status, result.taken) == (status, False)
    assert inside.connections == 0


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy, listening() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        post = sandboxed()
        assert (
            await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
        ).status == 200
        await post.transport.aclose()
    assert (proxy.connections, receiver.connections) == (0, 1)


async def test_an_answer_without_end_is_cut_and_its_status_counts() -> None:
    written = 0

    async def flood(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        writer.write(b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            written += 0x4000
            # More than fits in what lies between us means that it is read.
            if written > 8 * 1024 * 1024:
                return
            await writer.drain()

    post = sandboxed()
    async with listening(flood) as receiver:
        result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
    await post.transport.aclose()
    assert (result.status, len(result.answer)) == (200, ANSWER_BYTES)
    assert written <= 8 * 1024 * 1024


async def test_who_never_answers_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Received, __: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(sending, "SECONDS_IN_ALL", 0.3)
    post = sandboxed()
    async with listening(never) as receiver:
        result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
    await post.transport.aclose()
    assert (result.status, result.error, result.taken) == (None, "timeout", False)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "bad_answer"),
        (b"hello\r\n\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, "bad_answer"),
        (b"\x00" * 100, "bad_answer"),
    ],
    ids=["nothing", "no status", "headers without end", "no text"],
)
async def test_what_is_no_answer_is_told(answer: bytes, error: str) -> None:
    post = sandboxed()
    async with listening(answer) as receiver:
        result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
    await post.transport.aclose()
    assert (result.status, result.error) == (None, error)


async def test_nobody_listening_is_told() -> None:
    async with listening() as receiver:
        pass
    post = sandboxed()
    result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [new_secret()]))
    await post.transport.aclose()
    assert (result.status, result.error) == (None, "connect_failed")


async def test_the_log_keeps_no_secret_that_a_receiver_sends_back() -> None:
    secret, post = new_secret(), sandboxed()

    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        signature = request.headers["webhook-signature"]
        writer.write(plain(400, f"bad {signature} for {secret} or {secret.removeprefix('whsec_')}\x1b[31m".encode()))

    async with listening(echo) as receiver:
        result = await post.send(Letter(f"http://127.0.0.1:{receiver.port}/", "evt_1", BODY, [secret]))
    await post.transport.aclose()
    assert (result.status, result.answer) == (400, "bad … for … or …[31m")


def test_an_excerpt_is_text_for_people() -> None:
    assert excerpt(b"ok \xff\x00\x1b[2J \xe2\x80\xae \xc3\xa9\n", []) == "ok [2J  é\n"
