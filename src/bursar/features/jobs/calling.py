"""The calls of a step made at once, for whoever completes it and waits; what is not done here the worker does."""

import asyncio
from uuid import UUID

from bursar.features.jobs import going_on
from bursar.features.payments import store
from bursar.features.payments.calling import Shop, send, settle_alone
from bursar.features.payments.model import OPEN, Attempt
from bursar.features.payments.resolving import resolve
from bursar.kernel.db import retrying

_CALLS_AT_ONCE = 4


async def call(shop: Shop, tenant_id: UUID, job_id: UUID, *, begun_before: bool) -> None:
    """Make the calls that a job has under way and write what came of them; then go on with the job as far as it does.

    Those of a step that was `begun_before` may have been made: what became of them is asked.
    """
    async with shop.database.transaction(tenant_id, read_only=True) as tx:
        calls = [a for a in await store.list_attempts_of_job(tx, job_id) if a.status in OPEN and a.status != "waiting"]
    free = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def one(attempt: Attempt) -> None:
        async with free:
            if begun_before:
                await resolve(shop, tenant_id, attempt.id, at_once=True)
            else:
                await _send(shop, tenant_id, attempt)

    await asyncio.gather(*[one(attempt) for attempt in calls])

    async def settle() -> None:
        async with shop.database.transaction(tenant_id) as tx:
            await going_on.settle(tx, job_id)

    await retrying(settle)


async def _send(shop: Shop, tenant_id: UUID, attempt: Attempt) -> None:
    async with shop.database.transaction(tenant_id, read_only=True) as tx:
        payment = await store.find_payment(tx, attempt.payment_id) if attempt.payment_id else None
    ending = await send(shop.providers.of(tenant_id, attempt.provider), attempt, payment)
    await settle_alone(shop, tenant_id, attempt, ending)
