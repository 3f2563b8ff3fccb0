"""What providers tell us: believed only when signed, taken in once, applied in the transaction that takes it in.

What comes before its time is parked, and tried again when what it is about changes, and later by the worker.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import product
from typing import ClassVar, NamedTuple
from uuid import UUID

from bursar.features.payments import due_store, inbox_store, store
from bursar.features.payments.applying import apply
from bursar.features.payments.calling import Shop
from bursar.features.payments.cases import open_about_event
from bursar.features.payments.ports import EventMalformed, Provider, ProviderEvent, Report, SignatureInvalid
from bursar.features.payments.registry import Connection
from bursar.kernel.db import Tx, retrying
from bursar.kernel.ids import read
from bursar.kernel.refusal import Invalid, Retry, Unauthorized, UnknownObject

_AGAIN = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
_TRIES_BEFORE_A_CASE = 4
_MOST_A_TURN = 100
_NOBODY = UUID(int=0)


class WebhookUnsigned(Unauthorized):
    """The delivery is not signed by any secret known here, or is too old."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Sign the raw body with the endpoint's secret, and send it within five minutes."


class WebhookMalformed(Invalid):
    """The delivery is signed and cannot be read."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Look at what the provider sent; nothing of it was applied."


class _Known(NamedTuple):
    """What an event is about, as far as it is ours."""

    payment_id: UUID | None
    attempt_id: UUID | None


async def receive(shop: Shop, provider_name: str | None, body: bytes, headers: Mapping[str, str]) -> None:
    """Take in a delivery: its signature first, over the raw bytes; what was taken in before changes nothing.

    Where no provider is named, it is of the one whose secret has signed it.
    """
    connection, provider, event = _verified(shop, provider_name, body, headers)
    tenant_id = connection.tenant_id or read("acct", f"acct_{event.account}")
    if tenant_id is None:
        raise WebhookMalformed
    await retrying(lambda: _take_in(shop, tenant_id, provider, event, body))


def _verified(
    shop: Shop, provider_name: str | None, body: bytes, headers: Mapping[str, str]
) -> tuple[Connection, Provider, ProviderEvent]:
    known = shop.providers.connections
    if provider_name is not None and provider_name not in known:
        raise UnknownObject("provider")
    for connection in known.values() if provider_name is None else [known[provider_name]]:
        provider = connection.of(connection.tenant_id or _NOBODY)
        try:
            return connection, provider, provider.read_event(body, headers, connection.secrets, shop.now)
        except SignatureInvalid:
            continue
        except EventMalformed as error:
            raise WebhookMalformed from error
    raise WebhookUnsigned


async def _take_in(shop: Shop, tenant_id: UUID, provider: Provider, event: ProviderEvent, body: bytes) -> None:
    async with shop.database.transaction(tenant_id) as tx:
        if not await inbox_store.knows_tenant(tx):
            raise WebhookMalformed
        if await inbox_store.insert(tx, provider.name, event.id, event.type, body, event.created_at):
            await _apply(tx, shop, provider, event, 0)


async def _apply(tx: Tx, shop: Shop, provider: Provider, event: ProviderEvent, tries: int) -> bool:
    """Apply an event and then what has waited for it; False when it waits itself."""
    report = event.report
    if report is None:
        await inbox_store.mark(tx, provider.name, event.id, "ignored", None, None)
        return True
    known, about = await _find(tx, provider.name, report), _about(report)
    applied = known is not None and await apply(
        tx, known.payment_id, known.attempt_id, report, provider.name, shop.now
    )  # fmt: skip
    if not applied:
        try_at = shop.now + _AGAIN[min(tries, len(_AGAIN) - 1)]
        await inbox_store.mark(tx, provider.name, event.id, "parked", about, try_at)
        if tries >= _TRIES_BEFORE_A_CASE:
            await open_about_event(tx, provider.name, event.id, event.type)
        return False
    await inbox_store.mark(tx, provider.name, event.id, "applied", about, None)
    if known and known.attempt_id and not report.complete:
        await due_store.ask_soon(tx, known.attempt_id, shop.now)
    for parked in await inbox_store.list_parked_about(tx, provider.name, about):
        if parked.event_id != event.id and await _apply(
            tx, shop, provider, provider.parse_event(parked.body), parked.tries
        ):  # fmt: skip
            break  # What waited for that one was tried there.
    return True


def _about(report: Report) -> str:
    """What events about the same thing share: the payment, or the payout."""
    return report.payment or report.reference


async def _find(tx: Tx, provider: str, report: Report) -> _Known | None:
    """The payment or payout that a report is about: by our own key, else by the provider's ids."""
    attempt_id = read("key", f"key_{report.key}") if report.key else None
    attempt = await store.find_attempt(tx, attempt_id) if attempt_id else None
    if attempt is None and report.kind in ("refund", "payout"):
        attempt = await store.find_attempt_by_reference(tx, provider, report.kind, report.reference)
    if attempt and attempt.provider == provider:
        return _Known(attempt.payment_id, attempt.id)
    if report.kind == "payout":
        return None
    payment_id = await store.find_payment_by_reference(tx, provider, _about(report))
    return _Known(payment_id, None) if payment_id else None


async def try_parked(shop: Shop) -> None:
    """Try again what was parked and is due, in all tenants; `shop.database` acts as bursar_worker."""
    async with shop.database.transaction(read_only=True) as tx:
        due = await inbox_store.list_due(tx, list(shop.providers.connections), shop.now, _MOST_A_TURN)
    for tenant_id, (name, event_id) in due:
        provider = shop.providers.of(tenant_id, name)

        async def once(tenant_id: UUID = tenant_id, provider: Provider = provider, event_id: str = event_id) -> None:
            async with shop.database.transaction(tenant_id) as tx:
                parked = await inbox_store.lock_parked(tx, provider.name, event_id)
                if parked:
                    await _apply(tx, shop, provider, provider.parse_event(parked.body), parked.tries)

        await retrying(once)


async def ask_about(shop: Shop, tenant_id: UUID, names: Sequence[str]) -> None:
    """Have the providers asked about payments that somebody has named, without believing a word of what they said."""

    async def once() -> None:
        async with shop.database.transaction(tenant_id) as tx:
            for provider, name in product(shop.providers.connections, names):
                payment_id = read("pay", name) or await store.find_payment_by_reference(tx, provider, name)
                for attempt in await store.list_attempts(tx, payment_id) if payment_id else ():
                    if attempt.status != "waiting":
                        await due_store.ask_soon(tx, attempt.id, shop.now)

    await retrying(once)
