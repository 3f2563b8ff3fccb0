"""Every room does its whole job for a client of the service."""

from collections.abc import Awaitable, Callable

import pytest

from tests.journeys.rooms import ROOMS
from tests.journeys.stage import Stage


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
async def test_a_room_does_its_whole_job(stage: Stage, room: Callable[[Stage], Awaitable[None]]) -> None:
    await room(stage)
