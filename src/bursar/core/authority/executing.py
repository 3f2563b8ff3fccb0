"""What was approved is carried out exactly once, if all it was approved on still holds; else it is superseded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from bursar.core.authority import approval_store as store
from bursar.core.authority import moving, requests, telling
from bursar.core.authority import store as decisions
from bursar.core.authority.approval_store import Approval, Vote
from bursar.core.authority.approvals import payload_of, refuse_other_people, still_waits, supersede
from bursar.core.authority.covering import chain_for
from bursar.core.authority.evaluate import evaluate
from bursar.core.authority.facts import Asks, Facts, Payee, Payment
from bursar.core.authority.facts_store import Counterparty, lock_mandates_for, look_up
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.proposals import order_of
from bursar.core.authority.record import NO_RESULTS
from bursar.core.authority.store import Decision
from bursar.core.authority.turn_store import take_turn
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, Principal
from bursar.core.ledger import service as ledger
from bursar.core.ledger.book import Book, Page
from bursar.core.ledger.decide import Gate
from bursar.core.ledger.orders import Order, ReleaseHold, SingleOrder, Together
from bursar.core.ledger.outcomes import AllDone, Done, Refused, StateConflict, Undone
from bursar.kernel.canonical import Json, canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show
from bursar.kernel.money import Money


class _Recheck:
    """The gate before an approved order: asks again all that may have changed, with every row locked."""

    def __init__(
        self, tx: Tx, approval: Approval, votes: Sequence[Vote], people: Mapping[UUID, Principal],
        mandates: Sequence[Mandate],
    ) -> None:  # fmt: skip
        self._tx = tx
        self._approval = approval
        self._votes = votes
        self._maker = people[approval.maker_id]
        self._people = people
        self._mandates = mandates
        self._known: Counterparty | None = None
        self.payload = payload_of(approval)
        self.now = approval.created_at

    async def open(self, book: Book) -> Gate:
        """Load what the rules look at; the accounts are locked."""
        self.now = book.now
        if target := self.payload["target_id"]:
            known = await look_up(self._tx, account_ids=[UUID(target)])
            self._known = known.counterparties.get(UUID(target))
        return self._gate

    def _gate(self, page: Page, order: SingleOrder) -> SingleOrder:
        if not isinstance(order, ReleaseHold):
            refuse_other_people(self._approval, self._votes, self._people)
            self._refuse_other_payment()
            chain = self._chain()
            refusals = evaluate(Facts(self.now, chain, {}), self._payment(page.book)).refusals
            if refusals:
                raise refusals[0]
        return order

    def _refuse_other_payment(self) -> None:
        if sha256(self._approval.payload.encode()).digest() != self._approval.payload_hash:
            raise StateConflict("The payment is not the one that was approved.")
        known = self._known
        if self.payload["counterparty"] != ([known.id.hex, known.version] if known else None):
            raise StateConflict("The counterparty has changed since the approval was asked for.")

    def _chain(self) -> Sequence[Mandate]:
        """The mandates of the payment, if they are those of its versions and still the maker's."""
        bound = [(UUID(mandate_id), version) for mandate_id, version in self.payload["mandates"]]
        chain = chain_for(self._maker.id, self._maker.team, self._mandates, bound[0][0])
        if [(mandate.id, mandate.version) for mandate in chain] != bound:
            raise StateConflict("The mandate has changed since the approval was asked for.")
        return chain

    def _payment(self, book: Book) -> Payment:
        payload, known = self.payload, self._known
        payee = None
        if payload["target_id"]:
            account = book.accounts[UUID(payload["target_id"])]
            payee = Payee(account.id, account.number, None, None, None, None)
            if known:
                facts = (known.id, known.version, known.status, known.created_at)
                payee = Payee(account.id, account.number, *facts)
        source = book.accounts[UUID(payload["source_id"])].number
        money = Money(payload["amount_minor"], payload["currency"])
        # The hold of a capture has used the limits, and so has what a payee's own windows set aside for it.
        order = payload["order"]
        asks: Asks = "everything" if order["kind"] != "capture" and order.get("counts", True) else "payee"
        return Payment(payload["action"], source, payee, money, payload["rail"], asks=asks)


