"""Money that moves for a loan: paid out, paid back, returned, taken back. One road for all of them: the desk.

The money itself is the order that the desk examines. What it does to the loan is recorded beside it, in the same
transaction; or, where people must approve it first, once that has been carried out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never
from uuid import UUID

import orjson

from bursar.core.authority import approval_store
from bursar.core.authority.model import Ask, Begun, PendingApproval, Told
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger.orders import Claims, Move, Order, SendMoney
from bursar.core.ledger.outcomes import Refused
from bursar.features.lending import loan_store
from bursar.features.lending.catalog import Product
from bursar.features.lending.events import Disbursed, Event, Prepaid, Repaid, Returned, Reversed
from bursar.features.lending.loan import Loan, LoanConflict, Wish, refuse_day
from bursar.features.lending.loan_store import Fact
from bursar.features.lending.recording import Cause, locked, product_of, record, rehearse
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money, read_amount
from bursar.kernel.refusal import UnknownObject

# What pays the loan out, and what gives something back to the borrower: the product's account pays.
_OUT = frozenset({"disbursed", "returned", "reversed"})


@dataclass(slots=True)
class Moving:
    """One movement, as the `Aside` of its instruction: the loan is locked before any account is."""

    ask: Ask
    loan_id: UUID | None
    wish: Wish
    mandate_id: UUID | None = None
    # In major units, as it is asked for.
    amount: str | None = None
    event: UUID = field(default_factory=new_id)
    entry: UUID = field(default_factory=new_id)
    # As it stands once this is done.
    loan: Loan | None = None
    _product: Product | None = None
    _other: UUID | str | None = None

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Whether the loan can take it."""
        found = await locked(tx, actor, self.loan_id)
        today = await loan_store.today(tx)
        on = refuse_day(found, self.wish.on, today, may_date_back=actor.kind == "operator")
        _refuse_status(found, self.wish)
        facts = await loan_store.list_facts(tx, found.id)
        self._product = await product_of(tx, found)
        self._other = self.wish.account
        if self.amount is not None:
            self.wish = self.wish._replace(minor=read_amount(self.amount, found.currency).minor)
        if self.wish.movement == "reversed":
            taken = _repayment(facts, self.wish)
            self._other, self.wish = taken.account_id, self.wish._replace(minor=_minor_of(taken.event))
        elif self.wish.movement == "returned":
            _refuse_more_than_credit(found, self.wish)
        rehearse(found, self._product, facts, event_of(self.wish, on, len(facts) + 1), today)
        self.loan = found
        return None

    def orders(self, actor: Actor) -> Sequence[Order]:
        """The money: from the product's account to the borrower's, or the other way."""
        assert self.loan
        assert self._product
        assert self._other
        ours, minor = self._product.account, self.wish.minor
        if self.wish.movement == "disbursed":
            minor = _paid_out(self.loan, self._product)
        assert minor
        source, target = (ours, self._other) if self.wish.movement in _OUT else (self._other, ours)
        move = Move(source, target, Money(minor, self.loan.currency))
        return [
            SendMoney(
                self.entry, self.event, (move,), "loan", None, f"{self.loan.name} {self.wish.movement}",
                {"loan": self.loan.name}, "world:move" in actor.scopes, Claims(self.mandate_id),
            )
        ]  # fmt: skip

    async def after(self, tx: Tx, actor: Actor, outcomes: Sequence[Told], event_id: UUID) -> None:
        """Record the fact, or what the loan waits for."""
        first = outcomes[0]
        if isinstance(first, Refused):
            return
        assert self.loan
        if isinstance(first, PendingApproval):
            awaits = canonical({"action": self.ask.action.name, **_kept(self.wish)})
            await loan_store.mark_waiting(tx, self.loan.id, first.approval_id, awaits)
            return
        self.loan = await _moved(tx, self.loan, self.wish, self.ask.action.name, event_id, actor)


async def settle(tx: Tx, loan_id: UUID) -> bool:
    """Go on with a loan whose approval is decided; False: it is not."""
    found = await loan_store.lock_loan(tx, loan_id)
    if found is None or found.approval_id is None:
        return False
    assert found.awaits
    approval = await approval_store.find_approval(tx, found.approval_id)
    assert approval
    if approval.executed_event_id is None and approval.status in ("pending", "approved"):
        return False
    await loan_store.mark_waiting(tx, found.id, None, None)
    if approval.executed_event_id:
        kept = orjson.loads(found.awaits)
        maker = await identity.find_principal(tx, approval.maker_id)
        assert maker
        actor = Actor(tx.tenant, maker.id, maker.kind, maker.name, None, frozenset(), maker.team)
        action = kept.pop("action")
        await _moved(tx, found, Wish(**kept), action, approval.executed_event_id, actor)
    return True


async def _moved(tx: Tx, loan: Loan, wish: Wish, action: str, event_id: UUID, actor: Actor) -> Loan:
    """The money has moved: what it is to the loan."""
    moved = await loan_store.find_moved(tx, event_id)
    assert moved
    entry_id, source_id, target_id = moved
    account_id = target_id if wish.movement in _OUT else source_id
    on = wish.on or await loan_store.today(tx)
    cause = Cause(action, event_id, actor, entry_id, account_id)
    return await record(tx, loan, event_of(wish, on, loan.facts + 1), cause)


def event_of(wish: Wish, on: date, seq: int) -> Event:
    """What a movement is to the loan."""
    match wish.movement:
        case "disbursed":
            return Disbursed(on, seq)
        case "repaid":
            assert wish.minor
            return Repaid(on, seq, wish.minor)
        case "prepaid":
            assert wish.minor
            assert wish.keeps
            return Prepaid(on, seq, wish.minor, wish.keeps)
        case "returned":
            assert wish.minor
            return Returned(on, seq, wish.minor)
        case "reversed":
            assert wish.repayment
            return Reversed(on, seq, wish.repayment)
        case _:
            assert_never(wish.movement)


def _kept(wish: Wish) -> dict[str, int | str | None]:
    """A wish of an agent, which never dates back."""
    assert wish.on is None
    return {
        "account": wish.account, "keeps": wish.keeps, "minor": wish.minor, "movement": wish.movement,
        "repayment": wish.repayment,
    }  # fmt: skip


def _refuse_status(loan: Loan, wish: Wish) -> None:
    begins = wish.movement == "disbursed"
    if begins != (loan.status == "pending"):
        raise LoanConflict("The loan is paid out already." if begins else "The loan is not paid out yet.")


def _refuse_more_than_credit(loan: Loan, wish: Wish) -> None:
    credit = loan.known().flows.credit
    assert wish.minor
    if wish.minor > credit:
        raise LoanConflict(f"The borrower has {Money(credit, loan.currency)} {loan.currency} to get back.")


def _repayment(facts: Sequence[Fact], wish: Wish) -> Fact:
    """The repayment that is to be reversed, which was not before."""
    found = [f for f in facts if f.event.seq == wish.repayment and isinstance(f.event, Repaid | Prepaid)]
    if not found:
        raise UnknownObject("repayment")
    if any(isinstance(f.event, Reversed) and f.event.repayment == wish.repayment for f in facts):
        raise LoanConflict("The repayment is reversed already.")
    return found[0]


def _minor_of(event: Event) -> int:
    assert isinstance(event, Repaid | Prepaid)
    return event.minor


def _paid_out(loan: Loan, product: Product) -> int:
    terms = loan.terms(product, loan.created_at.date())
    return terms.principal - terms.product.disbursement_fee.on(terms.principal)
