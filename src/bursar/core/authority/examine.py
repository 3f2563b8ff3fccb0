"""The gate between agents' orders and the book: facts found under locks, a verdict for each order, its record."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.assessing import NOT_ASSESSED, Assess, Assessed, Question, Scorer, auto_max_of
from bursar.core.authority.covering import chain_for
from bursar.core.authority.evaluate import (
    ANY_PAYEE,
    NOTHING_USED,
    VELOCITY,
    Asks,
    Earlier,
    Facts,
    Meter,
    Needs,
    Payee,
    Payment,
    Used,
    Verdict,
    evaluate,
)
from bursar.core.authority.facts_store import Known, Limit, look_up
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.paying import asks_of, come_to
from bursar.core.authority.periods import EPOCH, span_of, span_of_velocity
from bursar.core.authority.record import fingerprint_of, inputs_of, limits_of, results_of, uses_of
from bursar.core.authority.refusals import LimitExceeded
from bursar.core.authority.remaining import Authorised, left_of
from bursar.core.authority.store import Decision
from bursar.core.identity.model import Actor
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import Gate
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import CaptureHold, ExpireHold, Propose, ReleaseHold, SingleOrder
from bursar.core.ledger.outcomes import Done, Pending
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import Refusal


class Asked(NamedTuple):
    """An order of an agent, and the action it asks for."""

    agent: Actor
    action: str
    order: SingleOrder


class _Wish(NamedTuple):
    """What an order would move: from which account, to whom, how much."""

    asked: Asked
    source: Account
    target: Account | None
    money: Money


class Proposal(NamedTuple):
    """An order that waits for a person, with what it takes."""

    approval_id: UUID
    action: str
    money: Money
    needs: Needs
    chain: Sequence[Mandate]
    payee: Payee | None


class _Case(NamedTuple):
    """One order as it was decided."""

    payment: Payment | None
    source_id: UUID | None
    fingerprint: UUID | None
    facts: Facts | None
    verdict: Verdict
    proposal: Proposal | None
    assessed: Assessed = NOT_ASSESSED


_UNDECIDED = _Case(None, None, None, None, Verdict("allow", (), (), None, ()), None)


class Examination:
    """One batch of agents' orders against their mandates; make it with the mandates locked, then `open` it."""

    def __init__(self, tx: Tx, asked: dict[UUID, Asked], mandates: Sequence[Mandate], assess: Assess) -> None:
        """`asked` names the agents' orders by the ids of their events; all other orders pass."""
        self._tx = tx
        self._asked = asked
        self._mandates = mandates
        self._cases: dict[UUID, _Case] = {}
        self._payees: set[UUID] = set()
        self._known = Known({}, {}, {})
        self._now = EPOCH
        self._assess = assess
        self._score: Scorer | None = None
        # By agent: what was asked so far in this batch, let through or not.
        self._questions: dict[UUID, list[Question]] = {}

    async def open(self, book: Book) -> Gate:
        """Load what the rules look at; the accounts are locked."""
        self._now = book.now
        wishes = list(self._wishes(book))
        self._payees = {wish.target.id for wish in wishes if wish.target}
        limits = list(self._limits(book.now))
        self._known = await look_up(self._tx, limits, list(self._payees), list(self._guarded(book.now, wishes)))
        if wishes:
            self._score = await self._assess(self._tx, list(self._questions_of(book, wishes)))
        return self._gate

    def _wishes(self, book: Book) -> Iterable[_Wish]:
        """What each order would move to whom, as far as it names what there is; the gate refuses the rest."""
        page = Page(book)
        for asked in self._asked.values():
            if not isinstance(asked.order, ReleaseHold | ExpireHold):
                with suppress(Refusal):
                    yield _Wish(asked, *come_to(page, asked.order))

    def _questions_of(self, book: Book, wishes: Iterable[_Wish]) -> Iterable[Question]:
        """What may be asked of the risk rules; the gate refuses whoever has no mandate before it asks."""
        page = Page(book)
        for wish in wishes:
            with suppress(Refusal):
                yield _question(wish, book.now, self._chain(wish.asked), asks_of(page, wish.asked.order))

    def _chain(self, asked: Asked) -> Sequence[Mandate]:
        assert not isinstance(asked.order, ReleaseHold | ExpireHold)
        agent = asked.agent
        return chain_for(agent.principal_id, agent.team, self._mandates, asked.order.claims.mandate_id)

    def _limits(self, now: datetime) -> Iterable[tuple[UUID, str, UUID, datetime]]:
        for mandate in self._mandates:
            terms = mandate.terms
            for window in terms.windows:
                since = span_of(window, now).since
                for payee_id in self._payees if window.per_payee else (ANY_PAYEE,):
                    yield mandate.id, window.key, payee_id, since
            if terms.velocity:
                yield mandate.id, VELOCITY, ANY_PAYEE, span_of_velocity(terms.velocity, now).since

    def _guarded(self, now: datetime, wishes: Iterable[_Wish]) -> Iterable[tuple[UUID, datetime]]:
        """Fingerprints and since when: of the orders that any mandate here might guard against duplicates."""
        seconds = max((mandate.terms.duplicate_seconds or 0 for mandate in self._mandates), default=0)
        if seconds:
            since = now - timedelta(seconds=seconds)
            for asked, _, target, money in wishes:
                if target and not isinstance(asked.order, CaptureHold):
                    yield fingerprint_of(asked.agent.principal_id, target.id, money), since

    def _gate(self, page: Page, order: SingleOrder) -> SingleOrder | Propose:
        asked = self._asked.get(order.event_id)
        if asked is None or isinstance(order, ReleaseHold | ExpireHold):
            return order
        self._cases[order.event_id] = _UNDECIDED
        wish = _Wish(asked, *come_to(page, order))
        _, source, target, money = wish
        payee, asks = self._payee(target) if target else None, asks_of(page, order)
        payment = Payment(asked.action, source.number, payee, money, acknowledges=order.claims.acknowledges, asks=asks)
        fingerprint = fingerprint_of(asked.agent.principal_id, target.id, money) if target else None
        chain, now = self._chain(asked), page.book.now
        assessed = self._assessed(_question(wish, now, chain, asks), asks)
        used, earlier = self._used(page, chain, payee), self._earlier(page, fingerprint)
        facts = Facts(now, chain, used, earlier, assessed.risk)
        verdict = evaluate(facts, payment)
        proposal = None
        if verdict.needs:
            proposal = Proposal(new_id(), asked.action, money, verdict.needs, chain, payee)
        self._cases[order.event_id] = _Case(payment, source.id, fingerprint, facts, verdict, proposal, assessed)
        if verdict.refusals:
            raise verdict.refusals[0]
        self._note(page, order, payment, verdict, fingerprint)
        if proposal is None:
            return order
        if page.is_part:
            raise LimitExceeded(
                "This one needs a person's approval; send it alone, or with the others each on its own."
            )
        return Propose(proposal.approval_id, new_id(), order)

    def _assessed(self, question: Question, asks: Asks) -> Assessed:
        """What the risk rules say; those of a hold that named its payee were asked when it was placed."""
        if asks == "payee":
            return NOT_ASSESSED
        assert self._score
        before = self._questions.setdefault(question.agent_id, [])
        assessed = self._score(question, before)
        if question.is_new:
            before.append(question)
        return assessed

    def _payee(self, account: Account) -> Payee:
        assert account.id in self._payees, "this payee was not looked up"
        known = self._known.counterparties.get(account.id)
        if known is None:
            return Payee(account.id, account.number, None, None, None, None)
        return Payee(account.id, account.number, known.id, known.version, known.status, known.created_at)

    def _used(self, page: Page, chain: Sequence[Mandate], payee: Payee | None) -> dict[Limit, Used]:
        payee_id = payee.account_id if payee else None
        return {limit: self._used_of(page, limit) for mandate in chain for limit in limits_of(mandate, payee_id)}

    def _used_of(self, page: Page, limit: Limit) -> Used:
        return page.note(limit) or self._known.used.get(limit, NOTHING_USED)

    def _earlier(self, page: Page, fingerprint: UUID | None) -> Earlier | None:
        return (page.note(fingerprint) or self._known.latest.get(fingerprint)) if fingerprint else None

    def _note(
        self, page: Page, order: SingleOrder, payment: Payment, verdict: Verdict, fingerprint: UUID | None
    ) -> None:
        """What later orders of the batch must see of this one; it goes with the page if the book refuses it."""
        for mandate_id, window_key, payee_id, _ in verdict.meters:
            limit = (mandate_id, window_key, payee_id)
            before = self._used_of(page, limit)
            page.notes[limit] = Used(before.amount_minor + payment.money.minor, before.uses + 1)
        if fingerprint:
            page.notes[fingerprint] = Earlier(order.event_id, page.book.now)

    def record(self, order: SingleOrder, outcome: Done | Pending | Refusal) -> Decision | None:
        """The decision on an order, with what it rests on and what came of it; None for those that need none."""
        asked, case = self._asked.get(order.event_id), self._cases.get(order.event_id)
        if asked is None or case is None:
            return None
        payment, facts, verdict = case.payment, case.facts, case.verdict
        chain = facts.chain if facts else ()
        leaf = chain[0] if chain else None
        payee = payment.payee if payment else None
        inputs = inputs_of(facts, payment, case.assessed.kept) if facts and payment else "{}"
        decided, codes = _came_to(verdict, outcome)
        hold = None if isinstance(outcome, Refusal) else outcome.hold
        sets_aside = isinstance(outcome, Pending) or hold is not None
        return Decision(
            order.event_id, asked.agent.principal_id, asked.action, decided, codes,
            leaf.id if leaf else None, leaf.version if leaf else None,
            case.source_id, payee.account_id if payee else None,
            payment.money.currency if payment else None, payment.money.minor if payment else None,
            hold.id if hold else None,
            inputs, sha256(inputs.encode()).digest(), results_of(chain, verdict),
            uses_of(verdict.meters if sets_aside else ()), self._now,
            None if decided == "deny" or isinstance(order, CaptureHold) else case.fingerprint,
            case.assessed.shadow,
        )  # fmt: skip

    def verdict(self, order: SingleOrder) -> Verdict:
        """What the rules said to an order."""
        case = self._cases.get(order.event_id)
        return (case or _UNDECIDED).verdict

    def used(self, order: SingleOrder) -> Mapping[Meter, Used]:
        """What an order that was carried out, or waits for a person, uses of which windows."""
        case = self._cases.get(order.event_id)
        if case is None or case.payment is None:
            return {}
        return {meter: Used(case.payment.money.minor, 1) for meter in case.verdict.meters}

    def authorised(self, order: SingleOrder) -> Authorised | None:
        """What let an order go that was carried out; None where no mandate was asked."""
        case = self._cases.get(order.event_id)
        if case is None or case.payment is None or case.facts is None:
            return None
        left = left_of(case.facts, case.verdict.meters, case.payment.money.minor)
        return Authorised(order.event_id, case.facts.chain[0], left)

    def proposal(self, order: SingleOrder) -> Proposal:
        """What an order that waits for a person waits for."""
        found = self._cases[order.event_id].proposal
        assert found
        return found


def _question(wish: _Wish, now: datetime, chain: Sequence[Mandate], asks: Asks) -> Question:
    asked, source, target, money = wish
    auto_max = auto_max_of(chain, money.currency)
    return Question(
        asked.agent.principal_id, now, source.id, target.id if target else None, money.currency, money.minor, auto_max,
        is_new=asks == "everything",
    )  # fmt: skip


def _came_to(verdict: Verdict, outcome: Done | Pending | Refusal) -> tuple[str, str]:
    """The outcome of a decision and its codes: what the rules allow and the book refuses is denied."""
    if isinstance(outcome, Refusal):
        codes = dict.fromkeys(refusal.code for refusal in (*verdict.refusals, outcome))
        return "deny", " ".join(codes)
    return verdict.outcome, ""
