"""What every request passes first: an id, the sandbox's host check, the body read under a limit and parsed once."""

import re
import time
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.api.gate import read_json, refuse_bad_text
from bursar.api.problems import BodyTooLarge, ForeignHost, InternalError, NotJson, response_of
from bursar.api.telemetry import Telemetry
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import Refusal

MOST_BYTES = 64 * 1024
MOST_BYTES_OF_A_BATCH = 4 * 1024 * 1024
BATCH_PATH = "/v1/transfers/batch"

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Intake:
    """ASGI middleware around the whole application; it keeps what it read in `scope["bursar"]`."""

    def __init__(self, app: ASGIApp, *, local_only: bool, telemetry: Telemetry) -> None:
        """`local_only`: refuse requests whose Host or Origin is another machine's (the sandbox)."""
        self._app = app
        self._local_only = local_only
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one request, or refuse it before anything else sees it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        sent = Sent(send, request_id)
        try:
            if self._local_only:
                _refuse_foreign(headers)
            _refuse_bad_target(scope)
            body = await _read_body(scope, headers, receive)
            scope["bursar"] = {
                "body": body,
                "json": _parse(body, headers) if scope["method"] not in ("GET", "HEAD") else None,
                "request_id": request_id,
            }
            await self._app(scope, _replay(body, receive), sent)
        except Refusal as refusal:
            await response_of(refusal, request_id)(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 -- the last net: whatever it was, the caller gets a problem object
            self._telemetry.failed(request_id, error)
            if sent.status is None:
                await response_of(InternalError(), request_id)(scope, receive, sent)
        finally:
            self._telemetry.answered(scope, sent.status, request_id, time.perf_counter() - started)


class Sent:
    """The way out: adds the request's id to the answer and notes its status."""

    __slots__ = ("_request_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        """Nothing is sent yet."""
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = self._request_id
        await self._send(message)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else show("req", new_id())


def _refuse_foreign(headers: Headers) -> None:
    """A page of another site, or a name that was rebound to this machine, must not reach the sandbox."""
    if _host(headers.get("host", "")) not in _LOCAL:
        raise ForeignHost
    origin = headers.get("origin")
    if origin is not None and _host(urlsplit(origin).netloc) not in _LOCAL:
        raise ForeignHost


def _host(netloc: str) -> str:
    return re.sub(r":\d{1,5}$", "", netloc).lower()


def _refuse_bad_target(scope: Scope) -> None:
    refuse_bad_text(scope["path"], "path")
    if scope["query_string"]:
        refuse_bad_text(unquote(scope["query_string"].decode("latin-1").replace("+", " ")), "query")


async def _read_body(scope: Scope, headers: Headers, receive: Receive) -> bytes:
    limit = MOST_BYTES_OF_A_BATCH if scope["path"] == BATCH_PATH else MOST_BYTES
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _parse(body: bytes, headers: Headers) -> Any:
    if not body:
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NotJson
    return read_json(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body on to whoever asks for it, once; then whatever the connection says."""
    waiting: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return again
