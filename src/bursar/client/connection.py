"""How a call is sent: once, and again with the same key where that is safe, until what became of it is known."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, TypeVar

import httpx2
from pydantic import TypeAdapter, ValidationError

from bursar.client.arguments import header_text
from bursar.client.failures import AnswerLost, ApprovalPending, BursarProblem, CallFailed, Unreachable
from bursar.wire.approvals import PendingApproval
from bursar.wire.problems import Problem

Shape = TypeVar("Shape")

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 30.0
_GATEWAY_TROUBLES = (502, 503, 504)

# A connection that broke says nothing about whether the request arrived; one that was never had says it did not.
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: what is sent, and under which Idempotency-Key."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None

    @property
    def changes(self) -> bool:
        """Not only a read."""
        return self.method != "GET"

    @property
    def repeatable(self) -> bool:
        """Sent twice it still happens once."""
        return not self.changes or self.idempotency_key is not None


@dataclass(frozen=True, slots=True)
class Reply:
    """That a call was answered: `replayed` when it was the first answer to its key, given again."""

    operation: str
    status: int
    request_id: str
    idempotency_key: str | None
    replayed: bool
    attempts: int


OnReply: TypeAlias = Callable[[Reply], None]


class Connection:
    """Sends calls to one service."""

    def __init__(self, client: httpx2.AsyncClient, attempts: int, on_reply: OnReply | None) -> None:
        """`attempts` is how often one call is sent at most."""
        if attempts < 1:
            raise ValueError("attempts must be at least 1")
        self._client = client
        self._attempts = attempts
        self._on_reply = on_reply

    async def open(self) -> None:
        """Make ready."""
        await self._client.__aenter__()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def ask(self, call: Call, shape: type[Shape]) -> Shape:
        """Send a call and read its answer as this shape; raises a CallFailed when there is none to read.

        What must be approved first has another shape, and raises ApprovalPending.
        """
        response = await self._answer(call)
        if response.status_code == 202 and shape is not PendingApproval and (pending := _pending(response)):
            raise ApprovalPending(call.operation, pending)
        try:
            return _reader(shape).validate_json(response.content)
        except ValidationError as error:
            raise _strange(call, response) from error

    async def ask_text(self, call: Call) -> str:
        """Send a call whose answer is plain text."""
        return (await self._answer(call)).text

    async def listen(self, call: Call, after: int) -> AsyncGenerator[str]:
        """The data of each server-sent event after the one of this id, until the service or the connection ends.

        Raises what Bursar says instead of a stream.
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        try:
            async with self._client.stream(call.method, call.path, headers=headers) as response:
                if not response.is_success:
                    await response.aread()
                    raise _problem(call, response)
                data = ""
                async for line in response.aiter_lines():
                    data = line.removeprefix("data: ") if line.startswith("data: ") else data
                    # An event is there once its empty line is.
                    if data and not line:
                        yield data
                        data = ""
        except _NEVER_SENT as error:
            raise Unreachable(call.operation, _reason(error)) from error
        except httpx2.RequestError:
            # It broke: whoever listens takes it up where it broke.
            return

    async def _answer(self, call: Call) -> httpx2.Response:
        """Send until there is an answer to go by. Once an attempt may have moved money, no later one just says "no"."""
        in_doubt = False
        for attempt in itertools.count(1):
            try:
                return await self._once(call, attempt)
            except CallFailed as failure:
                in_doubt = in_doubt or failure.money_moved == "unknown"
                pause = _pause_seconds(failure, attempt)
                if pause is None or attempt == self._attempts or not call.repeatable:
                    if in_doubt and failure.money_moved == "no" and not failure.settled:
                        raise _lost(call, str(failure)) from failure
                    raise
            await asyncio.sleep(pause)
        raise AssertionError  # Counting has no end.

    async def _once(self, call: Call, attempt: int) -> httpx2.Response:
        try:
            response = await self._client.request(
                call.method, call.path, params=call.query, json=call.body, headers=_headers(call)
            )
        except _NEVER_SENT as error:
            raise Unreachable(call.operation, _reason(error)) from error
        except httpx2.RequestError as error:
            # Whoever waited for an answer as long as they meant to decides for themselves whether to go on.
            raise _lost(call, _reason(error), passing=not isinstance(error, httpx2.ReadTimeout)) from error
        if self._on_reply:
            self._on_reply(_reply(call, response, attempt))
        if response.is_success:
            return response
        raise _problem(call, response)


def _headers(call: Call) -> dict[str, str]:
    key = call.idempotency_key
    return {} if key is None else {"Idempotency-Key": header_text(key, "idempotency_key")}


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _reply(call: Call, response: httpx2.Response, attempt: int) -> Reply:
    headers = response.headers
    replayed = headers.get("idempotent-replayed") == "true"
    request_id = headers.get("x-request-id", "")
    return Reply(call.operation, response.status_code, request_id, call.idempotency_key, replayed, attempt)


def _pending(response: httpx2.Response) -> PendingApproval | None:
    try:
        return PendingApproval.model_validate_json(response.content)
    except ValidationError:
        return None


def _problem(call: Call, response: httpx2.Response) -> CallFailed:
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return _strange(call, response)
    after = response.headers.get("retry-after", "")
    return BursarProblem(call.operation, problem, float(after) if after.isascii() and after.isdigit() else None)


def _strange(call: Call, response: httpx2.Response) -> AnswerLost:
    """Something on the way answered in Bursar's place, or the address is not Bursar's."""
    status = response.status_code
    return _lost(call, f"HTTP {status} with a body that is not Bursar's", passing=status in _GATEWAY_TROUBLES)


def _lost(call: Call, reason: str, *, passing: bool = False) -> AnswerLost:
    return AnswerLost(call.operation, reason, call.idempotency_key, changes=call.changes, passing=passing)


def _pause_seconds(failure: CallFailed, attempt: int) -> float | None:
    """How long to wait before the next attempt, longer each time; None when there should be none."""
    spread = random.uniform(1.0, 2.0)  # noqa: S311 -- so that many callers do not come back at once
    pause = max(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * spread, failure.retry_after_seconds or 0.0)
    return pause if failure.passing and pause <= _LONGEST_PAUSE_SECONDS else None


@cache
def _reader(shape: type[Shape]) -> TypeAdapter[Shape]:
    return TypeAdapter(shape)
