"""The gate between agents' orders and the book: facts found under locks, a verdict for each order, its record."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

from bursar.core.authority import store
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
from bursar.core.authority.mandate import Mandate, chain_of
from bursar.core.authority.periods import EPOCH, span_of, span_of_velocity
from bursar.core.authority.refusals import LimitExceeded, MandateMissing
from bursar.core.authority.store import Counterparty, Decision
from bursar.core.identity.model import Actor
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import Gate
from bursar.core.ledger.model import Account
from bursar.core.ledger.orders import (
    CaptureHold,
    ExpireHold,
    PlaceHold,
    Propose,
    ReleaseHold,
    ReverseEntry,
    SendMoney,
    SingleOrder,
)
from bursar.core.ledger.outcomes import Done, Pending
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money, read_amount
from bursar.kernel.refusal import Refusal, UnknownObject

_NOTHING = Verdict("allow", (), (), None, ())


class Asked(NamedTuple):
    """An order of an agent, and the action it asks for."""

    agent: Actor
    action: str
    order: SingleOrder


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
    chain: Sequence[Mandate]
    facts: Facts | None
    verdict: Verdict
    proposal: Proposal | None


class Examination:
    """One batch of agents' orders against their mandates; make it with the mandates locked, then `open` it."""

    def __init__(self, tx: Tx, asked: dict[UUID, Asked], mandates: Sequence[Mandate]) -> None:
        """`asked` names the agents' orders by the ids of their events; all other orders pass."""
        self._tx = tx
        self._asked = asked
        self._mandates = mandates
        self._cases: dict[UUID, _Case] = {}
        self._now: datetime | None = None
        self._payees: list[UUID] = []
        self._used: Mapping[tuple[UUID, str, UUID], Used] = {}
        self._known: dict[UUID, Counterparty] = {}
        self._latest: dict[tuple[UUID, UUID, str, int], Earlier] = {}

    async def open(self, book: Book) -> Gate:
        """Load what the rules look at; the accounts are locked."""
        self._now = book.now
        wishes = list(self._wishes(book))
        payees = self._payees = list({target.id for _, target, _ in wishes if target})
        self._used = await store.sum_usage(self._tx, list(self._meters_to_read(book.now, payees)))
        if payees:
            self._known = {c.account_id: c for c in await store.list_counterparties_of(self._tx, payees)}
        guarded = list(self._payments_to_look_back_on(book.now, wishes))
        if guarded:
            self._latest = await store.list_latest_payments(self._tx, guarded)
        return self._gate

    def _wishes(self, book: Book) -> Iterable[tuple[Asked, Account | None, Money]]:
        """What each order would move to whom, as far as it names what there is; the gate refuses the rest."""
        page = Page(book)
        for asked in self._asked.values():
            if not isinstance(asked.order, ReleaseHold | ExpireHold):
                with suppress(Refusal):
                    _, target, money = _come_to(page, asked.order)
                    yield asked, target, money

    def _payments_to_look_back_on(
        self, now: datetime, wishes: Iterable[tuple[Asked, Account | None, Money]]
    ) -> Iterable[tuple[UUID, UUID, str, int, datetime]]:
        """Agent, payee, currency, amount and since when: for the orders whose mandates guard against duplicates."""
        for asked, target, money in wishes:
            agent = asked.agent
            mine = [m for m in self._mandates if _is_for(m, agent.principal_id, agent.team)]
            above = {mandate.id: mandate for m in mine for mandate in chain_of(m, self._mandates)}
            seconds = max([mandate.terms.duplicate_seconds or 0 for mandate in above.values()], default=0)
            if seconds and target and not isinstance(asked.order, CaptureHold):
                yield agent.principal_id, target.id, money.currency, money.minor, now - timedelta(seconds=seconds)

    def _meters_to_read(self, now: datetime, payees: Sequence[UUID]) -> Iterable[tuple[UUID, str, UUID, datetime]]:
        for mandate in self._mandates:
            terms = mandate.terms
            for window in {window.key: window for window in terms.windows}.values():
                since = span_of(window, now).since
                for payee_id in payees if window.per_payee else (ANY_PAYEE,):
                    yield mandate.id, window.key, payee_id, since
            if terms.velocity:
                yield mandate.id, VELOCITY, ANY_PAYEE, span_of_velocity(terms.velocity, now).since

    def _gate(self, page: Page, order: SingleOrder) -> SingleOrder | Propose:
        asked = self._asked.get(order.event_id)
        if asked is None or isinstance(order, ReleaseHold | ExpireHold):
            return order
        self._cases[order.event_id] = _Case(None, None, (), None, _NOTHING, None)
        source, target, money = _come_to(page, order)
        assert target is None or target.id in self._payees, "what is used for this payee was not looked up"
        payee = self._payee(target) if target else None
        payment = Payment(
            asked.action, source.number, payee, money, acknowledges=order.claims.acknowledges, asks=_asks(page, order)
        )
        agent = asked.agent
        chain = chain_for(agent.principal_id, agent.team, self._mandates, order.claims.mandate_id)
        used, earlier = self._used_by(page, chain, payee), self._duplicate(page, asked, chain, payment)
        facts = Facts(page.book.now, chain, used, earlier)
        verdict = evaluate(facts, payment)
        proposal = None
        if verdict.needs:
            proposal = Proposal(new_id(), asked.action, money, verdict.needs, chain, payee)
        self._cases[order.event_id] = _Case(payment, source.id, chain, facts, verdict, proposal)
        if verdict.refusals:
            raise verdict.refusals[0]
        self._note(page, asked, order, payment, verdict)
        if proposal is None:
            return order
        if page.is_part:
            raise LimitExceeded(
                "This one needs a person's approval; send it alone, or with the others each on its own."
            )
        return Propose(proposal.approval_id, new_id(), order)

    def _payee(self, account: Account) -> Payee:
        known = self._known.get(account.id)
        if known is None:
            return Payee(account.id, account.number, None, None, None, None)
        return Payee(account.id, account.number, known.id, known.version, known.status, known.created_at)

    def _used_by(self, page: Page, chain: Sequence[Mandate], payee: Payee | None) -> dict[tuple[UUID, str, UUID], Used]:
        found: dict[tuple[UUID, str, UUID], Used] = {}
        for mandate in chain:
            terms = mandate.terms
            for window in terms.windows:
                key = (mandate.id, window.key, payee.account_id if window.per_payee and payee else ANY_PAYEE)
                found[key] = page.note(key) or self._used.get(key, NOTHING_USED)
            if terms.velocity:
                key = (mandate.id, VELOCITY, ANY_PAYEE)
                found[key] = page.note(key) or self._used.get(key, NOTHING_USED)
        return found

    def _duplicate(self, page: Page, asked: Asked, chain: Sequence[Mandate], payment: Payment) -> Earlier | None:
        if payment.payee is None or all(m.terms.duplicate_seconds is None for m in chain):
            return None
        key = (asked.agent.principal_id, payment.payee.account_id, payment.money.currency, payment.money.minor)
        return page.note(key) or self._latest.get(key)

    def _note(self, page: Page, asked: Asked, order: SingleOrder, payment: Payment, verdict: Verdict) -> None:
        """What later orders of the batch must see of this one; it goes with the page if the book refuses it."""
        for mandate_id, window_key, payee_id, _ in verdict.meters:
            key = (mandate_id, window_key, payee_id)
            before: Used = page.note(key) or self._used.get(key, NOTHING_USED)
            page.notes[key] = Used(before.amount_minor + payment.money.minor, before.uses + 1)
        if payment.payee:
            key = (asked.agent.principal_id, payment.payee.account_id, payment.money.currency, payment.money.minor)
            page.notes[key] = Earlier(order.event_id, page.book.now)

    def record(self, order: SingleOrder, outcome: Done | Pending | Refusal) -> Decision | None:
        """The decision on an order, with what it rests on and what came of it; None for those that need none."""
        asked, case = self._asked.get(order.event_id), self._cases.get(order.event_id)
        if asked is None or case is None:
            return None
        inputs = canonical(_inputs(case))
        leaf, payment = case.chain[0] if case.chain else None, case.payment
        return Decision(
            order.event_id, asked.agent.principal_id, asked.action,
            *_came_to(case, outcome),
            leaf.id if leaf else None, leaf.version if leaf else None,
            case.source_id, payment.payee.account_id if payment and payment.payee else None,
            payment.money.currency if payment else None, payment.money.minor if payment else None,
            outcome.hold.id if isinstance(outcome, Done | Pending) and outcome.hold else None,
            inputs, sha256(inputs.encode()).digest(), canonical(_results(case.verdict)),
            canonical([_meter(meter) for meter in case.verdict.meters]), self._now or EPOCH,
        )  # fmt: skip

    def verdict(self, order: SingleOrder) -> Verdict:
        """What the rules said to an order."""
        case = self._cases.get(order.event_id)
        return case.verdict if case else _NOTHING

    def used(self, order: SingleOrder) -> Mapping[Meter, Used]:
        """What an order that was carried out, or waits for a person, uses of which windows."""
        case = self._cases.get(order.event_id)
        if case is None or case.payment is None:
            return {}
        return {meter: Used(case.payment.money.minor, 1) for meter in case.verdict.meters}

    def proposal(self, order: SingleOrder) -> Proposal:
        """What an order that waits for a person waits for."""
        found = self._cases[order.event_id].proposal
        assert found
        return found


