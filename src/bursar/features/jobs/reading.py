"""Reading jobs: one as it stands, many, what happened, and the report of all that a job did."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity import service as identity
from bursar.core.identity.model import Principal
from bursar.features.jobs import definition_store, trail_store
from bursar.features.jobs.definition import Definition, read_definition
from bursar.features.jobs.model import Done, Job, JobStatus, Occurred, Share
from bursar.features.jobs.service import known
from bursar.kernel.db import Tx
from bursar.kernel.ids import read

_MOST_EVENTS = 1000


class Seen(NamedTuple):
    """A job with what it goes by and what became of its shares."""

    job: Job
    definition: Definition
    shares: Sequence[Share]


class Report(NamedTuple):
    """All that a job did; `names` are those of the principals in it. Amounts in minor units."""

    seen: Seen
    steps: Sequence[Done]
    names: dict[UUID, str]
    events: Sequence[Occurred]
    held_minor: int
    captured_minor: int
    reversed_minor: int


async def see(tx: Tx, job_id: UUID | None) -> Seen:
    """One job as it stands."""
    found = await known(tx, job_id)
    shares = [share for _, share in await trail_store.list_shares(tx, [found.job.id])]
    return Seen(found.job, read_definition(found.definition), shares)


async def see_many(
    tx: Tx, status: JobStatus | None, definition: str | None, before: UUID | None, limit: int
) -> list[Seen]:
    """Jobs, the newest first."""
    jobs = await trail_store.list_jobs(tx, status, definition, before, limit)
    shares: dict[UUID, list[Share]] = {job.id: [] for job in jobs}
    for job_id, share in await trail_store.list_shares(tx, list(shares)):
        shares[job_id].append(share)
    names, versions = [job.definition for job in jobs], [job.definition_version for job in jobs]
    kept = await definition_store.list_named(tx, names, versions)
    by_name = {(k.name, k.version): read_definition(k.body) for k in kept}
    return [Seen(job, by_name[job.definition, job.definition_version], shares[job.id]) for job in jobs]


async def list_events(tx: Tx, job_id: UUID | None, after: int, limit: int) -> tuple[Seen, list[Occurred]]:
    """A job and what happened to it after a version of it."""
    seen = await see(tx, job_id)
    return seen, await trail_store.list_events(tx, seen.job.id, after, limit)


async def report(tx: Tx, job_id: UUID | None) -> Report:
    """Who did what, what became of each share, and the sums."""
    seen = await see(tx, job_id)
    steps = await trail_store.list_steps(tx, seen.job.id)
    events = await trail_store.list_events(tx, seen.job.id, 0, _MOST_EVENTS)
    names = await trail_store.list_names(tx, list({step.done_by for step in steps}))
    captured = [share for share in seen.shares if "captured" in share.kinds]
    held = [share for share in seen.shares if share.state == "reserved"]
    taken_back = [share for share in seen.shares if share.state == "reversed"]
    return Report(seen, steps, names, events, _sum(held), _sum(captured), _sum(taken_back))


def _sum(shares: Sequence[Share]) -> int:
    return sum(share.amount_minor or 0 for share in shares)


async def find_principal(tx: Tx, ref: str) -> Principal | None:
    """Somebody by name or id, whom a step may be handed to."""
    found = read("prn", ref)
    if found is None:
        return await identity.find_principal_named(tx, ref)
    return (await identity.lock_principals(tx, [found])).get(found)
