"""`bursar freeze` and `bursar resume`: the kill switch, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.core.authority import approvals, resuming, switches
from bursar.core.authority.switch_store import FreezeRecord, FreezeScope
from bursar.core.authority.switches import By
from bursar.core.events import service as events
from bursar.core.events.model import Happening
from bursar.faces.cli.place import opened
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show

_MOST_LISTED = 500


async def freeze(
    operator: str, scope: FreezeScope, ref: str | None, reason: str, tenant: str | None, data: Path | None
) -> dict[str, Any]:
    """Stop an agent (by name or id), a mandate, an account (by number or id), or the whole tenant."""
    if (scope == "tenant") != (ref is None):
        raise SystemExit("bursar: name what to freeze, unless it is the whole tenant.")
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        by = By(await approvals.acting(tx, operator), "", "create_freeze")
        stopped = await switches.freeze(tx, by, scope, ref or "", reason)
        _record(tx, by, switches.told_frozen(stopped))
        return {
            **_show(stopped.record),
            "cancelled_approvals": [show("apr", approval_id) for approval_id in stopped.approvals],
            "released_holds": [show("hold", hold_id) for hold_id in stopped.holds],
            "in_flight": list(stopped.in_flight),
            "next": f"Two operators lift it, each by: bursar freeze resume {show('frz', stopped.record.id)} --operator",
        }


async def resume(operator: str, freeze_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Ask to lift a freeze; the second operator who asks lifts it."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        by = By(await approvals.acting(tx, operator), "", "resume_freeze")
        record = await resuming.resume(tx, by, read("frz", freeze_id))
        _record(tx, by, resuming.told_resumed(record))
        return _show(record)


async def resume_mandate(operator: str, mandate_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """The same for the freeze that paused a mandate."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        by = By(await approvals.acting(tx, operator), "", "resume_mandate")
        record = await resuming.resume_mandate(tx, by, read("mnd", mandate_id))
        _record(tx, by, resuming.told_resumed(record))
        return _show(record)


async def listed(operator: str, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """What is frozen now."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        return [_show(record) for record in await switches.list_for(tx, actor, True, None, _MOST_LISTED)]


def _record(tx: Tx, by: By, happening: Happening) -> None:
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [by.event(told)])


def _show(record: FreezeRecord) -> dict[str, Any]:
    return {
        "id": show("frz", record.id),
        "scope": record.scope,
        "object": switches.show_object(record),
        "reason": record.reason,
        "status": "resumed" if record.resumed_at else "resume_requested" if record.resume_asked_at else "in_force",
        "frozen_by": show("prn", record.frozen_by),
        "frozen_at": record.frozen_at.isoformat(),
    }
