"""`bursar serve` with Stripe behind it, which kills itself where it is told to: `doomed_service.py DIRECTORY API …`.

The directory holds what a test has written: in `doom` the point at which this process is to end, and in `ahead` by how
many seconds its clock is ahead. API is the address of the simulator; the rest are options of `bursar serve`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from bursar.faces.cli import main
from bursar.features.payments import connecting
from bursar.features.payments.ports import Charge, Follow, Payout, Question, Report
from bursar.features.payments.providers.stripe import StripeProvider
from bursar.features.payments.registry import Connection, Providers
from bursar.kernel.db import database
from tests.simulated import KEY

DIRECTORY = Path(sys.argv[1])

# Whether this task is in a call to the provider, and whether one has been answered in it.
CALLING: ContextVar[bool] = ContextVar("CALLING", default=False)
ANSWERED: ContextVar[bool] = ContextVar("ANSWERED", default=False)


def meet(point: str) -> None:
    """End as by a power cut, if this is the point."""
    if (DIRECTORY / "doom").read_text() == point:
        os.kill(os.getpid(), signal.SIGKILL)


def clock() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float((DIRECTORY / "ahead").read_text()))


async def at_risk(call: Callable[[], Awaitable[Report | None]]) -> Any:
    """A call to the provider, with what may happen before, in and after it."""
    meet("before call")
    CALLING.set(True)
    answer = await call()
    CALLING.set(False)
    ANSWERED.set(True)
    meet("after response")
    return answer


class Doomed(StripeProvider):
    """Stripe as a provider, in a process that may end at any call."""

    def __init__(self, api_key: str, *, api: str) -> None:
        super().__init__(api_key, api=api)
        transport: Any = self._transport
        transport._http.event_hooks = {"request": [self._watch]}  # noqa: SLF001 -- a seam for tests only

    async def _watch(self, request: httpx2.Request) -> None:
        if CALLING.get():
            request.extensions = {**request.extensions, "trace": self._trace}

    async def _trace(self, event: str, _: Any) -> None:
        if event == "http11.receive_response_headers.started":
            # All is handed over. What is sent is given the time to leave and to take effect; the answer is never read.
            await asyncio.sleep(0.05)
            meet("after send")

    async def charge(self, order: Charge) -> Report:
        return await at_risk(lambda: super(Doomed, self).charge(order))

    async def follow(self, order: Follow) -> Report:
        return await at_risk(lambda: super(Doomed, self).follow(order))

    async def pay_out(self, order: Payout) -> Report:
        return await at_risk(lambda: super(Doomed, self).pay_out(order))

    async def ask(self, question: Question) -> Report | None:
        return await at_risk(lambda: super(Doomed, self).ask(question))


def endanger_commits() -> None:
    """The COMMIT that follows an answer of the provider may be the last that this process does, or not be done."""
    commit = database.commit

    async def at_risk_too(connection: Any, token: int) -> None:
        # What only reads has no token, and the worker reads on after each answer.
        in_danger = ANSWERED.get() and token
        if in_danger:
            meet("before commit")
        await commit(connection, token)
        if in_danger:
            meet("after commit")

    database.commit = at_risk_too


def connect(api: str) -> None:
    """Have the service find Stripe in the place of the sandbox's provider."""
    provider = Doomed(KEY, api=api)

    def with_stripe(*_: Any) -> Providers:
        return Providers({"stripe": Connection(lambda _: provider)}, "stripe", clock)

    os.environ["BURSAR_SANDBOX_PROVIDER"] = "1"
    connecting.with_sandbox = with_stripe


if __name__ == "__main__":
    endanger_commits()
    connect(sys.argv[2])
    sys.argv = ["bursar", "serve", *sys.argv[3:]]
    main()
