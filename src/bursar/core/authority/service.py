"""The one function that authorises money, and its smaller sister for actions that move none."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from uuid import UUID

from bursar.core.authority import moving
from bursar.core.authority.assessing import Assess
from bursar.core.authority.model import Ask, Instruction, denied, refusal_of, refused
from bursar.core.authority.moving import Job
from bursar.core.authority.sources import UNDER_LOCKS, Source
from bursar.core.events import service as events
from bursar.core.events.model import Event, Happening, event_of
from bursar.core.idempotency import service as idempotency
from bursar.core.idempotency.model import NOT_PINNED, Answer, IdempotencyConflict, Pinned, pin_id
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor, Credential
from bursar.core.ledger import service as ledger
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import Refusal

Result = TypeVar("Result")

# What an instruction comes to: bytes to send, or a refusal that is not pinned to its key.
Reply = Answer | Refusal


@dataclass(slots=True)
class Carried:
    """The replies to a batch, and one event it wrote: the trace that tells whether a lost commit took effect."""

    replies: list[Reply]
    trace: UUID | None
    # Those who asked and are agents.
    agents: frozenset[Credential] = frozenset()


async def carry_out(
    tx: Tx, instructions: Sequence[Instruction], assess: Assess, source: Source = UNDER_LOCKS
) -> Carried:
    """Authenticate, replay, check, move, record, pin: all in this transaction. Every instruction gets its own reply.

    The transaction holds the advisory locks of all keys from its start, and no two instructions share one. `source`
    is where facts are had from; what does not come from locked rows is checked with the writing.
    """
    admitted = await _admit(tx, [instruction.ask for instruction in instructions], source)
    replies = {index: one.reply for index, one in enumerate(admitted) if one.reply}
    written = [one.event for one in admitted if one.event]
    jobs: list[Job] = []
    pinned: list[Pinned] = []
    for index, (instruction, (actor, pin, _, _)) in enumerate(zip(instructions, admitted, strict=True)):
        if actor is None:
            continue
        try:
            begun = await instruction.aside.before(tx, actor) if instruction.aside else None
            if begun:
                replies[index] = begun.answer
                pinned += _pins(instruction.ask, actor, pin, begun.answer, begun.event_id)
                continue
            jobs.append(Job(index, instruction, actor, instruction.orders(actor)))
        except IdempotencyConflict as refusal:
            replies[index] = refusal
        except Refusal as refusal:
            replies[index] = refusal
            written.append(_denial(instruction.ask, actor, refusal))
    moved = await moving.move(tx, jobs, written, assess, source) if jobs else []
    for job, told in sorted(moved, key=_place):
        if job.instruction.aside:
            assert told.event_id
            await job.instruction.aside.after(tx, job.actor, told.outcomes, told.event_id)
        answer, event_id = await _ended(tx, job, told, written)
        replies[job.at] = answer
        pin = admitted[job.at].pin
        pinned += _pins(job.instruction.ask, job.actor, pin, answer, event_id) if event_id else []
    events.record(tx, written)
    idempotency.pin(tx, pinned)
    agents = frozenset(job.instruction.ask.credential for job in jobs if job.actor.kind == "agent")
    return Carried([replies[i] for i in range(len(instructions))], written[0].id if written else None, agents)


def _place(moved: tuple[Job, moving.Result]) -> int:
    """Objects are locked in the order of their ids."""
    with_it = moved[0].instruction.with_it
    return with_it.object_id.int if with_it else 0


async def _ended(tx: Tx, job: Job, told: moving.Result, written: list[Event]) -> tuple[Answer, UUID | None]:
    """The answer to an instruction whose orders are done, and the event it is pinned to; what goes with it is done."""
    with_it, ask = job.instruction.with_it, job.instruction.ask
    if with_it is None:
        return job.instruction.answer(told.outcomes), told.event_id
    own, happening = await with_it.work(tx, job.actor, told.outcomes)
    answer = own or job.instruction.answer(told.outcomes)
    if happening is None:
        return answer, told.event_id
    event = event_of(with_it.event_id or new_id(), job.actor, ask.request_id, ask.action.name, happening)
    written.append(event)
    return answer, told.event_id or event.id


class _Admitted(NamedTuple):
    """The actor who may go on, and where their answer is pinned; or the reply that ends it, and a denial's event."""

    actor: Actor | None
    pin: UUID | None = None
    reply: Reply | None = None
    event: Event | None = None


