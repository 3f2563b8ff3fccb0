"""Effects of a provider booked once each, in the transaction that writes that they are."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from bursar.core.authority.settling import Ground, give_back, settle
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import accounts
from bursar.core.ledger.orders import NO_CLAIMS, Move, Order, ReleaseHold, SendMoney, Together
from bursar.core.ledger.outcomes import AllDone, Done, Outcome
from bursar.features.payments import effect_store, mapping
from bursar.features.payments.model import PREFIX, Attempt, Payment
from bursar.features.payments.ports import Effect
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show

# What ends the hold that was placed for a call: the money is where it was meant to go, or never will be.
_SPENDS_HOLD = frozenset({"refund", "payout_paid", "transfer"})
_ENDS_HOLD = _SPENDS_HOLD | {"payout_failed"}


async def ready_accounts(tx: Tx, provider: str, currency: str) -> None:
    """Open the accounts of a provider in a currency, where they are not there yet."""
    wanted = mapping.accounts_of(provider, currency)
    known = await accounts.ids_of(tx, [order.number for order in wanted])
    missing = [order for order in wanted if order.number not in known]
    if missing:
        await accounts.open_many(tx, missing)


class Subject(NamedTuple):
    """What effects belong to: a payment, or a payout's own attempt; and whose account is the tenant's side of it."""

    provider: str
    account_id: UUID
    payment: Payment | None
    attempt: Attempt | None

    @property
    def name(self) -> str:
        """Its id as the wire shows it."""
        if self.payment:
            return show("pay", self.payment.id)
        assert self.attempt
        return show(PREFIX[self.attempt.kind], self.attempt.id)


async def book(
    tx: Tx, subject: Subject, effect: Effect, cause: Attempt | None, begun: mapping.Begun = frozenset()
) -> bool:
    """Book an effect; False when the tenant's account could not take it and suspense did.

    `cause` is our own call that had it, if one had. Whoever calls has locked the payment, and knows that the effect is
    not booked yet. `begun` is what is.
    """
    ground = await _ground(tx, subject, effect, cause)
    hold_id = await effect_store.find_hold_of(tx, cause.id) if cause and effect.kind in _ENDS_HOLD else None
    release = [ReleaseHold(new_id(), hold_id, owner_id=cause.id)] if hold_id and cause else []
    send = _send(subject, effect, subject.account_id, begun)
    payment_id = subject.payment.id if subject.payment else None
    attempt_id = cause.id if cause else subject.attempt.id if subject.attempt else None
    taken, entry_id = True, send.entry_id if send else None
    spent = hold_id if effect.kind in _SPENDS_HOLD else None
    if send or release:
        (outcome,) = await settle(tx, ground, [_order(release, send)], spent=spent)
        taken = isinstance(outcome, Done | AllDone)
    if not taken:
        assert mapping.touches_account(effect, begun), "accounts of a provider take everything"
        # What has happened has happened: the account that stands for what people must sort out takes it.
        send = _send(subject, effect, None, begun)
        (outcome,) = await settle(tx, ground, [_order(release, send)], spent=spent)
        assert isinstance(outcome, Done | AllDone), outcome
        entry_id = send.entry_id if send else None
    if cause and (effect.kind == "refund_failed" or _came_back(effect, begun)):
        await give_back(tx, cause.event_id, effect.amount_minor, whole=True)
    effect_store.insert_effect(tx, subject.provider, effect, payment_id, attempt_id, entry_id)
    return taken


def _came_back(effect: Effect, begun: mapping.Begun) -> bool:
    """Whether a payout fails that had arrived."""
    return effect.kind == "payout_failed" and ("payout_paid", effect.about) in begun


def _order(release: Sequence[ReleaseHold], send: SendMoney | None) -> Order:
    if not release:
        assert send
        return send
    return Together((*release, *([send] if send else [])))


def _send(subject: Subject, effect: Effect, account_id: UUID | None, begun: mapping.Begun) -> SendMoney | None:
    transfer = subject.attempt if effect.kind == "transfer" else None
    if transfer and transfer.target_id:
        moves = (Move(transfer.account_id, transfer.target_id, transfer.money),)
        # It is known by one id from the moment it was asked for.
        return SendMoney(transfer.id, new_id(), moves, "payment", None, transfer.description, world=True)
    moves = tuple(mapping.moves_of(subject.provider, effect, account_id, begun))
    if not moves:
        return None
    what = f"{subject.provider} {effect.kind} {effect.reference}"
    # By it reconciliation finds the provider's own row.
    named = {"reference": effect.reference}
    return SendMoney(new_id(), new_id(), moves, "payment", None, what, named, True, NO_CLAIMS)


async def _ground(tx: Tx, subject: Subject, effect: Effect, cause: Attempt | None) -> Ground:
    facts = {"effect": effect.kind, "provider": subject.provider, "reference": effect.reference}
    origin = cause or subject.attempt
    if origin is None:
        return Ground("create_payment", None, subject.name, facts)
    return Ground(_ACTIONS[origin.kind], origin.event_id, subject.name, facts, await _actor(tx, origin))


async def _actor(tx: Tx, attempt: Attempt) -> Actor | None:
    """Whoever asked for a transfer made it, and finds it among what they did."""
    if attempt.kind != "transfer":
        return None
    assert attempt.principal_id
    maker = await identity.find_principal(tx, attempt.principal_id)
    assert maker
    return Actor(tx.tenant, maker.id, maker.kind, maker.name, None, frozenset(), maker.team)


_ACTIONS = {
    "charge": "create_payment",
    "capture": "capture_payment",
    "cancel": "cancel_payment",
    "refund": "refund_payment",
    "payout": "create_payout",
    "transfer": "create_transfer",
}


async def release(tx: Tx, subject: Subject, attempt: Attempt, why: str) -> None:
    """Give back what was held for a call that has come to nothing."""
    hold_id = await effect_store.find_hold_of(tx, attempt.id)
    if hold_id:
        actor = await _actor(tx, attempt)
        ground = Ground(_ACTIONS[attempt.kind], attempt.event_id, subject.name, {"why": why}, actor)
        outcomes: list[Outcome] = await settle(tx, ground, [ReleaseHold(new_id(), hold_id, owner_id=attempt.id)])
        assert isinstance(outcomes[0], Done), outcomes
