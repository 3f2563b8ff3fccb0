"""What became of a loan, told from its facts: its statement and its repayments."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from bursar.features.lending import loan_store
from bursar.features.lending.events import Prepaid, Repaid
from bursar.features.lending.loan import Loan
from bursar.features.lending.loan_statement import Line, Statement, lines_of, statement_of
from bursar.features.lending.loan_store import Fact
from bursar.features.lending.product import Terms
from bursar.features.lending.recording import product_of
from bursar.kernel.db import Tx
from bursar.kernel.refusal import InvalidArgument, UnknownObject


class Known(NamedTuple):
    """The terms of a loan that was paid out, its facts, and the day to which it has come."""

    terms: Terms
    facts: Sequence[Fact]
    day: date


async def statement(tx: Tx, loan: Loan, first: date | None, last: date | None) -> tuple[Statement, dict[int, Fact]]:
    """The statement of a period, by default all of it, and the loan's facts by number.

    It ends at the day to which the loan has come at the latest. Refuses a period that ends before it begins, and a loan
    that is not paid out.
    """
    known = await _known(tx, loan)
    begins, ends = first or known.terms.disbursed_on, min(last or known.day, known.day)
    if begins > ends:
        raise InvalidArgument("first", f"lies after {ends}, on which the statement ends")
    told = statement_of(known.terms, [fact.event for fact in known.facts], begins, ends)
    return told, {fact.event.seq: fact for fact in known.facts}


async def repayments(tx: Tx, loan: Loan) -> list[tuple[Line, Fact]]:
    """What each repayment did, in the order in which they became known. A loan that is not paid out has none."""
    if loan.status == "pending":
        return []
    known = await _known(tx, loan)
    lines = {line.seq: line for line in lines_of(known.terms, [fact.event for fact in known.facts], known.day)}
    return [(lines[f.event.seq], f) for f in known.facts if isinstance(f.event, Repaid | Prepaid)]


async def _known(tx: Tx, loan: Loan) -> Known:
    if not loan.day:
        raise UnknownObject("statement")
    return Known(loan.terms(await product_of(tx, loan)), await loan_store.list_facts(tx, loan.id), loan.day)
