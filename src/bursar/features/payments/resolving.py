"""What became of calls that have no answer: the provider is asked, by our own key, and never is anything guessed."""

from datetime import datetime, timedelta
from uuid import UUID

from bursar.core.authority import approval_store
from bursar.core.identity import service as identity
from bursar.features.payments import due_store, failing, store, telling
from bursar.features.payments.booking import Subject
from bursar.features.payments.calling import Ending, Shop, ending_of, send, settle_alone
from bursar.features.payments.cases import open_for
from bursar.features.payments.intents import LEASE
from bursar.features.payments.machine import Place
from bursar.features.payments.model import OPEN, Attempt, Payment
from bursar.features.payments.ports import KeySpent, OutcomeUnknown, Provider, ProviderRefused, Question, Report
from bursar.features.payments.upstream import Upstream
from bursar.kernel.db import Tx, retrying

# After the first minute: when a provider is asked again, and then every day.
AFTER = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1), timedelta(days=1))
# A provider that answers a key with an error for good may yet find out itself what it did; so long it is waited for.
SPENT_AFTER = timedelta(hours=1)
# So many questions without an answer, and people look.
_QUESTIONS_BEFORE_A_CASE = 4
_MOST_A_TURN = 100


async def resolve_due(shop: Shop) -> None:
    """Ask about what is due, in all tenants; `shop.database` acts as bursar_worker."""
    async with shop.database.transaction(read_only=True) as tx:
        due = await due_store.list_due(tx, shop.now, _MOST_A_TURN)
        decided = await due_store.list_decided(tx, _MOST_A_TURN)
    failure: Exception | None = None
    for tenant_id, attempt_id in [*decided, *due]:
        try:
            await resolve(shop, tenant_id, attempt_id)
        except Exception as error:  # noqa: BLE001 -- raised again when the others have had their turn
            failure = error
    if failure:
        raise failure


async def resolve(shop: Shop, tenant_id: UUID, attempt_id: UUID, *, at_once: bool = False) -> None:
    """Ask about one attempt, or send it if the provider has never had it; nothing if somebody else does so now.

    `at_once`: whoever began it asks, so it need not be due.
    """
    taken = await retrying(lambda: _take(shop, tenant_id, attempt_id, at_once=at_once))
    if taken is None:
        return
    attempt, payment, may_send = taken
    provider = shop.providers.carrier_of(tenant_id, attempt.provider)
    ending = await _find_out(provider, attempt, payment, shop.now, may_send=may_send)
    await settle_alone(shop, tenant_id, attempt, ending)
    if attempt.asked >= _QUESTIONS_BEFORE_A_CASE and not isinstance(ending, Report):
        await retrying(lambda: _tell_people(shop, tenant_id, attempt.id))


async def _take(
    shop: Shop, tenant_id: UUID, attempt_id: UUID, *, at_once: bool
) -> tuple[Attempt, Payment | None, bool] | None:
    """The right to ask and to send, and what is asked about."""
    now = shop.now
    async with shop.database.transaction(tenant_id) as tx:
        seen = await store.find_attempt(tx, attempt_id)
        if seen is None or (seen.status == "waiting" and not await _allowed(tx, seen, now)):
            return None
        after = AFTER[min(seen.asked, len(AFTER) - 1)]
        due_by = now if not at_once else now + timedelta(days=366)
        if not await due_store.lease(tx, attempt_id, now, due_by, now + LEASE, now + after):
            return None
        attempt = await store.find_attempt(tx, attempt_id)
        assert attempt
        payment = await store.find_payment(tx, attempt.payment_id) if attempt.payment_id else None
        return attempt, payment, attempt.status in OPEN and await _may_send(tx, attempt)


async def _allowed(tx: Tx, attempt: Attempt, now: datetime) -> bool:
    """Whether people have said yes, and it was carried out: then it is to be sent. If they said no it is over."""
    payment = await store.find_payment(tx, attempt.payment_id, locked=True) if attempt.payment_id else None
    again = await store.find_attempt(tx, attempt.id, locked=True)
    assert attempt.approval_id
    approval = await approval_store.find_approval(tx, attempt.approval_id)
    if again is None or again.status != "waiting" or approval is None:
        return False
    if approval.executed_event_id:
        await due_store.let_go(tx, attempt.id, approval.executed_event_id, now)
        if payment and attempt.kind == "charge":
            place = Place("processing", payment.attempt, payment.rank)
            await store.update_place(tx, payment.id, place)
        return True
    if approval.status not in ("pending", "approved"):
        await failing.cancel(tx, attempt, f"approval_{approval.status}")
    return False


async def _may_send(tx: Tx, attempt: Attempt) -> bool:
    """What was asked for is not begun any more once whoever asked is stopped; what was begun is still asked about."""
    if attempt.principal_id is None:
        return True
    found = await identity.lock_principals(tx, [attempt.principal_id])
    return any(principal.status == "active" for principal in found.values())


def question_of(attempt: Attempt, payment: Payment | None) -> Question:
    """What a provider is asked about a call."""
    reference = payment.reference if payment and attempt.kind != "refund" else attempt.reference
    return Question(
        attempt.key, attempt.kind, reference, attempt.amount_minor, attempt.currency, attempt.created_at
    )  # fmt: skip


async def _find_out(
    provider: Provider | Upstream, attempt: Attempt, payment: Payment | None, now: datetime, *, may_send: bool
) -> Ending:
    """Ask; and what the provider has never had is sent, as long as it knows the key again.

    Where the key is spent, it is asked once more: what it has not even then never happened, and never will.
    """
    told: list[Report | None] = []

    async def ask() -> Report:
        told.append(await provider.ask(question_of(attempt, payment)))
        if told[-1] is None:
            raise OutcomeUnknown
        return told[-1]

    ending = await ending_of(ask)
    in_time = now < attempt.created_at + timedelta(seconds=provider.key_window_seconds)
    if told == [None] and may_send and in_time:
        ending = await send(provider, attempt, payment)
        if isinstance(ending, KeySpent) and now >= attempt.created_at + SPENT_AFTER:
            ending = await ending_of(ask)
            return ProviderRefused("provider_error") if told == [None, None] else ending
    return ending


async def _tell_people(shop: Shop, tenant_id: UUID, attempt_id: UUID) -> None:
    """Open a case when asking has not helped."""
    async with shop.database.transaction(tenant_id) as tx:
        attempt = await store.find_attempt(tx, attempt_id)
        if attempt and attempt.status in OPEN:
            payment = await store.find_payment(tx, attempt.payment_id) if attempt.payment_id else None
            name = Subject(attempt.provider, attempt.account_id, payment, attempt).name
            note = (
                f"Nobody knows what became of {telling.name_of(attempt)}; its provider was asked {attempt.asked} times."
            )
            await open_for(tx, "payment_unknown", name, note)
