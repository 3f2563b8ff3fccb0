"""An offer that is accepted becomes a loan, which is yet to be paid out."""

from typing import Any

import orjson

from bursar.features.lending import loan_store, store
from bursar.features.lending.application import Application
from bursar.features.lending.loan import Loan, agreed
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id


async def agree(tx: Tx, accepted: Application) -> Loan:
    """Write the loan of an application whose offer was just accepted: what was offered, under the same product."""
    offer = await store.find_offer(tx, accepted.id)
    product = await store.find_product(tx, accepted.product, accepted.product_version)
    assert offer, "what is accepted has an offer"
    assert product, "an application has a product"
    terms: Any = orjson.loads(offer.terms)
    asked = terms["amount_minor"], len(terms["installments"])
    made = agreed(new_id(), product, accepted.id, asked, (accepted.made_by, accepted.decider_id), accepted.changed_at)
    await loan_store.insert_loan(tx, made)
    return made
