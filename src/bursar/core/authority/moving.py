"""The orders of a batch through the gate and the book, and everything that is written about them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority import facts_store, store, telling
from bursar.core.authority.assessing import Assess
from bursar.core.authority.examine import Asked, Examination
from bursar.core.authority.facts import NOTHING_USED, Meter, Used
from bursar.core.authority.model import Instruction, PendingApproval, Told
from bursar.core.authority.proposals import payload_of
from bursar.core.authority.record import meters_of
from bursar.core.authority.remaining import with_authorised
from bursar.core.authority.store import Decision, NewApproval
from bursar.core.events.model import Event, Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import service as ledger
from bursar.core.ledger.model import Hold
from bursar.core.ledger.orders import Order, SingleOrder, Together
from bursar.core.ledger.outcomes import AllDone, Done, Outcome, Pending, Refused
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Job:
    """An instruction that got past every check, and the orders it comes to."""

    index: int
    instruction: Instruction
    actor: Actor
    orders: Sequence[Order]


class Result(NamedTuple):
    """What a job's orders came to, and its first event; None without orders."""

    outcomes: list[Told]
    event_id: UUID | None


class _Record:
    """What is to be written beside the book: events go to the caller's list."""

    def __init__(self, examination: Examination, written: list[Event]) -> None:
        self.examination = examination
        self.written = written
        self.decisions: list[Decision] = []
        self.approvals: list[NewApproval] = []
        self.used: dict[Meter, Used] = defaultdict(lambda: NOTHING_USED)


async def move(tx: Tx, jobs: Sequence[Job], written: list[Event], assess: Assess) -> list[tuple[Job, Result]]:
    """Send all orders at once, agents' through the gate of their mandates; add the events to `written`."""
    examination = await _examination(tx, jobs, assess)
    orders = [order for job in jobs for order in job.orders]
    if not orders:
        return [(job, Result([], None)) for job in jobs]
    sent = await ledger.send_many(tx, orders, examination.open)
    written += expiries(sent.expired)
    record = _Record(examination, written)
    results: list[tuple[Job, Result]] = []
    start = 0
    for job in jobs:
        mine = sent.outcomes[start : start + len(job.orders)]
        start += len(job.orders)
        first = len(written)
        told = [_tell(record, job, order, outcome) for order, outcome in zip(job.orders, mine, strict=True)]
        results.append((job, Result(told, written[first].id if mine else None)))
    if record.decisions:
        store.insert_decisions(tx, record.decisions)
    if record.approvals:
        store.insert_approvals(tx, record.approvals)
    await give_back(tx, sent.holds, record.used)
    return results


async def _examination(tx: Tx, jobs: Sequence[Job], assess: Assess) -> Examination:
    """Lock the mandates of the agents that ask; nobody else needs one."""
    asked = {
        single.event_id: Asked(job.actor, job.instruction.judged_as or job.instruction.ask.action.name, single)
        for job in jobs
        if job.actor.kind == "agent"
        for order in job.orders
        for single in (order.orders if isinstance(order, Together) else (order,))
    }
    agents = {a.agent.principal_id: a.agent.team for a in asked.values()}
    mandates = await facts_store.lock_mandates_for(tx, agents.items()) if agents else []
    return Examination(tx, asked, mandates, assess)


def expiries(expired: Sequence[tuple[UUID, Hold]]) -> list[Event]:
    """The events of holds whose time was over."""
    return [event_of(event_id, None, "", "expire_hold", telling.expired(hold)) for event_id, hold in expired]


async def give_back(tx: Tx, holds: Sequence[Hold], used: Mapping[Meter, Used]) -> None:
    """Write what was used of which windows, less what ended holds had set aside and did not spend.

    Funds and limits are one reservation: what a hold gives back of the one, it gives back of the other. The holds of
    approvals are their own matter.
    """
    ended = {h.id: h for h in holds if h.status != "pending" and h.approval_id is None}
    net: dict[Meter, list[int]] = {meter: [use.amount_minor, use.uses] for meter, use in used.items()}
    for reserved in await store.list_reserved(tx, list(ended)) if ended else ():
        hold = ended[reserved.hold_id]
        for meter in meters_of(reserved.uses):
            change = net.setdefault(meter, [0, 0])
            change[0] -= hold.amount_minor - hold.captured_minor
            change[1] -= hold.status != "posted"
    more = {meter: Used(*change) for meter, change in net.items() if min(change) >= 0 and any(change)}
    less = {meter: Used(-change[0], -change[1]) for meter, change in net.items() if min(change) < 0}
    if more:
        store.add_usage(tx, more)
    if less:
        store.subtract_usage(tx, less)


def _tell(record: _Record, job: Job, order: Order, outcome: Outcome) -> Told:
    """Write down one outcome, and say it as the caller is told."""
    if not isinstance(order, Together):
        assert not isinstance(outcome, AllDone)
        return _tell_one(record, job, order, outcome)
    if isinstance(outcome, AllDone):
        for part, done in zip(order.orders, outcome.parts, strict=True):
            _tell_one(record, job, part, done)
        return outcome
    assert not isinstance(outcome, Done | Pending)
    record.written.append(_event(job, new_id(), telling.undone(len(order.orders), outcome)))
    return outcome


def _tell_one(record: _Record, job: Job, order: SingleOrder, outcome: Done | Pending | Refused) -> Told:
    decision = record.examination.record(order, outcome)
    if decision:
        record.decisions.append(decision)
    if isinstance(outcome, Pending):
        assert decision
        told = _ask_people(record, order, outcome, decision)
        happening = telling.proposed(order, told, outcome.hold)
    elif isinstance(outcome, Done):
        # In a batch of many it would be said as often as there are orders.
        alone = job.orders[0] is order and len(job.orders) == 1
        told = with_authorised(outcome, record.examination.authorised(order)) if alone else outcome
        happening = telling.done(order, outcome)
    else:
        told, happening = outcome, telling.refused(order, outcome)
    if not isinstance(outcome, Refused):
        _add(record.used, record.examination.used(order))
    record.written.append(_event(job, order.event_id, happening))
    return told


def _add(used: dict[Meter, Used], more: Mapping[Meter, Used]) -> None:
    for meter, use in more.items():
        before = used[meter]
        used[meter] = Used(before.amount_minor + use.amount_minor, before.uses + use.uses)


def _ask_people(record: _Record, order: SingleOrder, outcome: Pending, decision: Decision) -> PendingApproval:
    """Bind an approval to the very payment."""
    asked = record.examination.proposal(order)
    assert decision.source_id and decision.currency and decision.amount_minor is not None
    payload = payload_of(asked.action, order, decision.source_id, asked.payee, asked.money, asked.chain)
    needs = asked.needs
    until = decision.decided_at + timedelta(seconds=needs.ttl_seconds)
    bound = sha256(payload.encode()).digest()
    hold_id = outcome.hold.id if outcome.hold else None
    asked_of = (asked.approval_id, decision.id, decision.agent_id, payload, bound, canonical(needs._asdict()), hold_id)
    record.approvals.append(NewApproval(*asked_of, decision.decided_at, until))
    return PendingApproval(asked.approval_id, until, needs.quorum, needs.step_up, needs.why)


def _event(job: Job, event_id: UUID, happening: Happening) -> Event:
    ask = job.instruction.ask
    return event_of(event_id, job.actor, ask.request_id, ask.action.name, happening)
