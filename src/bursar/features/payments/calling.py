"""The call to a provider, between two transactions and inside none; and the second half, which writes its outcome."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import structlog

from bursar.core.authority import service as authority
from bursar.core.authority.fate import settled
from bursar.core.authority.model import Ask
from bursar.core.authority.service import Carried
from bursar.core.idempotency.model import Answer
from bursar.features.payments import failing, store
from bursar.features.payments.applying import apply
from bursar.features.payments.model import OPEN, Attempt, Payment
from bursar.features.payments.ports import (
    Charge,
    Follow,
    Malformed,
    NotSent,
    OutcomeUnknown,
    Payout,
    Provider,
    ProviderRefused,
    Report,
)
from bursar.features.payments.registry import Providers
from bursar.features.payments.upstream import Transfer, Upstream
from bursar.kernel.db import Database, Tx, retrying

# How a call ended.
Ending: TypeAlias = Report | ProviderRefused | NotSent | OutcomeUnknown | Malformed
# How a payment and the call that was asked for are shown.
Shown: TypeAlias = Callable[[Payment | None, Attempt], Answer]


@dataclass(frozen=True, slots=True)
class Shop:
    """What payments need around them: the database, and the providers with their clock."""

    database: Database
    providers: Providers

    @property
    def now(self) -> datetime:
        """The time, as the room takes it."""
        return self.providers.clock()


async def send(provider: Provider | Upstream, attempt: Attempt, payment: Payment | None) -> Ending:
    """Make the call of an attempt, which may have been made before with the same key."""

    async def call() -> Report:
        if isinstance(provider, Upstream):
            assert attempt.origin
            assert attempt.method
            return await provider.transfer(
                Transfer(attempt.key, attempt.origin, attempt.method, attempt.amount_minor, attempt.currency)
            )
        match attempt.kind:
            case "charge":
                assert payment
                assert attempt.method
                return await provider.charge(
                    Charge(
                        attempt.key, attempt.amount_minor, attempt.currency, attempt.method,
                        payment.capture == "automatic", None, attempt.description,
                    )
                )  # fmt: skip
            case "payout":
                out = Payout(
                    attempt.key, attempt.amount_minor, attempt.currency, attempt.method, attempt.description
                )  # fmt: skip
                return await provider.pay_out(out)
            case "transfer":
                raise AssertionError("only the upstream carries out transfers")
            case kind:
                assert payment
                if payment.reference is None:  # Its charge has no answer yet, so nothing can follow it.
                    raise NotSent
                return await provider.follow(
                    Follow(attempt.key, kind, payment.reference, attempt.amount_minor, attempt.currency, attempt.final)
                )

    return await ending_of(call)


async def ending_of(call: Callable[[], Awaitable[Report]]) -> Ending:
    """How a call ended, whatever it raised."""
    try:
        return await call()
    except (ProviderRefused, NotSent, OutcomeUnknown, Malformed) as ending:
        return ending
    except Exception as error:  # noqa: BLE001 -- whatever it was, something may have been sent
        structlog.get_logger().error("provider failed", error=type(error).__name__)
        return OutcomeUnknown()


async def write(tx: Tx, attempt: Attempt, ending: Ending, now: datetime) -> None:
    """Write what came of a call."""
    match ending:
        case Report():
            await apply(tx, attempt.payment_id, attempt.id, ending, attempt.provider, now)
        case ProviderRefused():
            await failing.refuse(tx, attempt, ending.code, ending.reference)
        case NotSent():
            await failing.put_off(tx, attempt, now)
        case _:
            await failing.lose(tx, attempt, now)


async def finish(shop: Shop, ask: Ask, attempt: Attempt, ending: Ending | None, shown: Shown) -> Answer:
    """The second half for whoever waits: write what came of the call (None: it is written), and answer under their key.

    As long as the call itself has no answer, ours is not pinned, so that the same key tells more later.
    """
    tenant_id = ask.credential.tenant_id

    async def work(tx: Tx) -> Carried:
        if ending is not None:
            await write(tx, attempt, ending, shop.now)
        found = await store.find_attempt(tx, attempt.id)
        assert found
        payment = await store.find_payment(tx, found.payment_id) if found.payment_id else None
        answer = shown(payment, found)
        answered = isinstance(ending, Report) and found.status != "unknown"
        if answered or found.status not in OPEN:
            assert found.principal_id
            answer = await authority.pin(tx, ask, found.principal_id, answer, attempt.event_id)
        return Carried([answer], attempt.event_id)

    (reply,) = await retrying(lambda: settled(shop.database, [ask], tenant_id, work))
    assert isinstance(reply, Answer)
    return reply


async def settle_alone(shop: Shop, tenant_id: UUID, attempt: Attempt, ending: Ending) -> None:
    """The second half when nobody waits for it."""

    async def once() -> None:
        async with shop.database.transaction(tenant_id) as tx:
            await write(tx, attempt, ending, shop.now)

    await retrying(once)
