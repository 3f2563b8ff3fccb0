"""`bursar jobs`: what agents are doing together, from the machine that holds the database."""

from pathlib import Path
from typing import Any

from bursar.api.routes.job_shapes import show_job, show_report
from bursar.faces.cli.place import opened
from bursar.features.jobs import reading
from bursar.features.jobs.model import JobStatus
from bursar.kernel.ids import read
from bursar.wire.jobs import JobReport

_MOST_LISTED = 500


async def listed(
    status: JobStatus | None, definition: str | None, tenant: str | None, data: Path | None
) -> list[dict[str, Any]]:
    """The newest jobs, in one status or of one definition if asked."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await reading.see_many(tx, status, definition, None, _MOST_LISTED)
    return [show_job(seen).model_dump(mode="json") for seen in found]


async def shown(job_id: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """One job."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return show_job(await reading.see(tx, read("job", job_id))).model_dump(mode="json")


async def report(job_id: str, tenant: str | None, data: Path | None) -> JobReport:
    """Everything about a job."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return show_report(await reading.report(tx, read("job", job_id)))
