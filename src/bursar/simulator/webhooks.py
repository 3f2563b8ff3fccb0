"""Deliveries: events signed and sent, tried again for three days, in whatever order the faults make of them."""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from bursar.simulator import delivery_store
from bursar.simulator.endpoints import secrets_of
from bursar.simulator.errors import Body
from bursar.simulator.store import Store
from bursar.simulator.timekeeping import catch_up
from bursar.simulator.world import World, clock, is_held, set_clock, text_of

# After a failed try the next one waits this long, the last wait again and again until three days are over.
BACKOFF = (60, 300, 900, 3600, 7200, 14_400, 28_800, 43_200)
SECONDS_UNTIL_GIVEN_UP = 3 * 86_400
_SECONDS_TO_ANSWER = 10
_SECONDS_BETWEEN_LOOKS = 0.5


def signature(secrets: list[str], at: int, payload: str) -> str:
    """The `Stripe-Signature` header: one signature for each secret that is good now."""
    signed = f"{at}.{payload}".encode()
    parts = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={at}", *parts])


class Postman:
    """Sends what is due; one at a time to each endpoint, so that the order is the one that was planned."""

    def __init__(self, store: Store, client: httpx2.AsyncClient) -> None:
        self._store = store
        self._client = client
        self._turn = asyncio.Lock()
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            await self.catch_up()
            self.wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), _SECONDS_BETWEEN_LOOKS)

    async def catch_up(self) -> int:
        """Do what is due by now and send what is to be sent; how many deliveries were tried."""
        async with self._turn:
            return await self._catch_up()

    async def go_to(self, at: float) -> int:
        """Move the clock on, stopping at everything that happens on the way; how many deliveries were tried."""
        async with self._turn:
            held = is_held(self._store)
            tried = await self._catch_up()
            while (step := self._next()) is not None and step <= at:
                set_clock(self._store, max(step, clock(self._store)), held=True)
                tried += await self._catch_up()
            set_clock(self._store, max(at, clock(self._store)), held=held)
            return tried

    def _next(self) -> float | None:
        due = self._store.next_due()
        times = [delivery_store.next_delivery_at(self._store), float(due[1]) if due else None]
        return min((each for each in times if each is not None), default=None)

    async def _catch_up(self) -> int:
        tried = 0
        while True:
            catch_up(self._store)
            due = delivery_store.next_deliveries(self._store, clock(self._store))
            if not due:
                return tried
            await asyncio.gather(*[self._try(dict(row)) for row in due])
            tried += len(due)

    async def _try(self, row: dict[str, Any]) -> None:
        store = self._store
        event, endpoint = store.get(row["event"]), store.get(row["endpoint"])
        if event is None or endpoint is None:
            delivery_store.tried(store, row["seq"], "dropped", None, row["at"])
            return
        status = await self._post(event, endpoint)
        now = clock(store)
        tries: int = row["tries"]
        wait = BACKOFF[min(tries, len(BACKOFF) - 1)]
        over = now + wait > row["since"] + SECONDS_UNTIL_GIVEN_UP
        state = "delivered" if status and 200 <= status < 300 else "given_up" if over else "waiting"
        with store.transaction():
            delivery_store.tried(store, row["seq"], state, status, now + wait if state == "waiting" else row["at"])
            delivery_store.release(store, row["endpoint"], now)

    async def _post(self, event: Body, endpoint: Body) -> int | None:
        world = World(self._store)
        payload = text_of({**world.shown(event), "pending_webhooks": 1})
        # Signatures guard the way, which is in the machine's time, unless the receiver's clock is moved as ours is.
        at = world.now if world.setting("sign_by_the_simulators_clock") else int(time.time())
        header = signature(secrets_of(world, endpoint), at, payload)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header,
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            answer = await self._client.post(endpoint["url"], content=payload.encode(), headers=headers)
        except httpx2.HTTPError:
            return None
        return answer.status_code


@asynccontextmanager
async def postman(store: Store) -> AsyncGenerator[Postman]:
    """One that works until the end of the block."""
    async with httpx2.AsyncClient(timeout=_SECONDS_TO_ANSWER, follow_redirects=False, trust_env=False) as client:
        made = Postman(store, client)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