def _come_to(page: Page, order: SingleOrder) -> tuple[Account, Account | None, Money]:
    """What an order would move: from which account, to which, how much. Raises the book's own refusals."""
    match order:
        case SendMoney():
            move = order.moves[0]
            source, target = page.account(move.source, "source"), page.account(move.target, "target")
            money = move.money if isinstance(move.money, Money) else read_amount(move.money, source.currency)
            return source, target, money
        case PlaceHold():
            target = page.account(order.target, "target") if order.target is not None else None
            return page.account(order.account, "account"), target, order.money
        case CaptureHold():
            hold = page.hold(order.hold_id)
            named = order.target if order.target is not None else hold.target_id
            target = page.account(named, "target") if named is not None else None
            amount = read_amount(order.amount, hold.currency).minor if order.amount else hold.amount_minor
            return page.book.accounts[hold.account_id], target, Money(amount, hold.currency)
        case ReverseEntry():
            original = page.book.originals.get(order.reverses_id)
            if original is None:
                raise UnknownObject("transfer")
            posting = original.postings[0]
            left = original.total_minor - page.taken_back(original)
            amount = read_amount(order.amount, posting.currency).minor if order.amount else left
            accounts = page.book.accounts
            return accounts[posting.target_id], accounts[posting.source_id], Money(amount, posting.currency)
        case ReleaseHold() | ExpireHold():
            raise AssertionError("nothing is paid")


