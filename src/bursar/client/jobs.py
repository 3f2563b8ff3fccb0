"""Jobs: initiate them, do their steps, wait for them, read what became of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.connection import Call
from bursar.client.failures import CallFailed
from bursar.client.room import Room, items_of
from bursar.wire.fields import Page
from bursar.wire.job_definitions import JobDefinition, WantedStep
from bursar.wire.jobs import Claimed, Job, JobEvent, JobReport, JobStatus, WantedShare

_GOES_ON = ("active", "compensating")
# Before a stream that broke is taken up again, longer each time that it could not be.
_PAUSE_SECONDS = 0.1
_MOST_FAILURES = 8


class Jobs(Room):
    """A step is claimed with a lease, and done by the token of the claim; a stale token does nothing."""

    async def create_job_definition(
        self,
        *,
        name: str,
        steps: Sequence[WantedStep],
        separate: Sequence[tuple[str, str]] | None = None,
        idempotency_key: str | None = None,
    ) -> JobDefinition:
        """Make the next version of a definition; operators only."""
        pairs = [list(pair) for pair in separate] if separate is not None else None
        body = given(name=name, steps=[step.model_dump() for step in steps], separate=pairs)
        return await self._change(JobDefinition, "create_job_definition", "/v1/job-definitions", body, idempotency_key)

    async def list_job_definitions(self, *, cursor: str | None = None, limit: int | None = None) -> Page[JobDefinition]:
        """What the steps of jobs are: every version, a page at a time."""
        query = given(cursor=cursor, limit=limit)
        return await self._read(Page[JobDefinition], "list_job_definitions", "/v1/job-definitions", query)

    async def get_job_definition(self, definition: str, *, version: int | None = None) -> JobDefinition:
        """One version of a definition, or its latest."""
        path = f"/v1/job-definitions/{segment(definition)}"
        return await self._read(JobDefinition, "get_job_definition", path, given(version=version))

    async def create_job(
        self,
        *,
        definition: str,
        currency: str,
        shares: Sequence[WantedShare],
        version: int | None = None,
        amount: Amount | None = None,
        reference: str | None = None,
        purpose: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Initiate a job; `amount` is the most it may cost."""
        body = given(
            definition=definition,
            version=version,
            amount=exact(amount),
            currency=currency,
            shares=[share.model_dump() for share in shares],
            reference=reference,
            purpose=purpose,
        )
        return await self._change(Job, "create_job", "/v1/jobs", body, idempotency_key)

    async def list_jobs(
        self,
        *,
        status: JobStatus | None = None,
        definition: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Job]:
        """Jobs, the newest first, a page at a time."""
        query = given(status=status, definition=definition, cursor=cursor, limit=limit)
        return await self._read(Page[Job], "list_jobs", "/v1/jobs", query)

    def iterate_jobs(self, *, status: JobStatus | None = None, definition: str | None = None) -> AsyncIterator[Job]:
        """All jobs, the newest first."""
        return items_of(lambda cursor: self.list_jobs(status=status, definition=definition, cursor=cursor, limit=500))

    async def get_job(self, job_id: str, *, wait: int | None = None, after: int | None = None) -> Job:
        """One job; with `wait` seconds and the version you know as `after`, when it has changed."""
        return await self._read(Job, "get_job", f"/v1/jobs/{segment(job_id)}", given(wait=wait, after=after))

    async def list_job_events(
        self, job_id: str, *, wait: int | None = None, after: int | None = None, limit: int | None = None
    ) -> Page[JobEvent]:
        """What happened to a job after a version of it; with `wait` seconds, when something has."""
        query = given(wait=wait, after=after, limit=limit)
        return await self._read(Page[JobEvent], "list_job_events", f"/v1/jobs/{segment(job_id)}/events", query)

    async def iterate_job_events(self, job_id: str) -> AsyncIterator[JobEvent]:
        """What happens to a job, from its beginning until it has ended, as it happens.

        It is a stream; one that breaks is taken up after the last event. Raises a CallFailed once Bursar says no, or
        could not be reached several times.
        """
        call, known, failed = Call("list_job_events", "GET", f"/v1/jobs/{segment(job_id)}/events"), 0, 0
        while True:
            try:
                async for data in self._connection.listen(call, known):
                    event = JobEvent.model_validate_json(data)
                    known, failed = event.version, 0
                    yield event
                    if event.status not in _GOES_ON:
                        return
            except CallFailed as failure:
                failed += 1
                if not failure.passing or failed == _MOST_FAILURES:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS * 2**failed)

    async def get_job_report(self, job_id: str) -> JobReport:
        """Everything about a job."""
        return await self._read(JobReport, "get_job_report", f"/v1/jobs/{segment(job_id)}/report")

    async def cancel_job(self, job_id: str, *, reason: str, idempotency_key: str | None = None) -> Job:
        """Give a job up: what was done is undone."""
        return await self._step(job_id, "cancel_job", "cancel", idempotency_key, reason=reason)

    async def claim_step(
        self,
        *,
        roles: Sequence[str] | None = None,
        definition: str | None = None,
        job_id: str | None = None,
        lease_seconds: int | None = None,
        wait: int | None = None,
        idempotency_key: str | None = None,
    ) -> Claimed:
        """Take the step that has waited longest of those you may do; with `wait` seconds, when there is one."""
        named = list(roles) if roles is not None else None
        body = given(roles=named, definition=definition, job_id=job_id, lease_seconds=lease_seconds)
        path = "/v1/jobs/claim" if wait is None else f"/v1/jobs/claim?wait={wait:d}"
        return await self._change(Claimed, "claim_step", path, body, idempotency_key)

    async def renew_step(
        self, job_id: str, *, token: int, lease_seconds: int | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Hold on to the step: its lease lasts so many seconds from now."""
        return await self._step(
            job_id, "renew_step", "renew", idempotency_key, token=token, lease_seconds=lease_seconds
        )

    async def complete_step(
        self, job_id: str, *, token: int, amount: Amount | None = None, note: str | None = None, idempotency_key: str
    ) -> Job:
        """Say that the step is done; what it does to money happens with it."""
        return await self._step(
            job_id, "complete_step", "complete", idempotency_key, token=token, amount=exact(amount), note=note
        )

    async def fail_step(
        self, job_id: str, *, token: int, reason: str, retry: bool | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Say that the step could not be done: it is tried again later, or without `retry` the job is undone."""
        return await self._step(job_id, "fail_step", "fail", idempotency_key, token=token, reason=reason, retry=retry)

    async def hand_over_step(
        self, job_id: str, *, token: int, to: str, reason: str | None = None, idempotency_key: str | None = None
    ) -> Job:
        """Have somebody else, by name or id, do the step."""
        return await self._step(
            job_id, "hand_over_step", "hand-over", idempotency_key, token=token, to=to, reason=reason
        )

    async def _step(self, job_id: str, operation: str, verb: str, key: str | None, **asked: object) -> Job:
        return await self._change(Job, operation, f"/v1/jobs/{segment(job_id)}/{verb}", given(**asked), key)
