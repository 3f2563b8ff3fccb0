"""How a job goes on: where it stands and what is asked in, where it stands then and what happened out. No I/O."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.features.jobs.definition import Definition
from bursar.features.jobs.model import Done, DutiesSeparated, Happened, Job, JobStateConflict, LeaseLost, StepState

_FIRST_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 3600
_UNDO_EVERY_SECONDS = 60
# Whoever waits for these holds the step, and no lease runs out.
_WAITS_FOR: dict[StepState, str] = {
    "awaiting_approval": "a person's approval",
    "awaiting_payment": "what a provider says",
}


class Moved(NamedTuple):
    """A job as it stands now, what happened, and the step that is done by it, if one is."""

    job: Job
    happened: Happened
    done: Done | None = None


def begun(
    definition: Definition, job_id: UUID, initiator: UUID, now: datetime, currency: str, amount_minor: int | None,
    reference: str | None, purpose: str | None,
) -> Moved:  # fmt: skip
    """A new job: whoever makes it has done its first step."""
    first = definition.step(1)
    job = Job(
        job_id, 1, definition.name, definition.version, "active", first.stage, currency, amount_minor, reference,
        purpose, initiator, now, now, None, 1, first.role, "ready", 0, None, now, None, [], None, None, None, None,
        None, None, None, None,
    )  # fmt: skip
    done = Done(1, first.name, first.role, initiator, 1, 1, None, now)
    return Moved(_at(job, definition, 2, [(first.role, initiator)], now), Happened("created", 1, initiator), done)


def _at(job: Job, definition: Definition, number: int, doers: Iterable[tuple[str, UUID]], now: datetime) -> Job:
    """The job at another step, which is anybody's who may do it."""
    step = definition.step(number)
    apart = definition.kept_apart(step.role)
    barred = sorted({who for role, who in doers if role in apart})
    deadline = now + timedelta(seconds=step.timeout_seconds) if step.timeout_seconds else None
    return _free(job)._replace(
        step=number, role=step.role, attempts=0, max_attempts=step.max_attempts, run_at=now, deadline_at=deadline,
        barred=barred, last_error=None,
    )  # fmt: skip


def _free(job: Job) -> Job:
    """The same step, held by nobody and kept for nobody."""
    return job._replace(
        state="ready", holder_id=None, token=None, lease_until=None, approval_id=None, kept_for=None, kept_until=None
    )


def _next(job: Job, now: datetime) -> Job:
    return job._replace(version=job.version + 1, changed_at=now)


def claimed(job: Job, who: UUID, now: datetime, lease_seconds: int) -> Moved:
    """Take the step; the token is the version this makes, so each claim's is above the last one's."""
    after = _next(_free(job), now)._replace(
        state="claimed", holder_id=who, token=job.version + 1, attempts=job.attempts + 1,
        lease_until=now + timedelta(seconds=lease_seconds),
    )  # fmt: skip
    return Moved(after, Happened("claimed", job.step, who))


def refuse_not_held(job: Job, actor: Actor, token: int) -> None:
    """Only who holds the step may do this, by the token of the very claim; a lease that is over counts until lost."""
    if job.state in _WAITS_FOR:
        raise JobStateConflict(f"The step waits for {_WAITS_FOR[job.state]}.")
    if job.state != "claimed" or job.token != token:
        raise LeaseLost("Your token is not that of the step's present claim.")
    if job.holder_id != actor.principal_id:
        raise LeaseLost("Somebody else holds the step.")


def refuse_barred(job: Job, who: UUID, named: str) -> None:
    """Duties are kept apart by principal."""
    if who in job.barred:
        raise DutiesSeparated(named, job.role)


def completed(
    job: Job, definition: Definition, actor: Actor, token: int, doers: Iterable[tuple[str, UUID]], now: datetime,
    note: str | None,
) -> Moved:  # fmt: skip
    """The step is done, and the next one is anybody's; after the last the job is."""
    refuse_not_held(job, actor, token)
    return passed(job, definition, actor.principal_id, doers, now, note)


def passed(
    job: Job, definition: Definition, who: UUID, doers: Iterable[tuple[str, UUID]], now: datetime, note: str | None
) -> Moved:
    """The step at hand is done by this principal."""
    refuse_barred(job, who, "You")
    step = definition.step(job.step)
    assert job.token
    done = Done(job.step, step.name, step.role, who, job.token, job.attempts, note, now)
    after = _next(job, now)._replace(stage=step.stage)
    if job.step == len(definition.steps):
        after = _closed(after)._replace(status="done", ended_at=now)
    else:
        after = _at(after, definition, job.step + 1, [*doers, (step.role, who)], now)
    return Moved(after, Happened("completed", job.step, who, note), done)


def awaiting(job: Job, actor: Actor, token: int, approval_id: UUID, now: datetime) -> Moved:
    """A person must approve what the step does; until then nobody can do it again."""
    refuse_not_held(job, actor, token)
    after = _next(job, now)._replace(state="awaiting_approval", approval_id=approval_id, lease_until=None)
    return Moved(after, Happened("awaiting_approval", job.step, actor.principal_id))


def paying(job: Job, actor: Actor, token: int, now: datetime, note: str | None) -> Moved:
    """A provider is asked to do what the step is for; until it has said what became of it nobody can do it again."""
    refuse_not_held(job, actor, token)
    refuse_barred(job, actor.principal_id, "You")
    after = _next(job, now)._replace(state="awaiting_payment", lease_until=None)
    return Moved(after, Happened("awaiting_payment", job.step, actor.principal_id, note))


