"""The orders of a batch through the gate and the book, and everything that is written about them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority import store, telling
from bursar.core.authority.assessing import Assess
from bursar.core.authority.cases import Asked
from bursar.core.authority.examine import Examination
from bursar.core.authority.facts import NOTHING_USED, Meter, Used
from bursar.core.authority.model import Instruction, PendingApproval, Told
from bursar.core.authority.proposals import payload_of
from bursar.core.authority.record import meters_of
from bursar.core.authority.remaining import with_authorised
from bursar.core.authority.sources import Source
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


class Job(NamedTuple):
    """An instruction that got past every check, and the orders it comes to."""

    at: int
    instruction: Instruction
    actor: Actor
    orders: Sequence[Order]


class Result(NamedTuple):
    """What a job's orders came to, and its first event; None without orders."""

    outcomes: list[Told]
    event_id: UUID | None


class _Record:
    """What is to be written beside the book: events go to the caller's list."""

    def __init__(self, examination: Examination, decisions: Mapping[UUID, Decision], written: list[Event]) -> None:
        """`decisions` by the ids of their events."""
        self.examination = examination
        self.decisions = decisions
        self.written = written
        self.approvals: list[NewApproval] = []


async def move(
    tx: Tx, jobs: Sequence[Job], written: list[Event], assess: Assess, source: Source
) -> list[tuple[Job, Result]]:
    """Send all orders at once, agents' through the gate of their mandates; add the events to `written`.

    What is known first is sent first: PostgreSQL writes the book while the decisions are put into words, and the
    decisions while the events are.
    """
    examination = await _examination(tx, jobs, assess, source)
    orders = [order for job in jobs for order in job.orders]
    if not orders:
        return [(job, Result([], None)) for job in jobs]
    sent = await ledger.send_many(tx, orders, examination.open, source)
    await give_back(tx, sent.holds, examination.used(sent.notes), source.use)
    await tx.send()
    decisions = _decisions(examination, orders, sent.outcomes) if examination.asked else []
    if decisions:
        store.insert_decisions(tx, decisions)
        if any(decision.outcome != "deny" for decision in decisions):
            source.decided_under(tx, examination.mandate_ids)
        await tx.send()
    written += expiries(sent.expired)
    record = _Record(examination, {decision.id: decision for decision in decisions}, written)
    results: list[tuple[Job, Result]] = []
    outcomes = iter(sent.outcomes)
    for job in jobs:
        first = len(written)
        told = [_tell(record, job, order, next(outcomes)) for order in job.orders]
        results.append((job, Result(told, written[first].id if told else None)))
    if record.approvals:
        store.insert_approvals(tx, record.approvals)
    return results


def _decisions(examination: Examination, orders: Sequence[Order], outcomes: Sequence[Outcome]) -> list[Decision]:
    singles = [pair for order, outcome in zip(orders, outcomes, strict=True) for pair in _singles(order, outcome)]
    return [decision for order, outcome in singles if (decision := examination.record(order, outcome))]


def _singles(order: Order, outcome: Outcome) -> Iterable[tuple[SingleOrder, Done | Pending | Refused]]:
    """Orders with their outcomes one by one; of those that happen together or not at all, if they happened."""
    if not isinstance(order, Together):
        assert not isinstance(outcome, AllDone)
        yield order, outcome
    elif isinstance(outcome, AllDone):
        yield from zip(order.orders, outcome.parts, strict=True)


async def _examination(tx: Tx, jobs: Sequence[Job], assess: Assess, source: Source) -> Examination:
    """Lock the mandates of the agents that ask; nobody else needs one."""
    asked = {
        single.event_id: Asked(job.actor, job.instruction.judged_as or job.instruction.ask.action.name, single)
        for job in jobs
        if job.actor.kind == "agent"
        for order in job.orders
        for single in (order.orders if isinstance(order, Together) else (order,))
    }
    agents = {(a.agent.principal_id, a.agent.team) for a in asked.values()}
    mandates = await source.mandates(tx, agents) if agents else []
    return Examination(tx, asked, mandates, assess, source)


def expiries(expired: Sequence[tuple[UUID, Hold]]) -> list[Event]:
    """The events of holds whose time was over."""
    return [event_of(event_id, None, "", "expire_hold", telling.expired(hold)) for event_id, hold in expired]


async def give_back(
    tx: Tx, holds: Sequence[Hold], used: Mapping[Meter, Used],
    use: Callable[[Tx, Mapping[Meter, Used]], None] = store.add_usage,
) -> None:  # fmt: skip
    """Write what was used of which windows, less what ended holds had set aside and did not spend.

    Funds and limits are one reservation: what a hold gives back of the one, it gives back of the other. The holds of
    approvals are their own matter.
    """
    ended = {h.id: h for h in holds if h.status != "pending" and h.approval_id is None}
    net = dict(used)
    for reserved in await store.list_reserved(tx, list(ended)) if ended else ():
        hold = ended[reserved.hold_id]
        for meter in meters_of(reserved.uses):
            amount, uses = net.get(meter, NOTHING_USED)
            amount -= hold.amount_minor - hold.captured_minor
            net[meter] = Used(amount, uses - (hold.status != "posted"))
    more = {meter: change for meter, change in net.items() if min(change) >= 0 and any(change)}
    less = {meter: Used(-change.amount_minor, -change.uses) for meter, change in net.items() if min(change) < 0}
    if more:
        use(tx, more)
    if less:
        store.subtract_usage(tx, less)


def _tell(record: _Record, job: Job, order: Order, outcome: Outcome) -> Told:
    """Write down one outcome, and say it as the caller is told."""
    if not isinstance(order, Together):
        assert not isinstance(outcome, AllDone)
        return _tell_one(record, job, order, outcome)
    assert not isinstance(outcome, Done | Pending)
    if isinstance(outcome, AllDone):
        for single, part in zip(order.orders, outcome.parts, strict=True):
            _tell_one(record, job, single, part)
    else:
        record.written.append(_event(job, new_id(), telling.undone(len(order.orders), outcome)))
    return outcome


def _tell_one(record: _Record, job: Job, order: SingleOrder, outcome: Done | Pending | Refused) -> Told:
    if isinstance(outcome, Pending):
        told = _ask_people(record, order, outcome)
        happening = telling.proposed(order, told, outcome.hold)
    elif isinstance(outcome, Done):
        # In a batch of many it would be said as often as there are orders.
        alone = job.orders[0] is order and len(job.orders) == 1
        told = with_authorised(outcome, record.examination.authorised(order)) if alone else outcome
        happening = telling.done(order, outcome)
    else:
        told, happening = outcome, telling.refused(order, outcome)
    record.written.append(_event(job, order.event_id, happening))
    return told


def _ask_people(record: _Record, order: SingleOrder, outcome: Pending) -> PendingApproval:
    """Bind an approval to the very payment."""
    asked, decision = record.examination.proposal(order), record.decisions[order.event_id]
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
