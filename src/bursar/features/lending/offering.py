"""An offer is made on an approved application, and becomes a loan when it is accepted. No money moves."""

from datetime import timedelta
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.features.lending import application as model
from bursar.features.lending import loan_store, service
from bursar.features.lending.application import Application
from bursar.features.lending.apr import apr_eu, apr_us, flows_of
from bursar.features.lending.deciding import refuse_others
from bursar.features.lending.keeping import terms_of
from bursar.features.lending.loan import Loan, agreed
from bursar.features.lending.loan_store import Offer
from bursar.features.lending.product import Terms
from bursar.features.lending.schedule import Installment, schedule_of
from bursar.features.lending.trail import write
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject


async def make_offer(tx: Tx, actor: Actor, application_id: UUID | None, version: int) -> tuple[Application, Offer]:
    """Offer what was approved, by whoever decides the application, until the days of the product are over."""
    found = await service.locked(tx, actor, application_id)
    now = await reading.clock(tx)
    model.refuse_stale(found, version)
    model.refuse_expired(found, now)
    refuse_others(actor, found)
    product = await service.product_of(tx, found)
    until = now + timedelta(days=product.facts["offer_days"])
    after = model.moved(found, "offered", now)._replace(expires_at=until)
    asked = found.intake
    terms = Terms(terms_of(product), asked.amount_minor, asked.installments, await loan_store.today(tx))
    lent, paid = flows_of(terms, schedule_of(terms))
    offer = Offer(
        found.id, terms.principal, terms.installments, terms.disbursed_on, apr_eu(lent, paid),
        apr_us(lent, paid, terms.product.every, terms.product.unit), actor.principal_id, now, until,
    )  # fmt: skip
    loan_store.insert_offer(tx, offer)
    facts = {"apr_eu_ppm": offer.apr_eu_ppm, "apr_us_ppm": offer.apr_us_ppm, "made_on": offer.made_on.isoformat()}
    await write(tx, after, "offered", actor.principal_id, facts)
    return after, offer


async def find_offer(tx: Tx, actor: Actor, application_id: UUID | None) -> tuple[Application, Offer]:
    """The offer on an application that this actor may see."""
    found = await service.find(tx, actor, application_id)
    offer = await loan_store.find_offer(tx, found.id)
    if offer is None:
        raise UnknownObject("offer")
    return found, offer


async def schedule_under(tx: Tx, application: Application, offer: Offer) -> tuple[Installment, ...]:
    """The schedule of an offer, as if it were paid out on the day it was made."""
    product = terms_of(await service.product_of(tx, application))
    return schedule_of(Terms(product, offer.principal_minor, offer.installments, offer.made_on))


async def accept_offer(
    tx: Tx, actor: Actor, application_id: UUID | None, version: int, evidence: str
) -> tuple[Application, Loan]:
    """The applicant accepts: from now on there is a loan, which is yet to be paid out."""
    found = await service.locked(tx, actor, application_id)
    now = await reading.clock(tx)
    model.refuse_stale(found, version)
    model.refuse_expired(found, now)
    after = model.moved(found, "accepted", now)
    offer = await loan_store.find_offer(tx, found.id)
    assert offer
    product = await service.product_of(tx, found)
    made = agreed(
        new_id(), product, found.id, (offer.principal_minor, offer.installments), (found.made_by, found.decider_id), now
    )
    await loan_store.insert_loan(tx, made)
    await write(tx, after, "accepted", actor.principal_id, {"evidence": evidence, "loan": made.name})
    return after, made
