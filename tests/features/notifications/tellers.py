"""Things that happen in a tenant, and whoever is told of them, for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.features.notifications import following, service
from bursar.features.notifications.delivering import Dispatcher
from bursar.features.notifications.model import Attempt, Delivery
from bursar.features.notifications.sending import Post, network
from bursar.features.notifications.service import Standing
from bursar.kernel.db import Database, Tx
from bursar.kernel.ids import new_id
from tests.others import others_are_over


def happen(tx: Tx, *types: str) -> list[UUID]:
    """Write an event of each of these types."""
    made = [new_id() for _ in types]
    told = [Happening(kind, "done", {"said": kind}) for kind in types]
    written = [event_of(i, None, "", "act", happening) for i, happening in zip(made, told, strict=True)]
    events.record(tx, written)
    return made


@dataclass(frozen=True, slots=True)
class Teller:
    """One tenant's side of webhooks: `database` is the service's, `worker` acts as bursar_worker."""

    database: Database
    worker: Database
    tenant_id: UUID

    async def endpoint(self, url: str = "https://example.com/", types: Sequence[str] = ()) -> UUID:
        """A new endpoint; its URL is looked at by nobody."""
        async with self.database.transaction(self.tenant_id) as tx:
            actor = await approvals.acting(tx, "operator")
            return (await service.create(tx, actor, url, "", types)).endpoint.id

    async def happened(self, *types: str) -> list[UUID]:
        """Events that are over."""
        async with self.database.transaction(self.tenant_id) as tx:
            return happen(tx, *types)

    async def follow(self, chunk: int = 500) -> int:
        """Follow once; how many events were passed."""
        await others_are_over(self.worker)
        async with self.worker.transaction(self.tenant_id) as tx:
            return await following.follow(tx, chunk)

    async def standing(self, endpoint_id: UUID) -> Standing:
        """An endpoint as it stands."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            return await service.find(tx, endpoint_id)

    async def deliveries(self, endpoint_id: UUID | None = None) -> list[Delivery]:
        """Deliveries, oldest first."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            return (await service.list_deliveries(tx, endpoint_id, None, None, 10_000))[::-1]

    async def log(self, delivery: Delivery) -> list[Attempt]:
        """The attempts of a delivery."""
        async with self.database.transaction(self.tenant_id, read_only=True) as tx:
            return await service.list_attempts(tx, delivery)

    async def told(self, endpoint_id: UUID) -> list[UUID]:
        """The events that an endpoint has deliveries of, in the order in which they were made."""
        return [delivery.event_id for delivery in await self.deliveries(endpoint_id) if delivery.event_id]

    def dispatcher(self, lease_seconds: float = 30.0) -> Dispatcher:
        """Sends to this machine over plain http."""
        return Dispatcher(self.worker, Post(network(), plain_to_loopback=True).send, lease_seconds)
