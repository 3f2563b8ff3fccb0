"""The orders of agents while they are decided: what is asked, what it comes to, what was said to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.assessing import NOT_ASSESSED, Assessed, Question, auto_max_of
from bursar.core.authority.facts import Asks, Facts, Limit, Needs, Payee, Payment, Verdict
from bursar.core.authority.mandate import Mandate
from bursar.core.identity.model import Actor
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import SingleOrder
from bursar.core.ledger.outcomes import Done, Pending
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal


class Asked(NamedTuple):
    """An order of an agent, and the action it asks for."""

    agent: Actor
    action: str
    order: SingleOrder


class Wish(NamedTuple):
    """What an order would move, under which mandates, and by what it is counted."""

    asked: Asked
    source: Account
    target: Account | None
    money: Money
    chain: Sequence[Mandate]
    limits: Sequence[Limit]
    fingerprint: UUID | None


class Proposal(NamedTuple):
    """An order that waits for a person, with what it takes."""

    approval_id: UUID
    action: str
    money: Money
    needs: Needs
    chain: Sequence[Mandate]
    payee: Payee | None


class Case(NamedTuple):
    """One order as it was decided."""

    wish: Wish | None
    payment: Payment | None
    facts: Facts | None
    verdict: Verdict
    proposal: Proposal | None
    assessed: Assessed = NOT_ASSESSED


UNDECIDED = Case(None, None, None, Verdict("allow", (), (), None, {}), None)


def question_of(wish: Wish, now: datetime, asks: Asks) -> Question:
    """What risk rules are asked about it."""
    target_id, money = wish.target.id if wish.target else None, wish.money
    return Question(
        wish.asked.agent.principal_id, now, wish.source.id, target_id, money.currency, money.minor,
        auto_max_of(wish.chain, money.currency), is_new=asks == "everything",
    )  # fmt: skip


def came_to(verdict: Verdict, outcome: Done | Pending | Refusal) -> tuple[str, str]:
    """The outcome of a decision and its codes: what the rules allow and the book refuses is denied."""
    if isinstance(outcome, Refusal):
        codes = dict.fromkeys(refusal.code for refusal in (*verdict.refusals, outcome))
        return "deny", " ".join(codes)
    return verdict.outcome, ""
