"""HTTP as uvicorn speaks it, but for one thing: an answer that is complete leaves in one piece.

uvicorn writes the head of an answer and its body one after the other, and the event loop hands each to the kernel at
once: two system calls for us, and for the caller to be woken twice, where an answer is a few hundred bytes.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

# Sends status, headers and body at once; False if the server wants them as ASGI's messages.
SendWhole: TypeAlias = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bool]

# The extension of the ASGI scope that offers it.
_WHOLE = "bursar.whole"


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which offers to send whole answers."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope["extensions"] = {_WHOLE: {"send": partial(_send_whole, cycle)}}
        super()._start_asgi_task(cycle, app)


def taken_from(scope: Scope) -> SendWhole | None:
    """The offer of a server that makes it. It is taken out: in there it would hold what holds the scope."""
    return scope.pop("extensions", {}).get(_WHOLE, {}).get("send")


def _send_whole(cycle: RequestResponseCycle, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """Do at once what uvicorn does for the two messages of an answer.

    False, and nothing is done, where there is more to it: the caller has left or does not read, or the length is
    not that of the body, as with HEAD.
    """
    if cycle.flow.write_paused or cycle.disconnected or cycle.response_started:
        return False
    if cycle.scope["method"] == "HEAD" or (b"content-length", b"%d" % len(body)) not in headers:
        return False
    parts = [STATUS_LINE[status]]
    for name, value in (*cycle.default_headers, *headers):
        parts += (name, b": ", value, b"\r\n")
    head = b"".join(parts)
    if head.count(b"\n") != 1 + len(cycle.default_headers) + len(headers):  # uvicorn refuses what would end its line.
        return False
    end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    cycle.transport.write(b"".join((head, end, body)))
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
