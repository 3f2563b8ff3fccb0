"""An offer for what was approved: the schedule and what it costs, good until its time is over, accepted or not."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from bursar.core.authority.model import Ask, Begun, PendingApproval, Told
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.core.ledger.orders import Claims, Order, Undertake
from bursar.core.ledger.outcomes import Refused
from bursar.features.lending import application as model
from bursar.features.lending import service, store
from bursar.features.lending.agreeing import agree
from bursar.features.lending.application import Application, ApplicationConflict, NotTheirs
from bursar.features.lending.loan import Loan
from bursar.features.lending.quoting import Quote, quote
from bursar.features.lending.store import Decision, Offer
from bursar.features.lending.trail import told, write
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show


async def make(tx: Tx, actor: Actor, application_id: UUID | None, version: int) -> Application:
    """Offer what was approved, on the terms of the product, for as many days as it says."""
    found = await service.locked(tx, actor, application_id)
    now = await reading.clock(tx)
    model.refuse_stale(found, version)
    model.refuse_expired(found, now)
    model.refuse_not_decider(actor, found)
    after = model.moved(found, "offered", now)
    product = await service.product_of(tx, found)
    offered = quote(product, found.intake.amount_minor, found.intake.installments, now.date())
    until = now + timedelta(days=product.offer_days)
    terms = _terms(found, product.facts["rate_ppm"], offered, now.date())
    hashed = sha256(terms.encode()).digest()
    store.insert_offer(tx, Offer(new_id(), found.id, after.version, terms, hashed, actor.principal_id, now, until))
    after = after._replace(expires_at=until)
    await write(tx, after, "offered", actor.principal_id, {"terms_hash": hashed.hex()})
    return after


def _terms(found: Application, rate_ppm: int, offered: Quote, from_day: date) -> str:
    return canonical(
        {
            "amount_minor": found.intake.amount_minor,
            "apr_ppm": offered.apr_ppm,
            "currency": found.currency,
            "disbursement_fee_minor": offered.fee_minor,
            "from_day": from_day.isoformat(),
            "installments": [
                [due.due.isoformat(), due.principal, due.interest, due.fee] for due in offered.installments
            ],
            "product": [found.product, found.product_version],
            "rate_ppm": rate_ppm,
        }
    )


@dataclass(slots=True)
class Accepting:
    """An offer is accepted, as the `Aside` of its instruction: what an agent takes on counts in its mandate."""

    ask: Ask
    application_id: UUID | None
    version: int
    # Of the terms that were looked at.
    terms_hash: bytes
    mandate_id: UUID | None = None
    event: UUID = field(default_factory=new_id)
    # As it stands once this is done.
    application: Application | None = None
    decisions: Sequence[Decision] = ()
    offer: Offer | None = None
    loan: Loan | None = None
    _account: str = ""
    _now: datetime | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Whether the very offer may be accepted, by whom asks."""
        found = await service.locked(tx, actor, self.application_id)
        self._now = now = await reading.clock(tx)
        model.refuse_stale(found, self.version)
        model.refuse_expired(found, now)
        model.refuse_waiting(found)
        if actor.kind != "operator" and actor.principal_id != found.made_by:
            raise NotTheirs("Only the agent that applied accepts the offer.")
        model.moved(found, "accepted", now)
        self.offer, self.decisions = await store.find_offer(tx, found.id), await store.list_decisions(tx, found.id)
        assert self.offer, "what is offered has an offer"
        if not hmac.compare_digest(self.offer.terms_hash, self.terms_hash):
            raise ApplicationConflict("These are not the terms that were offered: their `terms_hash` is another.")
        self.application, self._account = found, (await service.product_of(tx, found)).account
        return None

    def orders(self, actor: Actor) -> Sequence[Order]:
        """What is taken on uses limits as a payment does."""
        del actor
        assert self.application
        what = f"accepted: {show('app', self.application.id)}"
        claims = Claims(self.mandate_id)
        return [Undertake(self.event, self._account, self.application.money, what, claims, subject="loan")]

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Write that it is accepted, if authority allowed it, or that people are asked."""
        del event_id
        first, found, now = outcomes[0], self.application, self._now
        if isinstance(first, Refused):
            return
        assert found
        assert now
        if isinstance(first, PendingApproval):
            after = model.awaiting(found, first.approval_id, "accepted", now)
        else:
            after = model.moved(found, "accepted", now)
        type_: model.EventType = "awaiting_approval" if after.approval_id else "accepted"
        facts = {"terms_hash": self.terms_hash.hex()}
        await write(tx, after, type_, actor.principal_id, facts)
        self.loan = await agree(tx, after) if type_ == "accepted" else None
        events.record(
            tx, [event_of(new_id(), actor, self.ask.request_id, self.ask.action.name, told(type_, after, **facts))]
        )
        self.application = after
