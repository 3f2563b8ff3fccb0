"""`bursar lending applications`: applications and their decisions, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.api.routes.application_shapes import see, show_application, show_event
from bursar.faces.cli.place import opened
from bursar.features.lending import application_store, checking
from bursar.features.lending.application import Application, Status
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import UnknownObject

_MOST_LISTED = 500


async def listed(
    status: Status | None, email: str | None, tenant: str | None, data: Path | None
) -> list[dict[str, Any]]:
    """Applications, oldest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        known_by = email.lower() if email else None
        found = await application_store.list_applications(tx, None, status, known_by, None, _MOST_LISTED)
        return [show_application(await see(tx, each)).model_dump(mode="json") for each in found]


async def shown(application_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """One application."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return show_application(await see(tx, await _find(tx, application_id))).model_dump(mode="json")


async def events(application_id: str, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Its trail, oldest first."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await _find(tx, application_id)
        occurred = await application_store.list_events(tx, found.id, 0, _MOST_LISTED)
    return [show_event(each).model_dump(mode="json") for each in occurred]


async def replay(application_id: str, tenant: str | None, data: Path | None) -> list[dict[str, str | bool]]:
    """Each decision, and whether it comes out as it did then when it is made again from what is kept of it."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await _find(tx, application_id)
        return await checking.remade(tx, found.id)


async def _find(tx: Tx, application_id: str) -> Application:
    known = read("app", application_id)
    found = await application_store.find_application(tx, known) if known else None
    if found is None:
        raise UnknownObject("application")
    return found
