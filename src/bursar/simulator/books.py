"""The provider's books, laid open: what tests hold their own against."""

from bursar.simulator.balances import totals
from bursar.simulator.errors import Body
from bursar.simulator.world import World


def dump(world: World) -> Body:
    """All movements, every payment with what became of it, and the sums of each currency and type in minor units."""
    moved = [world.shown(one) for one in world.store.page("balance_transaction")[::-1]]
    sums: dict[str, dict[str, int]] = {}
    for one in moved:
        of_currency = sums.setdefault(one["currency"], {})
        for name, amount in (
            (one["type"] if one["type"] != "adjustment" else one["reporting_category"], one["amount"]),
            ("fee", -one["fee"]),
            ("net", one["net"]),
        ):
            of_currency[name] = of_currency.get(name, 0) + amount
    return {
        "at": world.now,
        "balance": {
            currency: {"available": available, "pending": pending}
            for currency, (available, pending) in sorted(totals(world).items())
        },
        "sums": sums,
        "payments": [_payment(world, intent) for intent in world.store.page("payment_intent")[::-1]],
        "payouts": [
            {name: one[name] for name in ("id", "amount", "currency", "metadata", "status")}
            for one in world.store.page("payout")[::-1]
        ],
        "balance_transactions": moved,
        "disagreements": disagreements(world),
    }


def _payment(world: World, intent: Body) -> Body:
    charges = world.store.page("charge", where={"payment_intent": intent["id"]})
    refunds = world.store.page("refund", where={"payment_intent": intent["id"]})
    disputes = world.store.page("dispute", where={"payment_intent": intent["id"]})
    return {
        **{name: intent[name] for name in ("id", "amount", "currency", "metadata", "status")},
        "authorized": intent["amount_capturable"],
        "captured": sum(charge["amount_captured"] for charge in charges),
        "charges": len([charge for charge in charges if charge["paid"]]),
        "declines": len([charge for charge in charges if not charge["paid"]]),
        "refunded": sum(one["amount"] for one in refunds if one["balance_transaction"] and one["status"] != "failed"),
        "disputes": [{name: one[name] for name in ("id", "amount", "status")} for one in disputes],
    }


def disagreements(world: World) -> list[str]:
    """What the books say in two ways that differ; always empty, unless the simulator has a mistake."""
    found: list[str] = []
    moved: dict[str, list[Body]] = {}
    for one in world.store.page("balance_transaction"):
        moved.setdefault(one["source"], []).append(one)
        if one["net"] != one["amount"] - one["fee"]:
            found.append(f"{one['id']}: net is not amount less fee")
    for charge in world.store.page("charge"):
        found += _of_charge(world, charge, sum(one["amount"] for one in moved.get(charge["id"], [])))
    for payout in world.store.page("payout"):
        on_balance = sum(one["amount"] for one in moved.get(payout["id"], []))
        if on_balance != (0 if payout["status"] in ("failed", "canceled") else -payout["amount"]):
            found.append(f"{payout['id']}: {payout['status']}, on the balance {on_balance}")
    return found


def _of_charge(world: World, charge: Body, on_balance: int) -> list[str]:
    found: list[str] = []
    waits = charge["captured"] and charge["balance_transaction"] is None
    if not waits and on_balance != charge["amount_captured"]:
        found.append(f"{charge['id']}: captured {charge['amount_captured']}, on the balance {on_balance}")
    refunds = world.store.page("refund", where={"charge": charge["id"]})
    given_back = sum(one["amount"] for one in refunds if one["status"] != "failed")
    if given_back != charge["amount_refunded"]:
        found.append(f"{charge['id']}: refunded {charge['amount_refunded']}, refunds of {given_back}")
    if charge["amount_refunded"] - charge["_released"] > charge["amount_captured"]:
        found.append(f"{charge['id']}: refunded more than was captured")
    return found
