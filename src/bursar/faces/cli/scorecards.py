"""`bursar lending scorecards`: at the database, like `bursar risk rules`."""

from pathlib import Path
from typing import Any

from bursar.api.routes.scorecards import show_scorecard
from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.identity.model import Actor
from bursar.faces.cli.place import opened
from bursar.features.lending import scorecard_store, scorecards
from bursar.features.lending.scorecard import find_card, write_card
from bursar.features.lending.scorecard_store import Standing, Status
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id

_MOST_LISTED = 1_000


async def listed(tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """The versions and where they stand."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [_facts(standing) for standing in await scorecard_store.list_versions(tx, ("", 0), _MOST_LISTED)]


async def draft(file: Path | None, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Keep the version that a file holds, or the one that comes with Bursar."""
    card = write_card(find_card(file))
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        return _recorded(tx, actor, "draft_scorecard", await scorecards.draft(tx, actor.principal_id, card))


async def become(
    status: Status, scorecard: str, operator: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Bring a version there."""
    action = "activate_scorecard" if status == "active" else "retire_scorecard"
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        return _recorded(tx, actor, action, await scorecards.become(tx, actor.principal_id, scorecard, status))


def _recorded(tx: Tx, actor: Actor, action: str, standing: Standing) -> dict[str, Any]:
    happening = scorecards.told(standing)
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", action, told)])
    return _facts(standing)


def _facts(standing: Standing) -> dict[str, Any]:
    return show_scorecard(standing).model_dump(mode="json")
