"""People lift a quarantine: the provider is asked again and agrees by now, or what it says goes to suspense.

Nothing is believed on the way that contradicts what was asked: either the contradiction is gone, or the money stands
where people sort it out, and the balance at the provider is the clearing account all the same.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger.outcomes import StateConflict
from bursar.features.cases import service as cases
from bursar.features.cases.model import Subject
from bursar.features.payments import due_store, effect_store, failing, lifting_store, store
from bursar.features.payments.applying import apply, contradiction
from bursar.features.payments.calling import Shop
from bursar.features.payments.machine import Place
from bursar.features.payments.model import OPEN, Attempt, Payment, ProviderUnavailable
from bursar.features.payments.ports import Malformed, NotSent, OutcomeUnknown, Provider, ProviderRefused, Report
from bursar.features.payments.resolving import question_of
from bursar.kernel.db import Tx
from bursar.kernel.ids import show
from bursar.kernel.refusal import UnknownObject

# `ask_again`: believe the provider if it agrees by now. `to_suspense`: book all that it says against suspense.
Decision: TypeAlias = Literal["ask_again", "to_suspense"]
CASES = ("payment_mismatch", "payment_unknown")


class Heard(NamedTuple):
    """What the provider says now of one call; None: it has never had it."""

    attempt: Attempt
    report: Report | None


async def ask_provider(shop: Shop, tenant_id: UUID, payment_id: UUID | None) -> list[Heard]:
    """Ask about every call of a quarantined payment that counts, in no transaction; nothing about any other payment."""
    async with shop.database.transaction(tenant_id, read_only=True) as tx:
        payment = await store.find_payment(tx, payment_id) if payment_id else None
        if payment is None or not payment.quarantined:
            return []
        attempts = _counting(payment, await store.list_attempts(tx, payment.id))
    return await hear(shop.providers.of(tenant_id, payment.provider), attempts, payment)


async def hear(provider: Provider, attempts: Sequence[Attempt], payment: Payment | None) -> list[Heard]:
    """What a provider says of these calls; in no transaction."""
    try:
        return [Heard(one, await provider.ask(question_of(one, payment))) for one in attempts]
    except (NotSent, OutcomeUnknown, Malformed, ProviderRefused) as error:
        raise ProviderUnavailable(provider.name) from error


def _counting(payment: Payment, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The charge that the payment stands on, and whatever has no end yet."""
    return [
        one for one in attempts
        if one.status in OPEN - {"waiting"} or (one.kind == "charge" and one.number == payment.attempt)
    ]  # fmt: skip


async def lift(
    tx: Tx, actor: Actor, shop: Shop, payment_id: UUID | None, decision: Decision, reason: str, heard: Sequence[Heard]
) -> tuple[Payment, Happening]:
    """Lift a payment's quarantine by what its provider was heard to say; refused while that still contradicts."""
    found = await store.find_payment(tx, payment_id, locked=True) if payment_id else None
    if found is None:
        raise UnknownObject("payment")
    # What was quarantined only since the provider was to be asked, it was not asked about.
    if not found.quarantined or not heard:
        raise StateConflict("The payment is not quarantined.")
    await (_believe if decision == "ask_again" else _suspend)(tx, shop, found, heard)
    for kind in CASES:
        await cases.settle_about(tx, kind, Subject("payment", show("pay", found.id)), reason, actor)
    payment = await store.find_payment(tx, found.id)
    assert payment
    facts = {"decision": decision, "reason": reason}
    return payment, Happening("payment.quarantine_lifted", payment.status, facts, show("pay", payment.id))


async def _believe(tx: Tx, shop: Shop, payment: Payment, heard: Sequence[Heard]) -> None:
    booked = await effect_store.list_effects(tx, payment.id)
    for attempt, report in heard:
        why = contradiction(payment, attempt, report, booked) if report else None
        if report is None and attempt.status not in OPEN:
            why = "The provider does not know it any more."
        if why:
            raise StateConflict(f"{why} It can go to suspense (`to_suspense`), or be set right at the provider.")
    await lifting_store.lift_quarantine(tx, payment.id, in_suspense=False)
    for attempt, report in heard:
        if report:
            await apply(tx, payment.id, attempt.id, report, payment.provider, shop.now)
        else:
            await due_store.ask_soon(tx, attempt.id, shop.now)


async def _suspend(tx: Tx, shop: Shop, payment: Payment, heard: Sequence[Heard]) -> None:
    attempts = await store.list_attempts(tx, payment.id)
    if any(attempt.status == "waiting" for attempt in attempts):
        raise StateConflict("A refund of the payment waits for an approval; decide that first.")
    await lifting_store.lift_quarantine(tx, payment.id, in_suspense=True)
    for attempt, report in heard:
        if report:
            await apply(tx, payment.id, attempt.id, report, payment.provider, shop.now)
    for attempt in attempts:
        if attempt.status in OPEN:
            await failing.refuse(tx, attempt, "to_suspense", None)
    # What was booked of it before stands.
    place = Place("succeeded" if payment.captured_minor else "failed", payment.attempt, payment.rank)
    await store.update_place(tx, payment.id, place)
