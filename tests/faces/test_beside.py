"""Who looks after the embedded PostgreSQL goes on looking, whatever comes of it."""

import asyncio
from pathlib import Path

import pytest

from bursar.faces.cli import beside
from bursar.kernel.db import Database
from bursar.kernel.embedded import EmbeddedPostgres


class Broken(EmbeddedPostgres):
    """One that cannot be started, for a reason that nobody foresaw; it counts down how often that is tried."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.left = 3
        self.was_tried = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def start(self) -> str:
        self.left -= 1
        if not self.left:
            self._loop.call_soon_threadsafe(self.was_tried.set)
        raise OSError("no space left on device")


async def test_a_server_that_cannot_be_started_is_tried_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_SECONDS_BETWEEN_LOOKS", 0)
    database, server = await Database.open(database_url), Broken(tmp_path)
    await database.close()
    keep_up = vars(beside)["_keep_up"]
    keeping = asyncio.create_task(keep_up(database, server))
    trying = asyncio.create_task(server.was_tried.wait())
    ended, _ = await asyncio.wait([keeping, trying], return_when=asyncio.FIRST_COMPLETED)
    assert ended == {trying}
    keeping.cancel()
    await asyncio.wait([keeping])
