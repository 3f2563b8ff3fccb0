"""The one table that turns refusals into problem objects (RFC 9457)."""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from starlette.responses import Response

from bursar.core.idempotency.model import Answer
from bursar.kernel.refusal import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Retry,
    TooMany,
    Unauthorized,
    Unavailable,
    title_of,
)
from bursar.wire.problems import ArgumentError, Problem

# Its name in lower case, and its value.
RawHeader: TypeAlias = tuple[bytes, bytes]

MEDIA_TYPE = "application/problem+json"
_PROBLEM: RawHeader = (b"content-type", MEDIA_TYPE.encode())
_JSON: RawHeader = (b"content-type", b"application/json")


class BodyTooLarge(Refusal):
    """The body is larger than this endpoint takes."""


class NotJson(Refusal):
    """The body must be JSON."""

    next: ClassVar[str] = "Send it with `Content-Type: application/json`."


class ForeignHost(Refusal):
    """The sandbox answers only requests from this machine."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Call it as http://127.0.0.1 or http://localhost, from no other web page."


class InvalidRequest(Invalid):
    """The request is not valid."""

    next: ClassVar[str] = "Correct what `errors` names and send the request again."

    def __init__(self, errors: Sequence[ArgumentError]) -> None:
        """Each argument that was refused, without its value."""
        super().__init__()
        self.errors = list(errors)

    @property
    def code(self) -> str:
        """One code for every argument."""
        return "invalid_argument"

    @property
    def detail(self) -> str:
        """All reasons in one line."""
        return "; ".join(f"{e.at}: {e.reason}" for e in self.errors) + ". No money moved."


class NoSuchEndpoint(NotFound):
    """There is no such endpoint."""

    next: ClassVar[str] = "See /docs for the endpoints there are."

    @property
    def code(self) -> str:
        """An unknown path reads as any unknown thing."""
        return "not_found"


class MethodNotAllowed(Refusal):
    """This endpoint does not take this method."""


class InternalError(Unavailable):
    """Bursar failed; this is a bug."""

    money_moved: ClassVar[Any] = "unknown"
    retry: ClassVar[Retry] = "same_key"
    next: ClassVar[str] = "Send the same request with the SAME Idempotency-Key to learn what happened; report this id."


STATUS: dict[type[Refusal], int] = {
    Invalid: 422,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooMany: 429,
    Unavailable: 503,
    InternalError: 500,
    BodyTooLarge: 413,
    NotJson: 415,
    ForeignHost: 421,
    MethodNotAllowed: 405,
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal's nearest kind."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def problem_of(refusal: Refusal, request_id: str, status: int | None = None) -> Problem:
    """The problem object of a refusal."""
    return Problem(
        type=f"urn:bursar:problem:{refusal.code}",
        title=refusal.title,
        status=status or status_of(refusal),
        code=refusal.code,
        detail=refusal.detail,
        money_moved=refusal.money_moved,
        retry=refusal.retry,
        next=refusal.next,
        request_id=request_id,
        errors=refusal.errors if isinstance(refusal, InvalidRequest) else None,
    )


def answer_of(refusal: Refusal, request_id: str, status: int | None = None) -> Answer:
    """The exact bytes of a refusal, ready to be pinned to a key."""
    problem = problem_of(refusal, request_id, status)
    body = problem.model_dump_json(exclude_none=True).encode()
    return Answer(problem.status, body, retry_after_seconds=refusal.retry_after_seconds)


class Complete(Response):
    """An answer as it goes out: its head is put together here, for the framework takes ten times as long."""

    def __init__(self, answer: Answer, headers: Sequence[RawHeader]) -> None:
        """`headers` are those beside the body's length and type."""
        self.status_code, self.body, self.background = answer.status, answer.body, None
        kind = _PROBLEM if answer.status >= 400 else _JSON
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(answer.body)), kind]


def retry_after(answer: Answer) -> list[RawHeader]:
    """The header that says when to come again, for an answer that knows."""
    return [] if answer.retry_after_seconds is None else [(b"retry-after", b"%d" % answer.retry_after_seconds)]


def response_of(refusal: Refusal, request_id: str) -> Response:
    """The HTTP response of a refusal."""
    answer = answer_of(refusal, request_id)
    headers = retry_after(answer)
    if answer.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return Complete(answer, headers)


def invalid_request(errors: Sequence[Any]) -> InvalidRequest:
    """Pydantic's errors as ours: where and why, never the input."""
    return InvalidRequest([ArgumentError(at=_at(e), reason=_reason(e)) for e in errors[:20]])


def _at(error: Any) -> str:
    """The path to the argument, of names that are ours: an unknown field or a metadata key is the caller's text."""
    path = [str(part) for part in error["loc"]]
    if path and path[0] in ("body", "query", "path", "header"):
        path = path[1:]
    if error["type"] == "extra_forbidden":
        path = path[:-1]
    if "metadata" in path:
        path = path[: path.index("metadata") + 1]
    return ".".join(part for part in path if part.replace("_", "").replace("-", "").isalnum()) or "body"


def _reason(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "has a field that this request does not know"
        case "string_pattern_mismatch":
            return "does not have the required form"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


# What the intake answers whatever was called: too large, not this machine's (in the sandbox), bad text.
_ANYWHERE = (413, 421, 422)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: each of these statuses, and what the intake answers, is a problem object."""
    titles = {status: title_of(kind) for kind, status in STATUS.items()} | {400: "The account cannot afford this."}
    schema = {"$ref": "#/components/schemas/Problem"}
    all_statuses = sorted({*statuses, *_ANYWHERE})
    return {s: {"description": titles[s], "content": {MEDIA_TYPE: {"schema": schema}}} for s in all_statuses}


READ_PROBLEMS = documented(401, 403, 404, 429, 503)
WRITE_PROBLEMS = documented(401, 403, 404, 409, 415, 429, 503)
QUICK_PROBLEMS = documented(400, 401, 403, 404, 409, 415, 429, 503)