def failed(
    job: Job, definition: Definition, actor: Actor, token: int, reason: str, now: datetime, *, retry: bool
) -> Moved:
    """The step could not be done: it is tried again later, or for the last time, and then all is undone."""
    refuse_not_held(job, actor, token)
    captured = definition.has_captured(job.step)
    if not retry and actor.kind == "agent" and not definition.pays:
        raise JobStateConflict("Bursar ends this job itself: an agent has the step tried again, or hands it over.")
    if not retry and captured and actor.kind == "agent":
        raise JobStateConflict("The money has moved: an agent cannot take it back by failing; an operator may cancel.")
    if (not retry) or (_is_used_up(job) and not captured):
        return undoing(job, "failed", actor.principal_id, reason, now)
    happened = Happened("retried", job.step, actor.principal_id, reason)
    return Moved(_again(_next(job, now), now, reason), happened)


def _is_used_up(job: Job) -> bool:
    return job.max_attempts is not None and job.attempts >= job.max_attempts


def _again(job: Job, now: datetime, reason: str) -> Job:
    return _free(job)._replace(run_at=now + timedelta(seconds=pause_seconds(job.attempts)), last_error=reason)


def pause_seconds(attempts: int) -> int:
    """How long to wait before the next attempt: 1, 2, 4 seconds and so on, up to an hour."""
    return min(_FIRST_PAUSE_SECONDS << min(max(attempts - 1, 0), 20), _LONGEST_PAUSE_SECONDS)


def handed_over(job: Job, actor: Actor, token: int, to: UUID, name: str, reason: str | None, now: datetime) -> Moved:
    """The step is kept for another principal for as long as the lease was to last, then it is anybody's."""
    refuse_not_held(job, actor, token)
    refuse_barred(job, to, name)
    kept_until = max(job.lease_until or now, now + timedelta(seconds=_UNDO_EVERY_SECONDS))
    # Nobody has failed at it.
    after = _free(_next(job, now))._replace(
        kept_for=to, kept_until=kept_until, run_at=now, attempts=max(job.attempts - 1, 0)
    )
    return Moved(after, Happened("handed_over", job.step, actor.principal_id, reason))


def canceled(job: Job, definition: Definition, actor: Actor, reason: str, now: datetime) -> Moved:
    """Undo what was done and end; who initiated it may until the money has moved, people and services always."""
    if job.status != "active":
        raise JobStateConflict(f"The job is {job.status}.")
    if actor.kind == "agent" and not definition.pays:
        raise JobStateConflict("Bursar ends this job itself; an operator may cancel it.")
    if actor.kind == "agent" and actor.principal_id != job.initiated_by:
        raise JobStateConflict("An agent cancels only what it initiated itself.")
    if actor.kind == "agent" and definition.has_captured(job.step):
        raise JobStateConflict("The money has moved: an agent cannot take it back; an operator may cancel.")
    if job.state in _WAITS_FOR:
        raise JobStateConflict(f"The step waits for {_WAITS_FOR[job.state]}; only then can it be given up.")
    return undoing(job, "canceled", actor.principal_id, reason, now)


def overdue(job: Job, definition: Definition, now: datetime) -> Moved | None:
    """What time alone does: a step that took too long ends the job, a lease that is over frees the step."""
    captured = definition.has_captured(job.step)
    if job.status != "active" or job.state in _WAITS_FOR:
        return None
    if job.deadline_at and job.deadline_at <= now and not captured:
        return undoing(job, "failed", None, "The step took too long.", now)
    if job.state != "claimed" or not job.lease_until or job.lease_until > now:
        return None
    if _is_used_up(job) and not captured:
        return undoing(job, "failed", None, "Every attempt at the step failed or its lease ran out.", now)
    after = _free(_next(job, now))._replace(run_at=now, last_error="The lease ran out.")
    return Moved(after, Happened("lease_lost", job.step, None))


def noted(job: Job, fact: str, now: datetime) -> Moved:
    """Something that whoever does the step should know; who holds it goes on holding it."""
    return Moved(_next(job, now)._replace(last_error=fact), Happened("noted", job.step, None, fact))


def undoing(job: Job, ends_as: str, who: UUID | None, reason: str, now: datetime) -> Moved:
    """From now on what was done is undone, the last first."""
    assert ends_as in ("failed", "canceled")
    after = _closed(_next(job, now))._replace(
        status="compensating", ends_as=ends_as, last_error=reason, run_at=now, attempts=0
    )
    return Moved(after, Happened("compensating", job.step, who, reason))


def undone(job: Job, now: datetime, step: int, *, is_all: bool) -> Moved:
    """A step was undone; with the last of them the job has ended."""
    assert job.status == "compensating"
    assert job.ends_as
    after = _next(job, now)
    if is_all:
        after = after._replace(status=job.ends_as, ends_as=None, ended_at=now)
    return Moved(after, Happened("compensated", step, None))


def undo_put_off(job: Job, now: datetime, reason: str) -> Moved:
    """It could not be undone yet, say because the money is no longer there: it is tried again."""
    later = now + timedelta(seconds=max(pause_seconds(job.attempts + 1), 1))
    after = _next(job, now)._replace(attempts=job.attempts + 1, run_at=later, last_error=reason)
    return Moved(after, Happened("retried", job.step, None, reason))


def _closed(job: Job) -> Job:
    return _free(job)._replace(state="closed", deadline_at=None)
