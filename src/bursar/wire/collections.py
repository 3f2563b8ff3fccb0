"""Collections on the wire: loans that are late, reminders, promises to pay, and the rules that reminders go by."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bursar.wire.fields import Amount, Asked, AskedInPart, MoneyText, Time, Told
from bursar.wire.jobs import Token
from bursar.wire.lending import ProductCode, Reason
from bursar.wire.loans import Bucket, Day, Mandate
from bursar.wire.mandates import Zone

Channel = Literal["webhook", "email"]
TemplateName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", examples=["payment_overdue"])]
StepToken = Annotated[Token, Field(description="Of the step of the loan's job; agents need it, people do not.")]
HourOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", examples=["08:00"])]


class CreateReminder(Asked):
    """Remind the borrower of a loan that is late: in which words, and how they reach them."""

    template: TemplateName
    channel: Channel
    token: StepToken | None = None
    mandate: Mandate | None = None


class CreatePromise(Asked):
    """The borrower's word: so much by the end of a day (UTC)."""

    amount: Amount
    due_on: Day
    token: StepToken | None = None


class CancelPromise(Asked):
    """Why a promise is taken back."""

    reason: Reason


class CreateContactRules(AskedInPart):
    """When and how often borrowers are reminded, for the loans of a product or, without one, of all others.

    The hours are those of the borrower's day, in `time_zone` where the application names none. At most `most`
    reminders of a loan in any `days` days; a promise may be for at most `promise_days` ahead.
    """

    product: ProductCode | None = None
    start: HourOfDay = "08:00"
    end: HourOfDay = "20:00"
    time_zone: Zone = "UTC"
    most: Annotated[int, Field(ge=1, le=1000, examples=[3])] = 3
    days: Annotated[int, Field(ge=1, le=366, examples=[7])] = 7
    promise_days: Annotated[int, Field(ge=1, le=366, examples=[30])] = 30

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> "CreateContactRules":
        if self.start >= self.end:
            raise ValueError("start must be before end, on the same day")
        return self


class CreateReminderTemplate(Asked):
    """The words of a reminder, with places for facts of the loan and for nothing else.

    They are $amount_due, $currency, $days_past_due, $due_date and $loan; `$$` is a dollar sign.
    """

    name: TemplateName
    subject: Annotated[str, Field(min_length=1, max_length=200, examples=["$amount_due $currency is overdue"])]
    text: Annotated[str, Field(min_length=1, max_length=2000, examples=["Please pay $amount_due $currency."])]


class LoanPromise(Told):
    """A promise to pay; once it has ended, `paid` is what had come of it by value date."""

    id: str
    loan_id: str
    amount: MoneyText
    currency: str
    due_on: Day
    status: Literal["open", "kept", "broken", "cancelled"]
    paid: MoneyText | None
    reason: str | None
    made_by: str
    made_at: Time
    ended_at: Time | None


class Collection(Told):
    """A loan that is or was late. `job_id` is the job whose steps agents claim; the figures are of today.

    `promise` is the latest; `status` is `open`, or why it ended.
    """

    id: str
    loan_id: str
    job_id: str
    status: Literal["open", "paid", "paused", "charged_off", "written_off"]
    bucket: Bucket
    days_past_due: int
    overdue: MoneyText
    currency: str
    reminders: int
    promise: LoanPromise | None
    opened_at: Time
    ended_at: Time | None


class ReminderMail(Told):
    """How far a mail has come. `unknown`: the server may have taken it, so it is not sent again."""

    status: Literal["pending", "sending", "sent", "failed", "unknown"]
    attempts: int
    error: str | None
    ended_at: Time | None


class Reminder(Told):
    """A reminder as it was made. `text_hash` is the SHA-256 of subject, line feed, text. `to` is shown to people only.

    `rules_version` 0 and `template_version` 0 come with Bursar.
    """

    id: str
    loan_id: str
    collection_id: str
    template: str
    template_version: int
    rules: str
    rules_version: int
    channel: Channel
    to: str | None
    subject: str
    text: str
    text_hash: str
    mail: ReminderMail | None
    sent_by: str
    event_id: str
    made_at: Time


class ContactRules(Told):
    """A version of the rules of contact, of a product or, under `*`, of all that have none of their own."""

    product: str
    version: int
    start: str
    end: str
    time_zone: str
    most: int
    days: int
    promise_days: int
    made_by: str
    made_at: Time


class ReminderTemplate(Told):
    """A version of a template; version 0 comes with Bursar and is nobody's."""

    name: str
    version: int
    subject: str
    text: str
    made_by: str | None
    made_at: Time | None


class AllContactRules(Told):
    """Every version of all rules, by product; those that come with Bursar count where there are none."""

    items: list[ContactRules]


class ReminderTemplates(Told):
    """Every version of every template, by name; the latest version of a name counts."""

    items: list[ReminderTemplate]
