"""The client follows a job by server-sent events, and takes a stream that breaks up where it broke."""

import pytest

from bursar.client import Bursar, BursarProblem
from bursar.wire.jobs import JobEvent
from tests.journeys.unsteady import CUT, unsteady

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
LONGER = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
GONE = b"""{"type": "urn:bursar:problem:not_found", "title": "There is none.", "status": 404, "code": "not_found",
"detail": "There is no such job.", "money_moved": "no", "retry": "never", "next": "Look.", "request_id": "req_1"}"""


def event(version: int, status: str = "active") -> bytes:
    told = JobEvent.model_validate(
        {
            "version": version, "type": "claimed", "status": status, "stage": "priced", "step": "price", "actor": None,
            "actor_name": None, "note": None, "at": "2026-11-21T09:00:00Z",
        }
    )  # fmt: skip
    return f"id: {version}\nevent: claimed\ndata: {told.model_dump_json()}\n\n".encode()


async def test_a_stream_that_breaks_is_taken_up_after_the_last_event() -> None:
    script = [
        LONGER + event(1) + b": still here\n\n" + event(2) + event(3)[:60], CUT, HEAD + event(3)[:60],
        HEAD + event(3) + event(4, "done"),
    ]  # fmt: skip
    async with unsteady(*script) as server, Bursar(server.address, "bk_test_x") as client:
        seen = [each.version async for each in client.iterate_job_events("job_1")]
    assert seen == [1, 2, 3, 4]
    asked = [line for head in server.heads for line in head.lower().splitlines() if line.startswith("last-event-id")]
    assert asked == ["last-event-id: 0", "last-event-id: 2", "last-event-id: 2", "last-event-id: 2"]


async def test_what_bursar_says_instead_is_raised() -> None:
    said = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % len(GONE) + GONE
    async with unsteady(said) as server, Bursar(server.address, "bk_test_x") as client:
        with pytest.raises(BursarProblem) as told:
            _ = [each async for each in client.iterate_job_events("job_1")]
    assert told.value.code == "not_found"
