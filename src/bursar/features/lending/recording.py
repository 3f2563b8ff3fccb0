"""A fact of a loan is recorded: the state is made anew from all of them, and what has changed is posted."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.settling import Ground
from bursar.core.identity.model import Actor
from bursar.features.lending import loan_store, nightly, store
from bursar.features.lending.booking import book, open_accounts
from bursar.features.lending.catalog import Product
from bursar.features.lending.events import Disbursed, Event, Reversed
from bursar.features.lending.loan import Loan, refuse_waiting
from bursar.features.lending.loan_store import Fact
from bursar.features.lending.postings import Flows, postings_of
from bursar.features.lending.replay import replay
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.refusal import UnknownObject


class Cause(NamedTuple):
    """What a fact rests on: the action and its event, who asked, and the entry and the account by which money moved."""

    action: str
    event_id: UUID
    actor: Actor | None
    entry_id: UUID | None = None
    account_id: UUID | None = None


async def product_of(tx: Tx, loan: Loan) -> Product:
    """The version of the product that a loan is of."""
    found = await store.find_product(tx, loan.product, loan.product_version)
    assert found
    return found


def visible(actor: Actor, found: Loan | None) -> Loan:
    """Agents see the loans that they took in or decided; all else answers as what is not there."""
    if found is None or (actor.kind == "agent" and actor.principal_id not in (found.made_by, found.decider_id)):
        raise UnknownObject("loan")
    return found


async def locked(tx: Tx, actor: Actor, loan_id: UUID | None) -> Loan:
    """A loan that this actor may see and that waits for nobody, locked."""
    found = visible(actor, await loan_store.lock_loan(tx, loan_id) if loan_id else None)
    refuse_waiting(found)
    return found


def rehearse(loan: Loan, product: Product, facts: Sequence[Fact], event: Event, today: date) -> bool:
    """Whether a fact changes anything; refuses one that makes no loan with those that are there."""
    known, until = [fact.event for fact in facts], max(event.on, today)
    terms = loan.terms(product, event.on)
    after = replay(terms, [*known, event], until)
    return not known or after != replay(terms, known, until)


async def record(tx: Tx, loan: Loan, event: Event, cause: Cause) -> Loan:
    """Append a fact to a locked loan, and bring its state and its accounts to what it has come to today."""
    product, today = await product_of(tx, loan), await loan_store.today(tx)
    facts = await loan_store.list_facts(tx, loan.id)
    begins = isinstance(event, Disbursed)
    if begins:
        loan = loan._replace(disbursed_on=event.on)
        await open_accounts(tx, loan.product, loan.currency)
    else:
        loan = await nightly.catch_up(tx, loan, today)
    state = replay(loan.terms(product), [*(fact.event for fact in facts), event], event.on if begins else today)
    after = loan.at(state)._replace(facts=event.seq)
    remade = isinstance(event, Reversed) or (event.on < today and not begins)
    actor_id = cause.actor.principal_id if cause.actor else None
    made = Fact(event, cause.event_id, cause.entry_id, cause.account_id, actor_id, loan.flows if remade else None)
    await loan_store.update_loan(tx, after, state)
    await loan_store.insert_fact(tx, loan.id, made)
    about: dict[str, Json] = {"fact": event.seq, "on": event.on.isoformat()}
    ground = Ground(cause.action, cause.event_id, loan.name, about)
    what = f"{loan.name} {type(event).__name__.lower()}"
    await book(tx, ground, loan.product, loan.currency, postings_of(Flows(*loan.flows), state.flows), what)
    return after
