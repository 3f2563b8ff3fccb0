"""As much HTTP/1.1 as a load generator needs, and no more, because it shares the cores with what it measures."""

from dataclasses import dataclass
from typing import Final

HEAD_END: Final = b"\r\n\r\n"
STATUS: Final = slice(len("HTTP/1.1 "), len("HTTP/1.1 200"))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something is asked for; a service without keys has none. With `others`, all keys ask by turns.

    With `pays_by`, a payment method's id, payments are asked for, and otherwise transfers. `pid` is the process that
    answers.
    """

    host: str
    port: int
    path: str
    key: str | None = None
    others: tuple[str, ...] = ()
    pays_by: str | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete response."""

    status: int
    body: bytes
    closes: bool


def post(endpoint: Endpoint, path: str, body: str, idempotency_key: str) -> bytes:
    """One complete request; `body` is ASCII, so that its characters are its bytes."""
    authority = ""
    if endpoint.key:
        authority = f"Authorization: Bearer {endpoint.key}\r\nIdempotency-Key: {idempotency_key}\r\n"
    return (
        f"POST {path} HTTP/1.1\r\nHost: {endpoint.host}:{endpoint.port}\r\n{authority}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode("ascii")


def read_answer(data: bytes) -> Answer | None:
    """The one response `data` holds, or None while it is incomplete; ValueError when it is anything else."""
    head_end = data.find(HEAD_END)
    if head_end < 0:
        return None
    head = data[:head_end].lower()
    if not head.startswith(b"http/1.1 "):
        raise ValueError("not an HTTP/1.1 response")
    body = data[head_end + len(HEAD_END) :]
    missing = content_length(head) - len(body)
    if missing < 0:
        raise ValueError("more bytes than Content-Length announced")
    return None if missing else Answer(int(head[STATUS]), body, closes=b"\r\nconnection: close" in head)


def content_length(head: bytes) -> int:
    """The length of the body that follows a lower-case response head."""
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        raise ValueError("no Content-Length")
    return int(rest.split(b"\r\n", 1)[0])
