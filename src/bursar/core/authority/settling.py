"""The second half of what began with a decision: Bursar's own instructions, each bound to the event that allowed it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority import moving, store, telling
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.facts import Meter, Used
from bursar.core.authority.record import meters_of
from bursar.core.events import service as events
from bursar.core.events.model import Event, Happening, event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import Order, SingleOrder, Together
from bursar.core.ledger.outcomes import AllDone, Done, Outcome, Refused
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show


class Ground(NamedTuple):
    """What a settlement rests on: the action of the table that began it, the event that allowed it, what it is about.

    Without `event_id` somebody outside began it (a provider's customer disputes a payment). Without `actor` it is
    Bursar's own doing.
    """

    action: str
    event_id: UUID | None
    about: str
    facts: Mapping[str, Json]
    actor: Actor | None = None


async def settle(tx: Tx, ground: Ground, orders: Sequence[Order], *, spent: UUID | None = None) -> list[Outcome]:
    """Carry out what follows from what was allowed; every order is recorded with its ground, done or refused.

    No mandate is asked again: what is settled has happened outside. Holds that end give their limits back, but for the
    hold `spent`, whose money has gone where it was meant to go.
    """
    assert ground.action in ACTIONS
    sent = await ledger.send_many(tx, orders, ledger.unexamined)
    written = moving.expiries(sent.expired)
    for order, outcome in zip(orders, sent.outcomes, strict=True):
        written += _told(ground, order, outcome)
    events.record(tx, written)
    await moving.give_back(tx, [hold for hold in sent.holds if hold.id != spent], {})
    return sent.outcomes


def _told(ground: Ground, order: Order, outcome: Outcome) -> list[Event]:
    if isinstance(outcome, AllDone):
        assert isinstance(order, Together)
        return [
            _event(ground, o.event_id, telling.done(o, d)) for o, d in zip(order.orders, outcome.parts, strict=True)
        ]
    if isinstance(outcome, Done):
        assert not isinstance(order, Together)
        return [_event(ground, order.event_id, telling.done(order, outcome))]
    assert isinstance(outcome, Refused)
    single = _last(order)
    return [_event(ground, new_id(), telling.refused(single, outcome))]


def _last(order: Order) -> SingleOrder:
    return order.orders[-1] if isinstance(order, Together) else order


def _event(ground: Ground, event_id: UUID, happening: Happening) -> Event:
    because: dict[str, Json] = {
        **ground.facts,
        "about": ground.about,
        "because": show("evt", ground.event_id) if ground.event_id else None,
    }
    return event_of(
        event_id, ground.actor, "", ground.action, happening._replace(payload={**happening.payload, **because})
    )


async def give_back(tx: Tx, event_id: UUID, amount_minor: int, *, whole: bool) -> None:
    """Give back limits that an undertaking used and does not need: so many minor units; `whole`: the use as well."""
    uses = await store.find_uses(tx, event_id)
    less = {meter: Used(amount_minor, int(whole)) for meter in meters_of(uses)} if uses else dict[Meter, Used]()
    if less and (amount_minor or whole):
        store.subtract_usage(tx, less)
