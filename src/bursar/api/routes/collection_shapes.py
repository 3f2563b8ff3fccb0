"""Collections, reminders, promises and rules as the wire shows them, and how rules are read."""

from collections.abc import Sequence

from bursar.features.collections.contact import EVERY_PRODUCT, Rules
from bursar.features.collections.model import Channel, Mail, Promise, Reminder
from bursar.features.collections.ruling import read_rules
from bursar.features.collections.store import KeptRules, KeptWords, Listed
from bursar.features.lending.delinquency import days_past_due
from bursar.features.lending.loan import Loan
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.kernel.zones import known_zone
from bursar.wire import collections as wire


def show_collection(listed: Listed, promises: Sequence[Promise]) -> wire.Collection:
    """A collection with how its loan stands."""
    found, loan = listed.collection, listed.loan
    state = loan.known()
    return wire.Collection(
        id=show("col", found.id),
        loan_id=loan.name,
        job_id=show("job", found.job_id),
        status=found.ended_as or "open",
        bucket=loan.bucket,
        days_past_due=days_past_due(state),
        overdue=show_minor(state.overdue, loan.currency),
        currency=loan.currency,
        reminders=listed.reminders,
        promise=show_promise(loan, promises[-1]) if promises else None,
        opened_at=found.opened_at,
        ended_at=found.ended_at,
    )


def show_promise(loan: Loan, made: Promise) -> wire.LoanPromise:
    """A promise and what became of it."""
    return wire.LoanPromise(
        id=show("prom", made.id),
        loan_id=loan.name,
        amount=show_minor(made.amount_minor, loan.currency),
        currency=loan.currency,
        due_on=made.due_on,
        status=made.status,
        paid=show_minor(made.paid_minor, loan.currency) if made.paid_minor is not None else None,
        reason=made.reason,
        made_by=show("prn", made.made_by),
        made_at=made.made_at,
        ended_at=made.ended_at,
    )


def show_reminder(made: Reminder, mail: Mail | None, *, to_people: bool) -> wire.Reminder:
    """A reminder; to whom it went is not for agents."""
    return wire.Reminder(
        id=show("rem", made.id),
        loan_id=show("loan", made.loan_id),
        collection_id=show("col", made.collection_id),
        template=made.template,
        template_version=made.template_version,
        rules=made.rules_product,
        rules_version=made.rules_version,
        channel=made.channel,
        to=made.recipient if to_people else None,
        subject=made.subject,
        text=made.body,
        text_hash=made.text_hash.hex(),
        mail=wire.ReminderMail(**mail._asdict()) if mail else None,
        sent_by=show("prn", made.sent_by),
        event_id=show("evt", made.event_id),
        made_at=made.made_at,
    )


def new_mail(channel: Channel) -> Mail | None:
    """The mail of a reminder that was made just now."""
    return Mail("pending", 0, None, None) if channel == "email" else None


def read_wanted(body: wire.CreateContactRules) -> Rules:
    """The rules that are asked for."""
    zone = known_zone(body.time_zone, "time_zone")
    return Rules(
        body.product or EVERY_PRODUCT, 0, _minute(body.start), _minute(body.end), zone, body.most, body.days,
        body.promise_days,
    )  # fmt: skip


def show_rules(kept: KeptRules) -> wire.ContactRules:
    """A version of the rules."""
    rules = read_rules(kept)
    return wire.ContactRules(
        product=rules.product,
        version=rules.version,
        start=_clock(rules.start_minute),
        end=_clock(rules.end_minute),
        time_zone=rules.time_zone,
        most=rules.most,
        days=rules.days,
        promise_days=rules.promise_days,
        made_by=show("prn", kept.made_by),
        made_at=kept.made_at,
    )


def show_words(kept: KeptWords) -> wire.ReminderTemplate:
    """A version of a template."""
    return wire.ReminderTemplate(
        name=kept.words.name,
        version=kept.words.version,
        subject=kept.words.subject,
        text=kept.words.body,
        made_by=show("prn", kept.made_by) if kept.made_by else None,
        made_at=kept.made_at,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
