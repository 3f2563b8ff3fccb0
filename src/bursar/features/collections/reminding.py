"""A borrower is reminded: by an agent within its mandate or by people, as the rules of contact allow.

The loan's lock is held from before the rules are asked until the reminder is kept, so that of two at once the second
one sees the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.model import Ask, Begun, PendingApproval, Told
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.orders import Claims, Order, Undertake
from bursar.core.ledger.outcomes import Refused
from bursar.features.collections import contact, holding, mail_store, promise_store, ruling, store, templates
from bursar.features.collections.contact import History, Rules
from bursar.features.collections.model import Channel, Collection, PersonNeeded, Reminder
from bursar.features.collections.templates import Facts
from bursar.features.lending import application_store
from bursar.features.lending.delinquency import days_past_due
from bursar.features.lending.loan import Loan
from bursar.features.lending.recording import product_of
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money, show_minor

ACTION = "create_reminder"


class Wanted(NamedTuple):
    """A reminder as it is asked for; `token` is that of the step that an agent holds."""

    loan_id: UUID | None
    template: str
    channel: Channel
    token: int | None = None


class Ready(NamedTuple):
    """A reminder that may be kept, of a loan that is locked."""

    reminder: Reminder
    loan: Loan
    collection: Collection


async def ready(tx: Tx, actor: Actor, wanted: Wanted) -> Ready:
    """Word a reminder; refuses what the rules of contact do not allow now, and who may not."""
    loan, collection = await holding.locked(tx, actor, wanted.loan_id, wanted.token)
    words, rules = await ruling.words_of(tx, wanted.template), await ruling.rules_of(tx, loan.product)
    application = await application_store.find_application(tx, loan.application_id)
    assert application, "a loan has an application"
    now = await reading.clock(tx)
    zone = application.intake.time_zone or rules.time_zone
    contact.refuse(rules, zone, await _history(tx, loan, rules, now), now)
    subject, body = templates.rendered(words, _facts_of(loan))
    made = Reminder(
        new_id(), loan.id, collection.id, words.name, words.version, rules.product, rules.version, wanted.channel,
        application.intake.email if wanted.channel == "email" else None, subject, body,
        sha256(f"{subject}\n{body}".encode()).digest(), actor.principal_id, new_id(), now,
    )  # fmt: skip
    return Ready(made, loan, collection)


async def keep(tx: Tx, actor: Actor, found: Ready, token: int | None, request_id: str) -> None:
    """Keep a reminder: from then on it is on its way. Refuses an agent whose step has changed hands meanwhile."""
    await holding.refuse_lost(tx, actor, found.collection, token)
    made = found.reminder
    store.insert_reminder(tx, made)
    if made.channel == "email":
        mail_store.insert_mail(tx, made.id, made.made_at)
    events.record(tx, [event_of(made.event_id, actor, request_id, ACTION, _told(found))])


@dataclass(slots=True)
class Reminding:
    """One reminder, as the `Aside` of its instruction."""

    ask: Ask
    wanted: Wanted
    mandate_id: UUID | None = None
    event: UUID = field(default_factory=new_id)
    # Set once it may be kept.
    found: Ready | None = None
    # Whom it went to is not for agents to see.
    to_people: bool = False
    _account: str = ""

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Whether the borrower may be reminded now, and in which words."""
        self.to_people, self.found = actor.kind != "agent", await ready(tx, actor, self.wanted)
        self._account = (await product_of(tx, self.found.loan)).account
        return None

    def orders(self, actor: Actor) -> Sequence[Order]:
        """It uses no limit, and must be covered by the mandate all the same."""
        del actor
        assert self.found
        loan = self.found.loan
        money, what = Money(loan.known().overdue, loan.currency), f"reminder: {loan.name}"
        return [
            Undertake(self.event, self._account, money, what, Claims(self.mandate_id), subject="loan", counts=False)
        ]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Keep the reminder, if authority allowed it; what is refused here undoes all of it."""
        del event_id
        first = outcomes[0]
        if isinstance(first, Refused):
            return
        if isinstance(first, PendingApproval):
            raise PersonNeeded
        assert self.found
        await keep(tx, actor, self.found, self.wanted.token, self.ask.request_id)


async def _history(tx: Tx, loan: Loan, rules: Rules, now: datetime) -> History:
    promises = await promise_store.list_promises(tx, loan.id)
    still_open = [promise.due_on for promise in promises if promise.status == "open"]
    sent = await store.list_sent(tx, loan.id, now - timedelta(days=rules.days))
    return History(sent, still_open[0] if still_open else None)


def _facts_of(loan: Loan) -> Facts:
    """What is said of a loan that is late."""
    state = loan.known()
    oldest = min(row.due for row in state.open)
    amount = show_minor(state.overdue, loan.currency)
    return Facts(amount, loan.currency, days_past_due(state), oldest.isoformat(), loan.name)


def _told(found: Ready) -> Happening:
    """What the record and webhooks say: the words, which hold nothing of the borrower, and not to whom they went."""
    made = found.reminder
    facts: dict[str, Json] = {
        "body": made.body,
        "bucket": found.loan.bucket,
        "channel": made.channel,
        "collection": show("col", made.collection_id),
        "reminder": show("rem", made.id),
        "subject": made.subject,
        "template": [made.template, made.template_version],
        "text_hash": made.text_hash.hex(),
    }
    return Happening("loan.reminder", made.channel, facts, found.loan.name)
