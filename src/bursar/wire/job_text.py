"""The report of a job as text for people, the same at the door and on the command line."""

from collections.abc import Sequence

from bursar.wire.fields import show_time
from bursar.wire.jobs import JobReport


def report_text(report: JobReport) -> str:
    """A page: the job, its steps, its shares, the sums, what happened."""
    job = report.job
    reference = f" {job.reference}" if job.reference else ""
    sums = f"captured {report.captured}, reversed {report.reversed}, held {report.held}"
    lines = [
        f"Job {job.id}{reference}: {job.definition} {job.definition_version}, {job.status}, {job.stage}",
        f"Amount {job.amount or 'not priced'} {job.currency}: {sums}",
        *([f"Last error: {job.last_error}"] if job.last_error else []),
        "",
        *_table(
            ["step", "role", "by", "attempts", "at", "note"],
            [
                [s.name, s.role, s.done_by_name, str(s.attempts), show_time(s.done_at), s.note or ""]
                for s in report.steps
            ],
        ),
        "",
        *_table(
            ["from", "to", "amount", "state", "hold", "transfer"],
            [
                [
                    s.source or s.payment_method or "", s.target or s.destination or "", s.amount or "", s.state,
                    s.hold_id or s.payment_id or s.payout_id or "", s.transfer_id or "",
                ]
                for s in job.shares
            ],
        ),
        "",
        *_table(
            ["version", "event", "step", "by", "at", "note"],
            [
                [str(e.version), e.type, e.step, e.actor_name or "Bursar", show_time(e.at), e.note or ""]
                for e in report.events
            ],
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(text) for text in column) for column in zip(heads, *rows, strict=True)]
    return ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)]
