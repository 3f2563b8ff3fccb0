"""One attempt over the network: to exactly the address that was judged, bounded in time and size, never redirected."""

import asyncio
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import httpx2

from bursar import __version__
from bursar.features.notifications.destination import Destination, read_url
from bursar.features.notifications.model import AttemptError, Result
from bursar.features.notifications.resolving import AddressRefused, NameNotFound, Resolve, allowed_addresses, system
from bursar.features.notifications.signing import headers_of
from bursar.kernel.refusal import InvalidArgument

SECONDS_TO_CONNECT = 2.0
SECONDS_IN_ALL = 10.0
# How much of an answer's body is read, and kept.
ANSWER_BYTES = 1024
# A name may have an address of each family, of which this machine can reach one.
_MOST_ADDRESSES = 2
_SECRETS = re.compile(r"whsec_[A-Za-z0-9+/=_-]+|v1,[A-Za-z0-9+/=_-]{8,}")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]")


class Letter(NamedTuple):
    """What is to be sent where; `secrets` are those that are valid now."""

    url: str
    message_id: str
    body: bytes
    secrets: Sequence[str]


class _Reply(NamedTuple):
    status: int
    body: bytes


def network() -> httpx2.AsyncBaseTransport:
    """Connections to the address that a request names: a new one each time, over no proxy, by no setting of ours."""
    context = httpx2.create_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx2.AsyncHTTPTransport(verify=context, limits=limits, trust_env=False)


@dataclass(frozen=True, slots=True)
class Post:
    """Sends letters; `plain_to_loopback` allows http to this machine, as the sandbox does."""

    transport: httpx2.AsyncBaseTransport
    resolve: Resolve = system
    plain_to_loopback: bool = False

    async def send(self, letter: Letter) -> Result:
        """Make one attempt; whatever happens is a result."""
        started, clock = datetime.now(UTC), time.monotonic()
        reply: _Reply | None = None
        error: AttemptError | None = None
        try:
            async with asyncio.timeout(SECONDS_IN_ALL):
                reply = await self._attempt(letter, clock + SECONDS_IN_ALL)
        except Exception as failure:  # noqa: BLE001 -- a receiver's worst answer is a result like any other
            error = _error_of(failure)
        latency_ms = round((time.monotonic() - clock) * 1000)
        if reply is None:
            return Result(started, latency_ms, None, error, "")
        return Result(started, latency_ms, reply.status, None, excerpt(reply.body, letter.secrets))

    async def _attempt(self, letter: Letter, until: float) -> _Reply:
        destination = read_url(letter.url, plain_to_loopback=self.plain_to_loopback)
        addresses = list(await allowed_addresses(destination, self.resolve))[:_MOST_ADDRESSES]
        headers = headers_of(letter.secrets, letter.message_id, int(time.time()), letter.body)
        for address in addresses[:-1]:
            # Nothing was sent where there was no connection.
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._ask(destination, address, headers, letter.body, until)
        return await self._ask(destination, addresses[-1], headers, letter.body, until)

    async def _ask(
        self, destination: Destination, address: str, headers: Mapping[str, str], body: bytes, until: float
    ) -> _Reply:
        """POST to this very address under the destination's name, by which its certificate is checked."""
        scheme, host = "http" if destination.plain else "https", f"[{address}]" if ":" in address else address
        request = httpx2.Request(
            "POST",
            f"{scheme}://{host}:{destination.port}{destination.target}",
            headers={
                "Host": destination.authority,
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": f"Bursar/{__version__}",
                **headers,
            },
            content=body,
            extensions={
                "sni_hostname": destination.name,
                "timeout": {
                    "connect": SECONDS_TO_CONNECT,
                    "read": SECONDS_IN_ALL,
                    "write": SECONDS_IN_ALL,
                    "pool": SECONDS_IN_ALL,
                },
            },
        )
        response = await self.transport.handle_async_request(request)
        try:
            return _Reply(response.status_code, await _beginning(response, until))
        finally:
            await response.aclose()


async def _beginning(response: httpx2.Response, until: float) -> bytes:
    """The first bytes of the body, as they come: the status has said already whether the message was taken."""
    read = b""
    with suppress(httpx2.HTTPError, TimeoutError):
        async with asyncio.timeout(max(0.0, until - time.monotonic()) / 2):
            async for piece in response.aiter_raw():
                read += piece
                if len(read) >= ANSWER_BYTES:
                    break
    return read[:ANSWER_BYTES]


def excerpt(body: bytes, secrets: Sequence[str]) -> str:
    """The body's first bytes as text for people: no secret, no signature, nothing that a terminal would obey."""
    text = body.decode("utf-8", errors="replace")
    for secret in secrets:
        text = text.replace(secret, "…").replace(secret.removeprefix("whsec_"), "…")
    return _NO_TEXT.sub("", _SECRETS.sub("…", text))


def _error_of(failure: Exception) -> AttemptError:
    match failure:
        case InvalidArgument() | AddressRefused():
            return "address_refused"
        case NameNotFound():
            return "name_not_found"
        case TimeoutError() | httpx2.TimeoutException():
            return "timeout"
        case httpx2.ConnectError():
            return "connect_failed"
        case _:
            return "bad_answer"
