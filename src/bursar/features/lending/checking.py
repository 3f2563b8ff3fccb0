"""Every loan is held against the replay of its facts, and every decision against its own, a batch at a time."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.features.lending import checking_store
from bursar.features.lending.catalog import Product
from bursar.features.lending.checking_store import KeptDecision, KeptFact, KeptLoan
from bursar.features.lending.keeping import event_of, state_text
from bursar.features.lending.postings import Flows
from bursar.features.lending.remaking import remake
from bursar.features.lending.replay import opened, replay
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import InvalidArgument

_BATCH = 500
_FIRST = (UUID(int=0), UUID(int=0))


class Batch(NamedTuple):
    """How many were looked at, and a row of JSON for each that differs."""

    looked_at: int
    different: Sequence[str]


async def check_loans(tx: Tx) -> AsyncIterator[Batch]:
    """Loans whose kept state is not what their facts make of them."""
    after = _FIRST
    while found := await checking_store.list_loans(tx, after, _BATCH):
        places = [(each.tenant_id, each.loan.id) for each in found]
        facts: defaultdict[UUID, list[KeptFact]] = defaultdict(list)
        for fact in await checking_store.list_facts(tx, places):
            facts[fact.loan_id].append(fact)
        told = ((each, _difference(each, facts[each.loan.id])) for each in found)
        rows = [
            canonical({"difference": what, "loan": each.loan.name, "tenant_id": str(each.tenant_id)})
            for each, what in told
            if what
        ]
        yield Batch(len(found), rows)
        after = places[-1]


def _difference(kept: KeptLoan, facts: Sequence[KeptFact]) -> str | None:
    """In what a loan differs from its replay; what cannot be read or replayed differs in that."""
    loan = kept.loan
    terms = loan.terms(Product(loan.product, loan.product_version, kept.terms), loan.created_at.date())
    if loan.facts != len(facts):
        return "facts"
    if loan.day is None:
        is_new = loan.state == state_text(opened(terms)) and [*loan.flows] == [*Flows()]
        return None if is_new else "state"
    try:
        known = loan.known(kept.plan, kept.closed)
        events = [event_of(fact.type, fact.on, fact.seq, fact.body) for fact in facts]
        again = replay(terms, events, loan.day)
    except (InvalidArgument, KeyError, TypeError, ValueError) as error:
        return f"cannot be replayed: {type(error).__name__}"
    # What the row says beside its state follows from that.
    if known == again:
        return None if loan == loan.at(known) else "next_due, bucket or state"
    return ", ".join(name for name in known._fields if getattr(known, name) != getattr(again, name))


async def check_decisions(tx: Tx) -> AsyncIterator[Batch]:
    """Decisions that come out otherwise when they are made again."""
    after = _FIRST
    while found := await checking_store.list_decisions(tx, after, None, _BATCH):
        rows = [row for row in map(_different, found) if row]
        yield Batch(len(found), rows)
        after = (found[-1].tenant_id, found[-1].id)


def _different(made: KeptDecision) -> str | None:
    try:
        again = remake(made.kept)
        wrong = [name for name, is_same in again._asdict().items() if not is_same]
    except (InvalidArgument, KeyError, TypeError, ValueError) as error:
        wrong = [f"cannot be made again: {type(error).__name__}"]
    if not wrong:
        return None
    about = {"application": show("app", made.application_id), "decision": show("dec", made.id)}
    return canonical({**about, "not_so": wrong, "tenant_id": str(made.tenant_id)})


async def remade(tx: Tx, application_id: UUID) -> list[dict[str, str | bool]]:
    """The decisions on one application, and whether each comes out as it was."""
    found = await checking_store.list_decisions(tx, _FIRST, application_id, _BATCH)
    return [{"id": show("dec", made.id), "outcome": made.outcome, **remake(made.kept)._asdict()} for made in found]