def _asks(page: Page, order: SingleOrder) -> Asks:
    if not isinstance(order, CaptureHold):
        return "everything"
    return "payee" if page.hold(order.hold_id).target_id else "payee_and_its_limits"


def _came_to(case: _Case, outcome: Done | Pending | Refusal) -> tuple[str, str]:
    """The outcome of a decision and its codes: what the rules allow and the book refuses is denied."""
    if isinstance(outcome, Refusal):
        codes = dict.fromkeys(refusal.code for refusal in (*case.verdict.refusals, outcome))
        return "deny", " ".join(codes)
    return case.verdict.outcome, ""


def _inputs(case: _Case) -> dict[str, Json]:
    """The facts that the rules saw, enough to ask them again."""
    payment, facts = case.payment, case.facts
    if payment is None or facts is None:
        return {}
    payee = payment.payee
    return {
        "acknowledges": payment.acknowledges.hex if payment.acknowledges else None,
        "action": payment.action,
        "amount_minor": payment.money.minor,
        "currency": payment.money.currency,
        "asks": payment.asks,
        "duplicate_of": [facts.duplicate_of.event_id.hex, facts.duplicate_of.at.isoformat()]
        if facts.duplicate_of
        else None,
        "mandates": [[m.id.hex, m.version] for m in facts.chain],
        "now": facts.now.isoformat(),
        "payee": _payee(payee) if payee else None,
        "rail": payment.rail,
        "risk": list(facts.risk) if facts.risk else None,
        "source": payment.source,
        "used": [[m.hex, key, p.hex, u.amount_minor, u.uses] for (m, key, p), u in facts.used.items()],
    }


def _payee(payee: Payee) -> dict[str, Json]:
    return {
        "account_id": payee.account_id.hex,
        "counterparty_id": payee.counterparty_id.hex if payee.counterparty_id else None,
        "known_since": payee.known_since.isoformat() if payee.known_since else None,
        "number": payee.number,
        "status": payee.status,
        "version": payee.version,
    }


def _results(verdict: Verdict) -> list[Json]:
    return [[r.mandate_id.hex, r.rule, r.said, r.fact] for r in verdict.results]


def _meter(meter: Meter) -> list[Json]:
    return [meter.mandate_id.hex, meter.window_key, meter.payee_id.hex, meter.bucket.isoformat()]


def meters_of(text: str) -> list[Meter]:
    """The windows that a decision used, read back."""
    return [
        Meter(UUID(mandate), key, UUID(payee), datetime.fromisoformat(bucket))
        for mandate, key, payee, bucket in orjson.loads(text)
    ]


def chain_for(agent_id: UUID, team: str | None, known: Sequence[Mandate], named: UUID | None) -> list[Mandate]:
    """The mandate named, or the one that is closest to the agent, with those above it; refuses where there is none."""
    mine = [m for m in known if _is_for(m, agent_id, team)]
    if named is not None:
        found = [m for m in mine if m.id == named]
        if not found:
            raise MandateMissing("You have no such mandate.")
        return chain_of(found[0], known)
    live = [m for m in mine if m.status == "active"] or mine
    for level in (_own, _of_team, _of_all):
        found = [m for m in live if level(m)]
        if len(found) > 1:
            raise MandateMissing("More than one mandate of yours could cover this; name one as `mandate`.")
        if found:
            return chain_of(found[0], known)
    raise MandateMissing("You have no mandate.")


def _is_for(mandate: Mandate, agent_id: UUID, team: str | None) -> bool:
    if mandate.agent_id is not None:
        return mandate.agent_id == agent_id
    return mandate.team is None or mandate.team == team


def _own(mandate: Mandate) -> bool:
    return mandate.agent_id is not None


def _of_team(mandate: Mandate) -> bool:
    return mandate.team is not None


def _of_all(mandate: Mandate) -> bool:
    return mandate.agent_id is None and mandate.team is None