async def _admit(tx: Tx, asks: Sequence[Ask], source: Source = UNDER_LOCKS) -> list[_Admitted]:
    found = await source.who(tx, [ask.credential for ask in asks])
    who = [found[ask.credential] for ask in asks]
    pins = [_pin_of(ask, one) for ask, one in zip(asks, who, strict=True)]
    first = await source.answered(tx, [pin for pin in pins if pin])
    return [_admitted(ask, one, pin, first) for ask, one, pin in zip(asks, who, pins, strict=True)]


def _pin_of(ask: Ask, who: identity.Who) -> UUID | None:
    return pin_id(who.principal_id, ask.action.name, ask.claim.key) if ask.claim and isinstance(who, Actor) else None


def _admitted(ask: Ask, who: identity.Who, pin: UUID | None, first: Mapping[UUID, Pinned]) -> _Admitted:
    if not isinstance(who, Actor):
        return _Admitted(None, reply=who)
    pinned = first.get(pin) if pin else None
    if pinned and ask.claim:
        return _Admitted(None, reply=pinned.replay_for(ask.claim))
    refusal = refusal_of(who, ask.action)
    if refusal:
        return _Admitted(None, reply=refusal, event=_denial(ask, who, refusal))
    return _Admitted(who, pin)


def _denial(ask: Ask, actor: Actor, refusal: Refusal) -> Event:
    return event_of(new_id(), actor, ask.request_id, ask.action.name, denied(ask.action, refusal))


async def expire_holds(tx: Tx, hold_ids: Sequence[UUID]) -> int:
    """Give back what these holds set aside, as far as their time is over; returns how many were."""
    expired = await ledger.expire(tx, hold_ids)
    events.record(tx, moving.expiries(expired))
    await moving.give_back(tx, [hold for _, hold in expired], {})
    return len(expired)


def _pins(ask: Ask, actor: Actor, pin: UUID | None, answer: Answer, event_id: UUID) -> list[Pinned]:
    claim = ask.claim
    if pin is None or claim is None or answer.status in NOT_PINNED:
        return []
    who, action = actor.principal_id, ask.action.name
    return [Pinned(pin, who, action, claim.key, claim.request_hash, answer.status, answer.body, event_id)]


async def act(
    tx: Tx,
    ask: Ask,
    work: Callable[[Tx, Actor], Awaitable[tuple[Result | Refusal, Happening]]],
    answer: Callable[[Result | Refusal], Answer],
    event_id: UUID | None = None,
) -> Carried:
    """The same road for an action that moves no money: `work` does it and says what happened.

    `event_id`: the event's, where `work` must know it beforehand.

    A refusal that it raises undoes it; with one that it returns, what it wrote about it is kept.
    """
    ((actor, pin, reply, event),) = await _admit(tx, [ask])
    if actor is None:
        assert reply
        events.record(tx, [event] if event else [])
        return Carried([reply], event.id if event else None)
    result: Result | Refusal
    try:
        async with tx.savepoint():
            result, happening = await work(tx, actor)
    except Refusal as refusal:
        result = refusal
        happening = refused(ask.action.name, refusal)
    event = event_of(event_id or new_id(), actor, ask.request_id, ask.action.name, happening)
    events.record(tx, [event])
    reply = answer(result)
    idempotency.pin(tx, _pins(ask, actor, pin, reply, event.id))
    return Carried([reply], event.id)


async def pin(tx: Tx, ask: Ask, principal_id: UUID, answer: Answer, event_id: UUID) -> Answer:
    """Pin the answer to what took two transactions: to the event of the first, under the key's lock.

    Of several who waited for it, all get what was pinned first.
    """
    claim, action = ask.claim, ask.action.name
    if claim is None or answer.status in NOT_PINNED:
        return answer
    place = pin_id(principal_id, action, claim.key)
    if first := (await idempotency.find(tx, [place])).get(place):
        return Answer(first.status, first.body, replayed=True)
    hashed = claim.request_hash
    idempotency.pin(
        tx, [Pinned(place, principal_id, action, claim.key, hashed, answer.status, answer.body, event_id)]
    )  # fmt: skip
    return answer


async def authorise_read(tx: Tx, ask: Ask) -> Actor:
    """Tell who reads; refuses a caller without the scope. Reads are not written to the record."""
    actor = await identity.authenticate(tx, ask.credential)
    refusal = refusal_of(actor, ask.action)
    if refusal:
        raise refusal
    return actor
