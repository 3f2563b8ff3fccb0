"""Bursar's own orders, which give back what was set aside or paid for somebody whose undertaking has ended."""

from collections.abc import Sequence

from bursar.core.authority import moving, telling
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.ledger import service as ledger
from bursar.core.ledger.orders import ReleaseHold, ReverseEntry
from bursar.core.ledger.outcomes import Done, Outcome
from bursar.kernel.db import Tx


async def undo(tx: Tx, action: str, orders: Sequence[ReleaseHold | ReverseEntry]) -> Sequence[Outcome]:
    """Release holds and reverse entries in this order, with their events; what the limits had set aside is given back.

    No mandate is asked: nothing is paid that had not been taken. A refusal is an outcome; the others are done all the
    same, so who wants all or nothing raises.
    """
    sent = await ledger.send_many(tx, orders, ledger.unexamined)
    told = [
        event_of(order.event_id, None, "", action, telling.done(order, outcome))
        for order, outcome in zip(orders, sent.outcomes, strict=True)
        if isinstance(outcome, Done)
    ]
    events.record(tx, [*moving.expiries(sent.expired), *told])
    await moving.give_back(tx, sent.holds, {})
    return sent.outcomes
