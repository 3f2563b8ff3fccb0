"""What reminders say: versions of words, with places for facts of the loan and for nothing else. No I/O."""

from string import Template
from typing import NamedTuple

from bursar.kernel.refusal import InvalidArgument

# What may stand in a template as `$name` or `${name}`.
FACTS = ("amount_due", "currency", "days_past_due", "due_date", "loan")


class Words(NamedTuple):
    """A version of a template; version 0 comes with Bursar."""

    name: str
    version: int
    subject: str
    body: str


class Facts(NamedTuple):
    """What is said of a loan: `amount_due` in major units, `due_date` of the oldest that is unpaid."""

    amount_due: str
    currency: str
    days_past_due: int
    due_date: str
    loan: str


BUILT_IN: dict[str, Words] = {
    words.name: words
    for words in (
        Words(
            "payment_overdue",
            0,
            "Your loan payment of $amount_due $currency is overdue",
            "A payment for your loan $loan was due on $due_date and has not arrived. $amount_due $currency is due now. "
            "If you have paid in the meantime, please disregard this message.",
        ),
        Words(
            "second_notice",
            0,
            "Second notice: $amount_due $currency is overdue",
            "Your loan $loan is $days_past_due days past due since $due_date. $amount_due $currency is due now. "
            "Please pay, or answer with the date on which you will.",
        ),
        Words(
            "final_notice",
            0,
            "Final notice: $amount_due $currency is overdue",
            "Your loan $loan is $days_past_due days past due since $due_date. $amount_due $currency is due now. "
            "Without a payment or a promise to pay, people will decide how to go on with your loan.",
        ),
    )
}


def refuse_words(words: Words) -> None:
    """Refuse a template with a place for anything but a fact of the loan."""
    for name, text in (("subject", words.subject), ("text", words.body)):
        template = Template(text)
        if not template.is_valid() or not set(template.get_identifiers()) <= set(FACTS):
            raise InvalidArgument(name, f"has places such as $amount_due for these facts only: {', '.join(FACTS)}")


def rendered(words: Words, facts: Facts) -> tuple[str, str]:
    """The subject and the body with the facts in their places."""
    values = facts._asdict()
    return Template(words.subject).substitute(values), Template(words.body).substitute(values)
