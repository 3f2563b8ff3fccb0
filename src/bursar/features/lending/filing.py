"""A bank statement is filed with an application, and what it shows is what a decision looks at."""

from collections.abc import Mapping
from uuid import UUID

from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.features.lending import application as model
from bursar.features.lending import scorecard_store, scorecards, service
from bursar.features.lending.application import Application
from bursar.features.lending.catalog import Product
from bursar.features.lending.evidence import Statement, assess, refuse_unfit
from bursar.features.lending.policy import even_part
from bursar.features.lending.trail import write
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.refusal import InvalidArgument


async def add_statement(
    tx: Tx, actor: Actor, application_id: UUID | None, version: int, made: Statement
) -> Application:
    """File a statement with an application, in place of the one that was there, which is kept."""
    found = await service.locked(tx, actor, application_id)
    now = await reading.clock(tx)
    model.refuse_stale(found, version)
    model.refuse_expired(found, now)
    after = model.stated(found, now)
    if made.document is not None and made.document not in [d["document"] for d in found.intake.documents]:
        raise InvalidArgument("document", "is none of the application's documents")
    card, _ = await scorecards.card_of(tx, await service.product_of(tx, found))
    refuse_unfit(made, found.currency, card, now.date())
    made = made._replace(application_version=after.version)
    await write(tx, after, "statement", actor.principal_id, made.told)
    scorecard_store.insert_statement(tx, found.id, made)
    return after


async def assessed(tx: Tx, found: Application, product: Product) -> Mapping[str, Json]:
    """What is known of a locked application's applicant from their bank, by the card of its product."""
    card, is_active = await scorecards.card_of(tx, product)
    statement = await scorecard_store.find_statement(tx, found.id)
    installment = even_part(found.intake._asdict())
    return assess(card, statement, found.currency, installment, is_active=is_active)
