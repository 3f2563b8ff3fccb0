"""The gate between agents' orders and the book: facts found under locks, a verdict for each order, its record."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from bursar.core.authority.assessing import NOT_ASSESSED, Assess, Assessed, Question, Scorer
from bursar.core.authority.cases import UNDECIDED, Asked, Case, Proposal, Wish, came_to, question_of
from bursar.core.authority.counting import Counters
from bursar.core.authority.covering import chain_for
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import (
    NOTHING_USED,
    Asks,
    Earlier,
    Facts,
    Limit,
    Meter,
    Payee,
    Payment,
    Used,
    Verdict,
)
from bursar.core.authority.facts_store import Known
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.paying import asks_of, come_to
from bursar.core.authority.periods import EPOCH
from bursar.core.authority.record import fingerprint_of, inputs_of, results_of, uses_of
from bursar.core.authority.refusals import LimitExceeded
from bursar.core.authority.remaining import Authorised
from bursar.core.authority.sources import Source
from bursar.core.authority.store import Decision
from bursar.core.identity.model import Actor
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import Gate, through
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import CaptureHold, ExpireHold, Propose, ReleaseHold, SendMoney, SingleOrder, Undertake
from bursar.core.ledger.outcomes import Done, Pending
from bursar.kernel.db import Tx, Unforeseen
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Refusal

# What only gives back asks for nothing.
_GIVE_BACK = (ReleaseHold, ExpireHold)


class Examination:
    """One batch of agents' orders against their mandates; make it with the mandates locked, then `open` it."""

    def __init__(
        self, tx: Tx, asked: dict[UUID, Asked], mandates: Sequence[Mandate], assess: Assess, source: Source
    ) -> None:
        """`asked` names the agents' orders by the ids of their events; all other orders pass."""
        self._tx = tx
        self._source = source
        self.asked = asked
        self._mandates = mandates
        self._cases: dict[UUID, Case] = {}
        self._wishes: dict[UUID, Wish] = {}
        self._counted: set[Limit] = set()
        self._counters = Counters((), EPOCH)
        # By agent and the mandate named.
        self._chains: dict[tuple[UUID, UUID | None], Sequence[Mandate]] = {}
        self._known = Known({}, {}, {})
        self._now = EPOCH
        self._assess = assess
        self._score: Scorer | None = None
        # By agent: what was asked so far in this batch, let through or not.
        self._questions: dict[UUID, list[Question]] = {}

    async def open(self, book: Book) -> Gate:
        """Load what the rules look at; the accounts are locked."""
        if not self.asked:
            return through
        self._now = now = book.now
        self._counters = Counters(self._mandates, now)
        page = Page(book)
        for asked in self.asked.values():
            if isinstance(asked.order, _GIVE_BACK):
                continue
            page.world = asked.order.world
            try:
                self._wishes[asked.order.event_id] = self._wish(page, asked)
            except Refusal:  # The gate refuses it again.
                continue
        wishes = self._wishes.values()
        payees = {wish.target.id for wish in wishes if wish.target}
        self._counted = {limit for wish in wishes for limit in wish.limits}
        since = [(*limit, self._counters.since(limit)) for limit in self._counted]
        self._known = await self._source.known(self._tx, since, list(payees), list(self._guarded(wishes)))
        if wishes:
            self._score = await self._assess(
                self._tx, lambda: [question_of(wish, now, asks_of(page, wish.asked.order)) for wish in wishes]
            )
        return self._gate

    def _wish(self, page: Page, asked: Asked) -> Wish:
        """What an order asks for; refuses what names nothing there is, and whoever has no mandate."""
        order, agent = asked.order, asked.agent
        assert not isinstance(order, _GIVE_BACK)
        source, target, money = come_to(page, order)
        chain = self._chain(agent, order.claims.mandate_id)
        payee_id = target.id if target else None
        limits = self._counters.limits_of(chain, payee_id)
        whom = order.claims.whom_id or payee_id
        fingerprint = fingerprint_of(agent.principal_id, whom, money) if whom else None
        return Wish(asked, source, target, money, chain, limits, fingerprint)

    def _chain(self, agent: Actor, named: UUID | None) -> Sequence[Mandate]:
        found = self._chains.get((agent.principal_id, named))
        if found is None:
            found = self._chains[agent.principal_id, named] = chain_for(
                agent.principal_id, agent.team, self._mandates, named
            )
        return found

    def _guarded(self, wishes: Iterable[Wish]) -> Iterable[tuple[UUID, datetime]]:
        """Fingerprints and since when: of the orders that any mandate here might guard against duplicates."""
        seconds = max((mandate.terms.duplicate_seconds or 0 for mandate in self._mandates), default=0)
        if seconds:
            since = self._now - timedelta(seconds=seconds)
            for wish in wishes:
                if wish.fingerprint and not isinstance(wish.asked.order, CaptureHold):
                    yield wish.fingerprint, since

    def _gate(self, page: Page, order: SingleOrder) -> SingleOrder | Propose:
        asked = self.asked.get(order.event_id)
        if asked is None or isinstance(order, _GIVE_BACK):
            return order
        self._cases[order.event_id] = UNDECIDED
        # What a transfer comes to is the same whatever went before it; what is left of a hold or a transfer is not.
        wish = self._wishes.get(order.event_id) if isinstance(order, SendMoney) else None
        if wish is None:
            wish = self._wish(page, asked)
            assert self._counted.issuperset(wish.limits), "what is used of these limits was not looked up"
        payee, asks = self._payee(wish.target) if wish.target else None, asks_of(page, order)
        payment = Payment(
            asked.action, wish.source.number, payee, wish.money, order.claims.rail, order.claims.acknowledges, asks
        )
        assessed = self._assessed(wish, asks)
        known = self._known.used
        used = {limit: page.note(limit) or known.get(limit, NOTHING_USED) for limit in wish.limits}
        facts = Facts(self._now, wish.chain, used, self._earlier(page, wish.fingerprint), assessed.risk)
        verdict = self._verdict(facts, payment)
        proposal = None
        if verdict.needs:
            proposal = Proposal(new_id(), asked.action, wish.money, verdict.needs, wish.chain, payee)
        self._cases[order.event_id] = Case(wish, payment, facts, verdict, proposal, assessed)
        if verdict.refusals:
            raise verdict.refusals[0]
        # What later orders of the batch must see of this one; it goes with the page if the book refuses it.
        page.notes |= verdict.after
        if wish.fingerprint:
            page.notes[wish.fingerprint] = Earlier(order.event_id, self._now)
        if proposal is None:
            return order
        if page.is_part:
            raise LimitExceeded(
                "This one needs a person's approval; send it alone, or with the others each on its own."
            )
        return Propose(proposal.approval_id, new_id(), order)

    def _verdict(self, facts: Facts, payment: Payment) -> Verdict:
        verdict = evaluate(facts, payment)
        if verdict.outcome != "allow" and not self._known.exact:
            raise Unforeseen
        return verdict

    def _assessed(self, wish: Wish, asks: Asks) -> Assessed:
        """What the risk rules say; those of a hold that named its payee were asked when it was placed."""
        if asks == "payee" or self._score is None:
            return NOT_ASSESSED
        question = question_of(wish, self._now, asks)
        before = self._questions.setdefault(question.agent_id, [])
        assessed = self._score(question, before)
        if question.is_new:
            before.append(question)
        return assessed

    def _payee(self, account: Account) -> Payee:
        known = self._known.counterparties.get(account.id)
        if known is None:
            return Payee(account.id, account.number, None, None, None, None)
        return Payee(account.id, account.number, known.id, known.version, known.status, known.created_at)

    def _earlier(self, page: Page, fingerprint: UUID | None) -> Earlier | None:
        return (page.note(fingerprint) or self._known.latest.get(fingerprint)) if fingerprint else None

    def record(self, order: SingleOrder, outcome: Done | Pending | Refusal) -> Decision | None:
        """The decision on an order, with what it rests on and what came of it; None for those that need none."""
        asked, case = self.asked.get(order.event_id), self._cases.get(order.event_id)
        if asked is None or case is None:
            return None
        wish, verdict = case.wish, case.verdict
        chain = wish.chain if wish else ()
        leaf = chain[0] if chain else None
        inputs = inputs_of(case.facts, case.payment, case.assessed.kept) if case.facts and case.payment else "{}"
        decided, codes = came_to(verdict, outcome)
        hold = None if isinstance(outcome, Refusal) else outcome.hold
        sets_aside = isinstance(outcome, Pending) or hold is not None or isinstance(order, Undertake)
        return Decision(
            order.event_id, asked.agent.principal_id, asked.action, decided, codes,
            leaf.id if leaf else None, leaf.version if leaf else None,
            wish.source.id if wish else None, wish.target.id if wish and wish.target else None,
            wish.money.currency if wish else None, wish.money.minor if wish else None,
            hold.id if hold else None,
            inputs, sha256(inputs.encode()).digest(), results_of(verdict),
            uses_of(self._counters.meters(verdict.after) if sets_aside else ()), self._now,
            wish.fingerprint if wish and decided != "deny" and not isinstance(order, CaptureHold) else None,
            case.assessed.shadow,
        )  # fmt: skip

    @property
    def mandate_ids(self) -> list[UUID]:
        """The mandates of everybody who asks, those above them included, in the order of their ids."""
        return sorted(mandate.id for mandate in self._mandates)

    def verdict(self, order: SingleOrder) -> Verdict:
        """What the rules said to an order."""
        case = self._cases.get(order.event_id)
        return (case or UNDECIDED).verdict

    def used(self, notes: Mapping[Hashable, Any]) -> dict[Meter, Used]:
        """What orders that were carried out or wait for a person use of which windows, by what was noted of them."""
        return self._counters.used(self._counted, self._known.used, notes)

    def authorised(self, order: SingleOrder) -> Authorised | None:
        """What let an order go that was carried out; None where no mandate was asked."""
        case = self._cases.get(order.event_id)
        if case is None or case.facts is None:
            return None
        return Authorised(order.event_id, case.facts.chain[0], self._counters.left(case.verdict.after))

    def proposal(self, order: SingleOrder) -> Proposal:
        """What an order that waits for a person waits for."""
        found = self._cases[order.event_id].proposal
        assert found
        return found
