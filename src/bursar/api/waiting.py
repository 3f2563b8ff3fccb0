"""Waiting for jobs without polling: who waits is woken by the bell, and looks again now and then in any case."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from bursar.kernel.db import Bell, Database, woken

Found = TypeVar("Found")

MOST_SECONDS = 30
# A notification may be lost with its connection, and a step that is to be tried again becomes free without one.
SECONDS_BETWEEN_LOOKS = 2.0

Wait = Annotated[
    int, Query(ge=0, le=MOST_SECONDS, description="How many seconds to wait for it; 0 answers at once.", examples=[0])
]


def bell_of_job(tenant_id: UUID, job_id: UUID) -> str:
    """The name that is rung whenever a job changes."""
    return f"{tenant_id.hex} {job_id.hex}"


def bell_of_steps(tenant_id: UUID) -> str:
    """The name that is rung when a tenant's job has a step to claim."""
    return f"{tenant_id.hex} *"


async def ring_for_jobs(database: Database, bell: Bell, channel: str) -> None:
    """Ring for every notification of a changed job, until cancelled."""

    def heard(payload: str | None) -> None:
        if payload is None:
            bell.ring_all()
            return
        tenant, _, rest = payload.partition(" ")
        job, _, sign = rest.partition(" ")
        bell.ring(f"{tenant} {job}")
        if sign == "*":
            bell.ring(f"{tenant} *")

    await database.listen(channel, heard)


async def waited_for(
    bell: Bell, name: str, seconds: float, look: Callable[[], Awaitable[Found | None]]
) -> Found | None:
    """What is found, at once or in so many seconds; None: nothing was."""
    until = time.monotonic() + seconds
    with bell.listening(name) as ear:
        while True:
            found = await look()
            left = until - time.monotonic()
            if found is not None or left <= 0:
                return found
            await woken(ear, min(left, SECONDS_BETWEEN_LOOKS))
