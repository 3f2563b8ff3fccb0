"""`bursar upstream settle`: what became of a transfer without an answer, at the database."""

from pathlib import Path
from typing import Any

from bursar.api.routes.payment_shapes import show_settled
from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.faces.cli.place import opened
from bursar.faces.cli.providers import connected
from bursar.features.payments import settling_transfers
from bursar.features.payments.calling import Shop
from bursar.features.payments.resolving import resolve
from bursar.features.payments.settling_transfers import Decision
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read
from bursar.kernel.settings import Settings


async def settle(
    operator: str, transfer_id: str, decision: Decision, reason: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Settle a transfer; to ask again is to make the same call again."""
    async with opened(data, tenant) as place, connected(place, Settings()) as providers:
        shop, known = Shop(place.database, providers), read("tr", transfer_id)
        if decision == "ask_again":
            async with place.database.transaction(place.tenant_id) as tx:
                actor = await approvals.acting(tx, operator)
                asked_id, happening = await settling_transfers.ask_again(tx, shop.now, known, reason)
                _record(tx, actor, happening)
            await resolve(shop, place.tenant_id, asked_id, at_once=True)
        async with place.database.transaction(place.tenant_id) as tx:
            actor = await approvals.acting(tx, operator)
            settled, happening = await settling_transfers.settle(tx, actor, shop.now, known, decision, reason)
            _record(tx, actor, happening)
    return show_settled(settled).model_dump(mode="json")


def _record(tx: Tx, actor: Actor, happening: Happening) -> None:
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", "settle_transfer", told)])
