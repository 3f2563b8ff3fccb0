"""`bursar jobs definitions`: what the steps of jobs are, at the database."""

import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bursar.api.routes.job_shapes import show_definition
from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.faces.cli.place import opened
from bursar.features.jobs import defining
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import InvalidArgument
from bursar.wire.job_definitions import CreateJobDefinition

_MOST_LISTED = 10_000


async def listed(tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Every version of every definition."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await defining.list_all(tx, ("", 0), _MOST_LISTED)
    return [show_definition(kept).model_dump(mode="json") for kept in found]


async def shown(name: str, version: int | None, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """One version, or the latest."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return show_definition(await defining.find(tx, name, version)).model_dump(mode="json")


async def added(file: Path, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Keep the next version, which a file holds."""
    wanted = _read(file)
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        made, happening = await defining.define(tx, actor, wanted.name, wanted.model_dump(exclude={"name"}))
        told = happening._replace(payload={**happening.payload, "by": "command line"})
        events.record(tx, [event_of(new_id(), actor, "", "create_job_definition", told)])
    return show_definition(made).model_dump(mode="json")


def _read(file: Path) -> CreateJobDefinition:
    try:
        return CreateJobDefinition.model_validate_json(file.read_bytes())
    except OSError as error:
        sys.exit(f"bursar: {file}: {error.strerror or error}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(step) for step in first["loc"]) or "the file"
        raise InvalidArgument(at, first["msg"]) from None
