"""A server on loopback that answers by script, and badly: cut off, not at all, or not as Bursar would."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

CUT = b""
SILENCE = b"..."
# As the second answer of a script: after the first one nobody listens any more.
GONE = b"gone"


@dataclass(slots=True)
class Unsteady:
    """Takes one request after the other and gives the next answer of its script; the last one stays."""

    script: list[bytes]
    address: str = ""
    keys: list[str | None] = field(default_factory=list[str | None])
    bodies: list[bytes] = field(default_factory=list[bytes])
    heads: list[str] = field(default_factory=list[str])
    leave: Callable[[], None] = lambda: None

    async def talk(self, caller: StreamReader, back: StreamWriter) -> None:
        """One connection, one request."""
        head = (await caller.readuntil(b"\r\n\r\n")).decode("ascii")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head.splitlines()[1:])}
        self.bodies.append(await caller.readexactly(int(headers.get("content-length", "0"))))
        self.keys.append(headers.get("idempotency-key"))
        self.heads.append(head)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if self.script[0] is GONE:
            self.leave()
        if said is SILENCE:
            await caller.read()
        back.write(said)
        back.close()


@asynccontextmanager
async def unsteady(*script: bytes) -> AsyncGenerator[Unsteady]:
    """Such a server, for one test."""
    served = Unsteady(list(script))
    server = await asyncio.start_server(served.talk, "127.0.0.1", 0)
    served.leave = server.close
    served.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()


def says(status: int, body: str, **headers: str) -> bytes:
    """An HTTP answer."""
    shown = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\n{shown}connection: close\r\n\r\n{body}".encode()


def problem(status: int, code: str, retry: str, moved: str = "no", **headers: str) -> bytes:
    """A problem as Bursar writes it."""
    told = {"type": f"urn:bursar:problem:{code}", "title": "A title.", "status": status, "code": code, "detail": "Why."}
    rest = {"money_moved": moved, "retry": retry, "next": "Then.", "request_id": "req_1"}
    return says(status, json.dumps({**told, **rest}), content_type="application/problem+json", **headers)


TRANSFER: Mapping[str, Any] = {
    "id": "tr_1", "kind": "transfer", "status": "posted", "source": "a", "target": "b", "amount": "1.00",
    "currency": "USD", "description": None, "metadata": {}, "effective_at": "2026-11-21T09:30:00Z",
    "recorded_at": "2026-11-21T09:30:00Z", "source_balance": "0.00", "source_version": 1, "target_version": 1,
    "reverses": None, "reversed_amount": "0.00", "hold_id": None, "event_id": "evt_1",
}  # fmt: skip
MADE = says(201, json.dumps(TRANSFER))
REPLAYED = says(201, json.dumps(TRANSFER), Idempotent_Replayed="true", X_Request_Id="req_2")
BUSY = problem(503, "upstream_unavailable", "same_key")
IN_FLIGHT = problem(409, "idempotency_in_flight", "same_key")
NO_FUNDS = problem(409, "insufficient_funds", "new_request")
