"""What comes with time: captures settle, refunds turn, disputes are decided, payouts arrive, authorizations end."""

from collections.abc import Callable, Mapping

from bursar.simulator import capturing, charging, disputes, payouts, refunds
from bursar.simulator.errors import StripeError
from bursar.simulator.store import Store
from bursar.simulator.world import World

_ACTIONS: Mapping[str, Callable[[World, str], None]] = {
    "arrive_payout": payouts.arrive,
    "close_dispute": disputes.lapse,
    "decide_dispute": disputes.decide,
    "dispute_charge": disputes.open_by_card,
    "expire_authorization": capturing.expire,
    "fail_payout": payouts.fail,
    "fail_refund": refunds.fail,
    "finish_refund": refunds.finish,
    "send_payout": payouts.send,
    "settle_charge": charging.settle_later,
}


def catch_up(store: Store) -> int:
    """Do what is due by now, each in a transaction of its own; how much that was."""
    count = 0
    while (due := store.next_due()) is not None:
        number, at, action, object_id = due
        with store.transaction():
            world = World(store)
            if at > world.now:
                break
            try:
                with store.attempt():
                    _ACTIONS[action](world, object_id)
            except StripeError:
                # Somebody has done it by hand meanwhile.
                pass
            store.done(number)
        count += 1
    return count
