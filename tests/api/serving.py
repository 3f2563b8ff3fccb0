"""The service in the test's own process, with nothing but ASGI between the two."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import httpx2
from starlette.types import ASGIApp, Message

from bursar.api.app import OpenDoor, create_app
from bursar.api.door import Door
from bursar.api.turnstile import Turnstile
from bursar.api.waiting import ring_for_jobs
from bursar.core.authority.desk import Desk
from bursar.features.jobs.store import CHANNEL
from bursar.features.notifications.resolving import Resolve
from bursar.features.payments.connecting import with_sandbox
from bursar.features.payments.registry import Providers
from bursar.features.risk.deciding import assess
from bursar.kernel.db import Bell, Database
from tests.upstreams import Upstream

BASE = "http://127.0.0.1"
WEBHOOK_SECRET = "whsec_of_the_tests"


async def somewhere_public(name: str, port: int) -> Sequence[str]:
    """Where every name leads in tests unless one says otherwise: nobody is asked."""
    assert name
    assert port
    return ["93.184.216.34"]


# How names are looked up, so that a test can have them lead elsewhere.
NAMES: dict[str, Resolve] = {"all": somewhere_public}


@dataclass
class _Stand:
    """An application, which stands empty between two tests; to make one takes longer than most tests do.

    It is told at each start behind which door it is; its metrics go on counting.
    """

    app: ASGIApp
    open_door: OpenDoor | None = None

    @classmethod
    def make(cls, *, local_only: bool) -> "_Stand":
        """One that was never started."""
        stand: _Stand

        def open_door() -> AbstractAsyncContextManager[Door]:
            assert stand.open_door
            return stand.open_door()

        stand = cls(create_app(open_door, local_only=local_only))
        return stand


# Those that serve nobody now, by whether they are for this machine only.
_FREE: Mapping[bool, list[_Stand]] = {False: [], True: []}


def _anybodys(upstream: Upstream) -> Callable[[UUID], Upstream]:
    return lambda _: upstream


async def _resolve(name: str, port: int) -> Sequence[str]:
    return await NAMES["all"](name, port)


@asynccontextmanager
async def served(
    database: Database, sandbox: UUID | None = None, requests_per_second: float = 0, providers: Providers | None = None
) -> AsyncGenerator[ASGIApp]:
    """The service on this database; with a tenant as `sandbox`, open without a key and for this machine only.

    `requests_per_second` is what a key has while other tenants are at work; 0 is no limit. Without `providers` the
    sandbox's is connected, and its events are signed with WEBHOOK_SECRET; and an upstream that knows every account.
    """

    @asynccontextmanager
    async def open_door() -> AsyncGenerator[Door]:
        desk, bell = Desk(database, assess), Bell()
        connected = providers or replace(with_sandbox(database, [WEBHOOK_SECRET]), upstream_of=_anybodys(Upstream()))
        ringing = asyncio.create_task(ring_for_jobs(database, bell, CHANNEL))
        pace = Turnstile(requests_per_second)
        yield Door(database, desk, sandbox, pace, providers=connected, bell=bell, resolve=_resolve)
        ringing.cancel()
        await asyncio.gather(ringing, return_exceptions=True)
        await desk.drain()

    free = _FREE[sandbox is not None]
    stand = free.pop() if free else _Stand.make(local_only=sandbox is not None)
    stand.open_door = open_door
    async with _alive(stand.app):
        yield stand.app
    # One whose test failed is not used again.
    free.append(stand)


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    """A client that hands its requests to the application itself."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE)


@asynccontextmanager
async def _alive(app: ASGIApp) -> AsyncGenerator[None]:
    """Start and stop an ASGI application, as a server does."""
    orders: asyncio.Queue[Message] = asyncio.Queue()
    facts: asyncio.Queue[Message] = asyncio.Queue()

    async def live() -> None:
        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, orders.get, facts.put)

    life = asyncio.create_task(live())
    for phase in ("startup", "shutdown"):
        await orders.put({"type": f"lifespan.{phase}"})
        assert (await facts.get())["type"] == f"lifespan.{phase}.complete"
        if phase == "startup":
            try:
                yield
            except BaseException:
                life.cancel()
                raise
    await life
