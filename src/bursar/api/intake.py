"""What every request passes first: an id, the sandbox's host check, the body read under a limit and parsed once."""

import re
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bursar.api.answering import SendWhole, taken_from
from bursar.api.gate import read_json, refuse_bad_text
from bursar.api.problems import BodyTooLarge, ForeignHost, InternalError, NotJson, response_of
from bursar.api.routing import LeanRoute
from bursar.api.telemetry import Telemetry
from bursar.kernel.ids import new_id, show
from bursar.kernel.refusal import InvalidArgument, Refusal

MOST_BYTES = 64 * 1024
MOST_BYTES_OF_A_BATCH = 4 * 1024 * 1024
BATCH_PATH = "/v1/transfers/batch"
# What providers tell us: signed over its bytes, so nothing reads it before the signature is looked at.
MOST_BYTES_OF_A_WEBHOOK = 256 * 1024
_WEBHOOKS = ("/v1/webhooks/", "/webhooks/payments")

_LOCAL_HOST = re.compile(r"(127(\.[0-9]{1,3}){3}|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_LOCAL_ORIGIN = re.compile(rf"https?://{_LOCAL_HOST.pattern}", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")


Headers: TypeAlias = Mapping[bytes, bytes]


class Intake:
    """ASGI middleware around the whole application; it keeps what it read in `scope["bursar"]`."""

    def __init__(
        self, app: FastAPI, lean: Mapping[tuple[str, str], LeanRoute], *, local_only: bool, telemetry: Telemetry
    ) -> None:
        """`lean` routes are called here; `local_only`: refuse another machine's Host or Origin (the sandbox)."""
        self._app = app
        self._lean = lean
        self._state = app.state
        self._local_only = local_only
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in one request, or refuse it before anything else sees it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        # By lower-case name; of one that came twice, the first.
        headers: Headers = dict(reversed(scope["headers"]))
        request_id = _request_id(headers)
        sent = Sent(scope, send, request_id)
        try:
            if self._local_only:
                _refuse_foreign(headers)
            lean = self._lean.get((scope["method"], scope["path"]))
            _refuse_bad_target(scope, lean)
            body = await _read_body(scope, headers, receive)
            if body is None:
                return
            scope["bursar"] = {
                "headers": headers,
                "json": _parse(body, headers) if lean or _is_ours_to_read(scope) else None,
                "request_id": request_id,
            }
            if lean:
                await sent.answer(await lean.answer(scope, self._state.door))
            else:
                await self._app(scope, _replay(body, receive), sent)
        except Refusal as refusal:
            await sent.answer(response_of(refusal, request_id))
        except Exception as error:  # noqa: BLE001 -- the last net: whatever it was, the caller gets a problem object
            self._telemetry.failed(request_id, error)
            if sent.status is None:
                await sent.answer(response_of(InternalError(), request_id))
        finally:
            self._telemetry.answered(scope, sent.status, request_id, time.perf_counter() - started)


class Sent:
    """The way out: adds the request's id to the answer, notes its status, and sends what is complete in one piece."""

    __slots__ = ("_request_id", "_send", "_start", "_whole", "status")

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        """Nothing is sent yet."""
        self._request_id = request_id
        self._send = send
        self._start: Message | None = None
        self._whole: SendWhole | None = taken_from(scope)
        self.status: int | None = None

    async def answer(self, response: Response) -> None:
        """Send an answer whose bytes are all there."""
        start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        await self._begin(start, {"type": "http.response.body", "body": response.body})

    async def __call__(self, message: Message) -> None:
        """Pass a message on; the head of an answer waits for the first of its body."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start:
            await self._begin(start, message)
        else:
            await self._pass_on(message)

    async def _begin(self, start: Message, message: Message) -> None:
        self.status = start["status"]
        start["headers"] = [*start.get("headers", ()), (b"x-request-id", self._request_id.encode())]
        await self._pass_on(start, message)

    def _is_sent_whole(self, start: Message, message: Message) -> bool:
        if self._whole is None or message.get("more_body"):
            return False
        return self._whole(start["status"], start["headers"], message.get("body", b""))

    async def _pass_on(self, *messages: Message) -> None:
        try:
            if len(messages) == 2 and self._is_sent_whole(*messages):
                return
            for message in messages:
                await self._send(message)
        except (OSError, RuntimeError):
            # A caller who has left is no failure of ours; the loop says so with either of the two.
            return


def _request_id(headers: Headers) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else show("req", new_id())


def _refuse_foreign(headers: Headers) -> None:
    """A page of another site, or a name that was rebound to this machine, must not reach the sandbox."""
    if not _LOCAL_HOST.fullmatch(headers.get(b"host", b"").decode("latin-1")):
        raise ForeignHost
    origin = headers.get(b"origin")
    if origin is not None and not _LOCAL_ORIGIN.fullmatch(origin.decode("latin-1")):
        raise ForeignHost


def _refuse_bad_target(scope: Scope, lean: LeanRoute | None) -> None:
    """What the framework would replace or take for Latin-1 is refused here."""
    if lean and not scope["query_string"]:  # A path that is in the table is good text.
        return
    for argument, raw in (("path", scope["raw_path"]), ("query", scope["query_string"].replace(b"+", b" "))):
        try:
            refuse_bad_text(unquote_to_bytes(raw.decode("ascii")).decode("utf-8"), argument)
        except UnicodeDecodeError:
            raise InvalidArgument(argument, "is not percent-encoded UTF-8") from None


def _is_ours_to_read(scope: Scope) -> bool:
    return scope["method"] not in ("GET", "HEAD") and not scope["path"].startswith(_WEBHOOKS)


def _limit_of(path: str) -> int:
    if path == BATCH_PATH:
        return MOST_BYTES_OF_A_BATCH
    return MOST_BYTES_OF_A_WEBHOOK if path.startswith(_WEBHOOKS) else MOST_BYTES


async def _read_body(scope: Scope, headers: Headers, receive: Receive) -> bytes | None:
    """The whole body; None when the caller left before its end, for half a request asks for nothing."""
    limit = _limit_of(scope["path"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 9 or int(declared) > limit):
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
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
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise NotJson
    return read_json(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body on to whoever asks for it, once; then whatever the connection says."""
    waiting: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return again
