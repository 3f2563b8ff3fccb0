"""Jobs as the wire shows them."""

from bursar.features.jobs.definition import Definition, read_definition
from bursar.features.jobs.definition_store import Kept
from bursar.features.jobs.model import Job, Occurred, Share
from bursar.features.jobs.reading import Report, Seen
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.wire import jobs as wire
from bursar.wire.job_definitions import JobDefinition


def show_job(seen: Seen) -> wire.Job:
    """A job with the step it is at."""
    job, currency = seen.job, seen.job.currency
    return wire.Job(
        id=show("job", job.id),
        version=job.version,
        definition=job.definition,
        definition_version=job.definition_version,
        status=job.status,
        stage=job.stage,
        amount=show_minor(job.amount_minor, currency) if job.amount_minor is not None else None,
        currency=currency,
        reference=job.reference,
        purpose=job.purpose,
        initiated_by=show("prn", job.initiated_by),
        created_at=job.created_at,
        changed_at=job.changed_at,
        ended_at=job.ended_at,
        last_error=job.last_error,
        step=_show_step(job, seen.definition) if job.status == "active" else None,
        shares=[_show_share(share, currency) for share in seen.shares],
    )


def _show_step(job: Job, definition: Definition) -> wire.JobStep:
    step = definition.step(job.step)
    return wire.JobStep(
        number=job.step,
        name=step.name,
        role=job.role,
        effect=step.effect,
        state=job.state,
        attempts=job.attempts,
        not_before=job.run_at,
        deadline=job.deadline_at,
        holder=show("prn", job.holder_id) if job.holder_id else None,
        token=job.token,
        lease_until=job.lease_until,
        kept_for=show("prn", job.kept_for) if job.kept_for else None,
        approval_id=show("apr", job.approval_id) if job.approval_id else None,
    )


def _show_share(share: Share, currency: str) -> wire.JobShare:
    return wire.JobShare(
        source=share.source,
        target=share.target,
        payment_method=show("pm", share.method_id) if share.method_id and share.road == "charge" else None,
        destination=show("pm", share.method_id) if share.method_id and share.road == "payout" else None,
        weight=share.weight,
        amount=show_minor(share.amount_minor, currency) if share.amount_minor is not None else None,
        hold_id=show("hold", share.hold_id) if share.hold_id else None,
        transfer_id=show("tr", share.entry_id) if share.entry_id else None,
        reversal_id=show("tr", share.reversal_id) if share.reversal_id else None,
        payment_id=show("pay", share.payment_id) if share.payment_id else None,
        payout_id=show("po", share.payout_id) if share.payout_id else None,
        state=share.state,
    )


def show_event(happened: Occurred, definition: Definition) -> wire.JobEvent:
    """What happened to a job."""
    return wire.JobEvent(
        version=happened.version,
        type=happened.type,
        status=happened.status,
        stage=happened.stage,
        step=definition.step(happened.step).name,
        actor=show("prn", happened.actor_id) if happened.actor_id else None,
        actor_name=happened.actor,
        note=happened.note,
        at=happened.happened_at,
    )


def show_report(report: Report) -> wire.JobReport:
    """Everything about a job."""
    seen = report.seen
    currency = seen.job.currency
    return wire.JobReport(
        job=show_job(seen),
        steps=[
            wire.JobStepDone(
                number=step.no,
                name=step.name,
                role=step.role,
                done_by=show("prn", step.done_by),
                done_by_name=report.names[step.done_by],
                attempts=step.attempts,
                note=step.note,
                done_at=step.done_at,
            )
            for step in report.steps
        ],
        held=show_minor(report.held_minor, currency),
        captured=show_minor(report.captured_minor, currency),
        reversed=show_minor(report.reversed_minor, currency),
        events=[show_event(happened, seen.definition) for happened in report.events],
    )


def show_definition(kept: Kept) -> JobDefinition:
    """A version of what the steps of a job are."""
    return JobDefinition(
        **read_definition(kept.body).model_dump(),
        made_by=show("prn", kept.made_by) if kept.made_by else None,
        made_at=kept.made_at,
    )
