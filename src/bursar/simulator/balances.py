"""The provider's money: every movement is a balance transaction, and the balance is their sum."""

from bursar.simulator.errors import Body
from bursar.simulator.world import World


def move(
    world: World,
    kind: str,
    amount: int,
    source: Body,
    *,
    fee: int = 0,
    category: str | None = None,
    description: str | None = None,
    available_on: int | None = None,
) -> Body:
    """Write a balance transaction: `amount` before the fee, in minor units, positive when money comes in."""
    details = (
        [{"amount": fee, "application": None, "currency": source["currency"], "type": "stripe_fee"}] if fee else []
    )
    for detail in details:
        detail["description"] = "Stripe processing fees" if kind == "charge" else "Dispute fee"
    return world.make(
        "txn",
        "balance_transaction",
        amount=amount,
        available_on=world.now if available_on is None else available_on,
        balance_type="payments",
        currency=source["currency"],
        description=description,
        exchange_rate=None,
        fee=fee,
        fee_details=details,
        net=amount - fee,
        reporting_category=category or kind,
        source=source["id"],
        status="pending",
        type=kind,
    )


def charge_fee(world: World, amount: int) -> int:
    """What a capture costs: a share of it, rounded half up, and a fixed part."""
    return (amount * world.setting("fee_basis_points") + 5000) // 10_000 + world.setting("fee_fixed")


def totals(world: World) -> dict[str, tuple[int, int]]:
    """Of each currency what is available and what is pending."""
    sums: dict[str, tuple[int, int]] = {}
    for moved in world.store.page("balance_transaction"):
        available, pending = sums.get(moved["currency"], (0, 0))
        if moved["available_on"] <= world.now:
            sums[moved["currency"]] = (available + moved["net"], pending)
        else:
            sums[moved["currency"]] = (available, pending + moved["net"])
    return sums


def balance(world: World) -> Body:
    """The balance object."""
    sums = totals(world) or {"usd": (0, 0)}

    def column(index: int) -> list[Body]:
        return [
            {"amount": both[index], "currency": currency, "source_types": {"card": both[index]}}
            for currency, both in sorted(sums.items())
        ]

    return {"object": "balance", "available": column(0), "livemode": False, "pending": column(1)}
