"""The service itself: whether it lives, whether it can work, what it counts."""

from bursar.client.connection import Call
from bursar.client.room import Room


class Service(Room):
    """Open to anyone."""

    async def healthz(self) -> dict[str, str]:
        """The process answers."""
        return await self._read(dict[str, str], "healthz", "/healthz")

    async def readyz(self) -> dict[str, str]:
        """The database answers too; a BursarProblem with status 503 when it does not."""
        return await self._read(dict[str, str], "readyz", "/readyz")

    async def metrics(self) -> str:
        """Counts and times in Prometheus' text form."""
        return await self._connection.ask_text(Call("metrics", "GET", "/metrics"))
