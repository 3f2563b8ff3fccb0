"""How what happens at a provider is booked: the one table between a provider's words and the ledger's accounts.

An arrow goes from the account that is debited to the one that is credited; `account` is the tenant's own.

| effect | amount | fee |
|---|---|---|
| `capture` | clearing → account | fees → clearing |
| `refund` | account → clearing | fees → clearing |
| `refund_failed` | clearing → account | fees → clearing |
| `dispute` | disputed → clearing | fees → clearing |
| `dispute_won` | clearing → disputed | fees → clearing |
| `dispute_lost` | chargebacks → disputed | |
| `payout` | transit → clearing | fees → clearing |
| `payout_paid` | account → transit | |
| `payout_failed` | clearing → transit; once it had arrived, clearing → account | fees → clearing |
| `adjustment` | above zero: clearing → suspense; below: suspense → clearing | fees → clearing |

What the tenant's account cannot take (it is closed, or has not enough) goes to suspense in its place, with a case.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias
from uuid import UUID

from bursar.core.ledger.accounts import OpenAccount
from bursar.core.ledger.model import WORLD, AccountRef
from bursar.core.ledger.orders import Move
from bursar.features.payments.ports import Effect, EffectKind
from bursar.kernel.money import Money

_NAMES = {
    "": "Balance at {}",
    ":fees": "Fees of {}",
    ":disputed": "Disputed at {}",
    ":chargebacks": "Disputes lost at {}",
    ":transit": "Payouts in transit from {}",
    ":suspense": "In suspense at {}",
}
# From where to where the amount of an effect goes; `account` stands for the tenant's own.
_ARROWS: dict[EffectKind, tuple[str, str]] = {
    "capture": ("", "account"),
    "refund": ("account", ""),
    "refund_failed": ("", "account"),
    "dispute": (":disputed", ""),
    "dispute_won": ("", ":disputed"),
    "dispute_lost": (":chargebacks", ":disputed"),
    "payout": (":transit", ""),
    "payout_paid": ("account", ":transit"),
    "payout_failed": ("", ":transit"),
}


def clearing(provider: str, currency: str) -> str:
    """The number of the account that is the balance at a provider."""
    return f"{WORLD}{provider}:{currency}"


def transit(provider: str, currency: str) -> str:
    """The number of the account of what is on its way to a bank."""
    return f"{clearing(provider, currency)}:transit"


def accounts_of(provider: str, currency: str) -> list[OpenAccount]:
    """The accounts that a provider needs in a currency: all debit-normal, without a floor."""
    base = clearing(provider, currency)
    return [
        OpenAccount(f"{base}{end}", name.format(provider), currency, "debit", floor_minor=None)
        for end, name in _NAMES.items()
    ]


# The kinds and objects of what is booked already.
Begun: TypeAlias = AbstractSet[tuple[EffectKind, str | None]]


def _arrow(effect: Effect, begun: Begun) -> tuple[str, str] | None:
    """From where to where the amount goes.

    A payout that has arrived may come back, and the two may be told in either order: both together move nothing.
    """
    if effect.kind == "payout_failed" and ("payout_paid", effect.about) in begun:
        return "", "account"
    if effect.kind == "payout_paid" and ("payout_failed", effect.about) in begun:
        return None
    if effect.kind == "adjustment":
        return ("", ":suspense") if effect.amount_minor > 0 else (":suspense", "")
    return _ARROWS.get(effect.kind)


def touches_account(effect: Effect, begun: Begun) -> bool:
    """Whether the tenant's own account is one side of it."""
    return "account" in (_arrow(effect, begun) or ())


# Which way the balance at the provider goes with what an effect is about.
_SIGNS: dict[EffectKind, int] = {
    "capture": 1, "refund": -1, "refund_failed": 1, "dispute": -1, "dispute_won": 1, "payout": -1, "payout_failed": 1,
    "adjustment": 1,
}  # fmt: skip


def to_suspense(effect: Effect) -> Effect:
    """The same change of the balance at the provider, with suspense on the other side of it."""
    return effect._replace(kind="adjustment", amount_minor=_SIGNS.get(effect.kind, 0) * effect.amount_minor, key=None)


def moves_of(provider: str, effect: Effect, account_id: UUID | None, begun: Begun = frozenset()) -> Sequence[Move]:
    """The postings of an effect; without an account suspense stands in for it. Nothing for what moves nothing."""
    base = clearing(provider, effect.currency)
    money, fee = Money(abs(effect.amount_minor), effect.currency), Money(effect.fee_minor, effect.currency)
    arrow = _arrow(effect, begun)

    def named(end: str) -> AccountRef:
        if end != "account":
            return base + end
        return account_id or f"{base}:suspense"

    moves = [Move(named(arrow[0]), named(arrow[1]), money)] if arrow and money.minor else []
    return [*moves, Move(f"{base}:fees", base, fee)] if fee.minor else moves