async def execute(tx: Tx, approval_id: UUID) -> bool:
    """Carry out what was approved, or supersede it; False when there is nothing to do any more."""
    asked = await store.find_approval(tx, approval_id)
    if asked is None or not still_waits(asked):
        return False
    votes = [vote for vote in await store.list_votes(tx, [asked.id]) if vote.vote == "approve"]
    if asked.kind == "mandate_change":
        return await requests.execute(tx, asked, votes)
    return await _pay(tx, asked, votes)


async def _pay(tx: Tx, asked: Approval, votes: Sequence[Vote]) -> bool:
    """Its windows were used when it was asked for, so the rules see nothing used but them."""
    people = await identity.lock_principals(tx, [asked.maker_id, *(vote.operator_id for vote in votes)])
    maker = people[asked.maker_id]
    # All of the maker's: one that was paused since holds against the one that was asked under.
    mandates = await lock_mandates_for(tx, [(maker.id, maker.team)])
    approval = await store.lock_approval(tx, asked.id)
    if approval is None or not still_waits(approval):
        return False
    recheck = _Recheck(tx, approval, votes, people, mandates)
    order = order_of(recheck.payload, new_id())
    sent = await ledger.send_many(tx, [_with_release(approval, order)], recheck.open)
    events.record(tx, moving.expiries(sent.expired))
    await moving.give_back(tx, sent.holds, {})
    (outcome,) = sent.outcomes
    if isinstance(outcome, Refused):
        refusal = outcome.refusal if isinstance(outcome, Undone) else outcome
        await supersede(tx, approval, refusal)
        return True
    done = outcome.parts[-1] if isinstance(outcome, AllDone) else outcome
    assert isinstance(done, Done)
    await _write(tx, approval, people[approval.maker_id], votes, order, done, recheck.now)
    take_turn(tx, [mandate.id for mandate in mandates], new_id())
    return True


def _with_release(approval: Approval, order: SingleOrder) -> Order:
    if approval.hold_id is None:
        return order
    return Together((ReleaseHold(new_id(), approval.hold_id, approval.id), order))


async def _write(
    tx: Tx, approval: Approval, maker: Principal, votes: Sequence[Vote], order: SingleOrder, done: Done, now: datetime
) -> None:
    payload = payload_of(approval)
    facts: dict[str, Json] = {
        "approval": show("apr", approval.id),
        "approvers": [{"id": show("prn", vote.operator_id), "name": vote.operator} for vote in votes],
    }
    happening = telling.done(order, done)
    happening = happening._replace(payload={**happening.payload, **facts})
    agent = Actor(tx.tenant, maker.id, maker.kind, maker.name, None, frozenset(), maker.team)
    about = {"event": show("evt", order.event_id), "object": happening.object}
    told = Happening("approval.executed", "executed", about, show("apr", approval.id))
    events.record(
        tx,
        [
            event_of(order.event_id, agent, "", payload["action"], happening),
            event_of(new_id(), None, "", "execute_approval", told),
        ],
    )
    decisions.insert_decisions(tx, [await _decision(tx, approval, payload, facts, order, done, now)])
    store.mark_executed(tx, approval.id, order.event_id)


async def _decision(
    tx: Tx, approval: Approval, payload: Mapping[str, Any], facts: Mapping[str, Json], order: SingleOrder, done: Done,
    now: datetime,
) -> Decision:  # fmt: skip
    """The decision that an approved order rests on: from now on it is this one that uses the windows."""
    assert approval.decision_id
    basis = await store.find_basis(tx, approval.decision_id)
    inputs = canonical({**facts, "payload_hash": approval.payload_hash.hex()})
    target = payload["target_id"]
    return Decision(
        order.event_id, approval.maker_id, payload["action"], "allow", "", basis.mandate_id, basis.mandate_version,
        UUID(payload["source_id"]), UUID(target) if target else None, payload["currency"], payload["amount_minor"],
        done.hold.id if done.hold else None, inputs, sha256(inputs.encode()).digest(), NO_RESULTS, basis.uses, now,
        basis.fingerprint,
    )  # fmt: skip
