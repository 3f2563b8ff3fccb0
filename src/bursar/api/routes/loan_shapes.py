"""Loans as the wire shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bursar.features.lending.events import Prepaid, Repaid
from bursar.features.lending.keeping import body_of, name_of
from bursar.features.lending.loan import Loan
from bursar.features.lending.loan_statement import Line, Owed, Statement
from bursar.features.lending.loan_store import Fact
from bursar.features.lending.postings import Flows, balances_of
from bursar.features.lending.schedule import Installment
from bursar.features.lending.state import Due, LoanState
from bursar.kernel.ids import show
from bursar.kernel.money import show_minor
from bursar.wire import loans as wire


def show_loan(loan: Loan) -> wire.Loan:
    """A loan."""
    balances = balances_of(Flows(*loan.flows))
    currency = loan.currency
    return wire.Loan(
        id=loan.name,
        application_id=show("app", loan.application_id),
        product=loan.product,
        product_version=loan.product_version,
        status=loan.status,
        currency=currency,
        amount=show_minor(loan.principal_minor, currency),
        installments=loan.installments,
        principal=show_minor(balances["principal"], currency),
        interest=show_minor(balances["interest"], currency),
        fees=show_minor(balances["fees"], currency),
        penalties=show_minor(balances["penalties"], currency),
        credit=show_minor(-balances["credit"], currency),
        bucket=loan.bucket,
        disbursed_on=loan.disbursed_on,
        day=loan.day,
        next_due=loan.next_due,
        approval_id=show("apr", loan.approval_id) if loan.approval_id else None,
        facts=loan.facts,
        made_by=show("prn", loan.made_by),
        decider=show("prn", loan.decider_id),
        created_at=loan.created_at,
    )


def show_schedule(loan: Loan, state: LoanState) -> wire.LoanSchedule:
    """What was due, is due and will be."""
    currency = loan.currency
    due = sorted([*state.closed, *state.open], key=lambda row: row.due)
    return wire.LoanSchedule(
        loan_id=loan.name,
        currency=currency,
        overdue=show_minor(state.overdue, currency),
        payoff=show_minor(state.payoff, currency),
        rows=[_due(row, state, currency) for row in due] + [_planned(row, currency) for row in state.plan],
    )


def _due(row: Due, state: LoanState, currency: str) -> wire.ScheduleRow:
    unpaid, owed = sum(row.unpaid), row.owed
    return wire.ScheduleRow(
        due=row.due,
        principal=show_minor(owed.principal, currency),
        interest=show_minor(owed.interest, currency),
        fee=show_minor(owed.fee, currency),
        penalty=show_minor(owed.penalty, currency),
        total=show_minor(sum(owed), currency),
        unpaid=show_minor(unpaid, currency),
        state="paid" if not unpaid else "overdue" if row.due < state.day else "due",
    )


def _planned(row: Installment, currency: str) -> wire.ScheduleRow:
    total = show_minor(row.total, currency)
    return wire.ScheduleRow(
        due=row.due,
        principal=show_minor(row.principal, currency),
        interest=show_minor(row.interest, currency),
        fee=show_minor(row.fee, currency),
        penalty=show_minor(0, currency),
        total=total,
        unpaid=total,
        state="planned",
    )


def show_fact(fact: Fact, currency: str) -> wire.LoanFact:
    """What happened to a loan."""
    facts = orjson.loads(body_of(fact.event))
    minor = facts.pop("minor", None)
    assert fact.recorded_at
    return wire.LoanFact(
        seq=fact.event.seq,
        type=name_of(fact.event),
        on=fact.event.on,
        amount=None if minor is None else show_minor(minor, currency),
        facts=facts,
        transfer_id=show("tr", fact.entry_id) if fact.entry_id else None,
        account_id=show("acct", fact.account_id) if fact.account_id else None,
        actor=show("prn", fact.actor_id) if fact.actor_id else None,
        remade=fact.replaced is not None,
        event_id=show("evt", fact.event_id),
        recorded_at=fact.recorded_at,
    )


def show_repayment(line: Line, fact: Fact, currency: str) -> wire.LoanRepayment:
    """What was repaid and what it paid."""
    paid = Owed().less(line.change)
    assert isinstance(fact.event, Repaid | Prepaid)
    assert fact.entry_id
    assert fact.account_id
    assert fact.recorded_at
    return wire.LoanRepayment(
        seq=fact.event.seq,
        on=fact.event.on,
        amount=show_minor(fact.event.minor, currency),
        principal=show_minor(paid.principal, currency),
        interest=show_minor(paid.interest, currency),
        fees=show_minor(paid.fees, currency),
        penalties=show_minor(paid.penalties, currency),
        credit=show_minor(-paid.credit, currency),
        recovered=show_minor(-paid.recovered, currency),
        reversed=line.is_undone,
        transfer_id=show("tr", fact.entry_id),
        account_id=show("acct", fact.account_id),
        actor=show("prn", fact.actor_id) if fact.actor_id else None,
        recorded_at=fact.recorded_at,
    )


def show_line(line: Line, fact: Fact | None, currency: str) -> wire.LoanStatementLine:
    """A line of a statement."""
    minor = orjson.loads(body_of(line.event)).get("minor") if line.event else None
    return wire.LoanStatementLine(
        on=line.on,
        seq=line.seq or None,
        type=name_of(line.event) if line.event else "days",
        amount=None if minor is None else show_minor(minor, currency),
        **_parts(line.change, currency),
        balance=show_minor(line.after.balance, currency),
        undone=line.is_undone,
        transfer_id=show("tr", fact.entry_id) if fact and fact.entry_id else None,
    )


def edges_of(told: Statement, currency: str) -> tuple[wire.LoanStatementLine, wire.LoanStatementLine]:
    """The opening and the closing of a statement as lines of what is owed by part."""
    opening, closing = [
        wire.LoanStatementLine(
            on=on, seq=None, type=kind, amount=None, **_parts(owed, currency),
            balance=show_minor(owed.balance, currency), undone=False, transfer_id=None,
        )
        for kind, on, owed in (("opening", told.first, told.opening), ("closing", told.last, told.closing))
    ]  # fmt: skip
    return opening, closing


def show_statement(
    loan: Loan, told: Statement, lines: Sequence[Line], facts: Mapping[int, Fact], more: str | None
) -> wire.LoanStatement:
    """A page of a statement."""
    return wire.LoanStatement(
        loan_id=loan.name,
        currency=loan.currency,
        first_day=told.first,
        last_day=told.last,
        opening_balance=show_minor(told.opening.balance, loan.currency),
        lines=[show_line(line, facts.get(line.seq), loan.currency) for line in lines],
        closing_balance=show_minor(told.closing.balance, loan.currency),
        next_cursor=more,
    )


def _parts(owed: Owed, currency: str) -> dict[str, Any]:
    return {part: show_minor(minor, currency) for part, minor in owed._asdict().items()}
