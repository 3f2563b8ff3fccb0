"""What every route needs: who asks, the one way to change things, the one way to read."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.responses import Response

from bursar.api.problems import Complete, RawHeader, answer_of, response_of, retry_after
from bursar.api.turnstile import Turnstile
from bursar.core.authority import service as authority
from bursar.core.authority.actions import ACTIONS
from bursar.core.authority.desk import Desk
from bursar.core.authority.fate import settled
from bursar.core.authority.model import Ask, Instruction, PendingApproval, Told, With
from bursar.core.authority.security_keys import NEAREST, RelyingParty
from bursar.core.authority.service import Carried, Reply
from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer, Claim
from bursar.core.identity.keys import read_key
from bursar.core.identity.model import Actor, Credential, SandboxCredential, Unauthenticated
from bursar.core.ledger.orders import Order
from bursar.features.notifications.resolving import Resolve, system
from bursar.features.payments.registry import NO_PROVIDERS, Providers
from bursar.kernel.canonical import Json, digest
from bursar.kernel.db import Bell, Database, Tx, retrying
from bursar.kernel.ids import show
from bursar.kernel.refusal import InvalidArgument, Refusal
from bursar.wire import approvals as wire

Result = TypeVar("Result")

# Whom a quickstart call without a key is taken for when it names no agent.
SANDBOX_AGENT = "agent_001"

_REPLAYED: RawHeader = (b"idempotent-replayed", b"true")
_KEY_NOT_USED: RawHeader = (b"idempotency-key-used", b"false")

_BEARER = HTTPBearer(auto_error=False, bearerFormat="bk_{live|test}_…", description="An API key of Bursar.")

KEY_HEADER = "Idempotency-Key"
KEY_SHAPE = re.compile(r"^[\x21-\x7e]{1,200}$")

IdempotencyKey = Annotated[
    str,
    Header(
        alias=KEY_HEADER,
        pattern=KEY_SHAPE.pattern,
        description="Make this once per intent; send the SAME value on every retry, even after a timeout. "
        "A different value is a different payment.",
    ),
]
OptionalIdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        pattern=KEY_SHAPE.pattern,
        description="Optional here: with it a retry gets the first answer again, without it each request is its own.",
    ),
]


@dataclass(frozen=True, slots=True)
class Door:
    """The running service: database, desk, the sandbox's tenant if it is one, pace, who signs, providers.

    `bell` wakes those who wait for jobs; where nobody rings it, they look again now and then. `resolve` tells where the
    names of webhooks' endpoints lead.
    """

    database: Database
    desk: Desk
    sandbox: UUID | None = None
    turnstile: Turnstile = field(default_factory=lambda: Turnstile(0))
    relying_party: RelyingParty = NEAREST
    providers: Providers = NO_PROVIDERS
    bell: Bell = field(default_factory=Bell)
    resolve: Resolve = system

    @property
    def live(self) -> bool:
        """Keys made here are live keys, unless this is the sandbox."""
        return self.sandbox is None


class Caller:
    """One request at the door."""

    __slots__ = ("_credential", "door", "request_id")

    def __init__(self, door: Door, request_id: str, credential: Credential | None) -> None:
        """`credential` is None when no well-formed key came with the request."""
        self.door = door
        self.request_id = request_id
        self._credential = credential

    @property
    def credential(self) -> Credential:
        """The key that came with the request; refuses when none did."""
        if self._credential is None:
            raise Unauthenticated
        return self._credential

    def as_agent(self, name: str) -> "Caller":
        """In the sandbox, and without a key, a quickstart call is taken for the agent it names."""
        if self._credential is not None or self.door.sandbox is None:
            return self
        return Caller(self.door, self.request_id, SandboxCredential(self.door.sandbox, name))

    def ask(self, action: str, key: str | None = None, asked: BaseModel | None = None, about: str = "") -> Ask:
        """The question to authority; equality of requests is the hash of their canonical content."""
        claim = None
        if key is not None:
            content: dict[str, Json] = asked.__pydantic_serializer__.to_python(asked, mode="json") if asked else {}
            claim = Claim(key, digest({"about": about, "asked": content}))
        return Ask(self.credential, ACTIONS[action], self.request_id, claim)

    async def move(
        self,
        ask: Ask,
        orders: Callable[[Actor], Sequence[Order]],
        answer: Callable[[Sequence[Told]], Answer],
        size: int = 1,
        with_it: With | None = None,
    ) -> Response:
        """Have money moved: group commit, one reply, answered only after its COMMIT.

        A single order that waits for a person is answered here, the same for every route.
        """

        def told(outcomes: Sequence[Told]) -> Answer:
            first = outcomes[0]
            if len(outcomes) == 1 and size == 1 and isinstance(first, PendingApproval):
                return json_answer(show_pending(first), 202)
            return answer(outcomes)

        instruction = Instruction(ask, orders, told, size, with_it=with_it)
        return self.respond(await self.door.desk.submit(instruction), ask)

    async def submit(self, instruction: Instruction) -> Response:
        """Have an instruction carried out that answers for itself: group commit, answered only after its COMMIT."""
        return self.respond(await self.door.desk.submit(instruction), instruction.ask)

    async def act(
        self,
        ask: Ask,
        work: Callable[[Tx, Actor], Awaitable[tuple[Result | Refusal, Happening]]],
        answer: Callable[[Result], Answer],
    ) -> Response:
        """Do something that moves no money, in a transaction of its own; a refusal that is raised undoes it."""
        return self.respond(await self.begin(ask, work, answer), ask)

    async def begin(
        self,
        ask: Ask,
        work: Callable[[Tx, Actor], Awaitable[tuple[Result | Refusal, Happening]]],
        answer: Callable[[Result], Answer],
        event_id: UUID | None = None,
    ) -> Reply:
        """The same for what takes a second transaction: the reply to the first, whose event has this id."""

        def told(result: Result | Refusal) -> Answer:
            return answer_of(result, self.request_id) if isinstance(result, Refusal) else answer(result)

        async def once(tx: Tx) -> Carried:
            return await authority.act(tx, ask, work, told, event_id)

        (reply,) = await retrying(lambda: settled(self.door.database, [ask], ask.credential.tenant_id, once))
        return reply

    @asynccontextmanager
    async def looking_ahead(self) -> AsyncGenerator[Tx]:
        """A snapshot to plan by before it is known who asks: nothing that is seen there may be answered by itself."""
        async with self.door.database.transaction(self.credential.tenant_id, read_only=True) as tx:
            yield tx

    async def may(self, ask: Ask) -> bool:
        """Whether this is theirs to ask, for what is found out outside before it is done.

        Who may not is refused, and that recorded, where it is to be done.
        """
        try:
            async with self.reading(ask.action.name):
                return True
        except Refusal:
            return False

    @asynccontextmanager
    async def reading(self, action: str) -> AsyncGenerator[tuple[Tx, Actor]]:
        """One snapshot to read from, for a caller with the scope."""
        ask = self.ask(action)
        async with self.door.database.transaction(ask.credential.tenant_id, read_only=True) as tx:
            yield tx, await authority.authorise_read(tx, ask)

    def respond(self, reply: Reply, ask: Ask) -> Response:
        """A reply as it goes out."""
        if isinstance(reply, Refusal):
            return response_of(reply, self.request_id)
        headers = [_REPLAYED] if reply.replayed else retry_after(reply)
        if ask.claim is None:
            headers.append(_KEY_NOT_USED)
        return Complete(reply, headers)


async def caller_of(door: Door, request_id: str, authorization: str) -> Caller:
    """Who a request comes from, by its Authorization header, when it is their turn.

    Refused at once without a key, but for none at all in the sandbox.
    """
    scheme, _, text = authorization.partition(" ")
    credential = read_key(text) if scheme.lower() == "bearer" else None
    if credential is None and (authorization or door.sandbox is None):
        raise Unauthenticated
    if credential:
        is_agent = door.desk.knows_as_agent(credential)
        if seconds := door.turnstile.seconds_until_turn(credential, monotonic(), is_agent=is_agent):
            await asyncio.sleep(seconds)
    return Caller(door, request_id, credential)


async def _caller(request: Request, _: Annotated[object, Security(_BEARER)]) -> Caller:
    authorization = request.headers.get("authorization", "")
    return await caller_of(request.app.state.door, request.scope["bursar"]["request_id"], authorization)


CallerOf = Annotated[Caller, Depends(_caller)]


def json_answer(told: BaseModel, status: int = 200) -> Answer:
    """An answer's exact bytes."""
    return Answer(status, told.model_dump_json().encode())


def show_pending(pending: PendingApproval) -> wire.PendingApproval:
    """What waits for a person, as the wire shows it."""
    return wire.PendingApproval(
        status="pending_approval",
        approval_id=show("apr", pending.approval_id),
        expires_at=pending.expires_at,
        quorum=pending.quorum,
        step_up=pending.step_up,
        why=list(pending.why),
    )


# What every road that moves money may answer besides its own.
PENDING: dict[int | str, dict[str, Any]] = {
    202: {"model": wire.PendingApproval, "description": "A person must approve first; no money has moved."}
}


def json_response(told: BaseModel) -> Response:
    """The answer to a read."""
    return Response(told.model_dump_json(), media_type="application/json")


def refuse_cursor() -> InvalidArgument:
    """A cursor that is not one of ours."""
    return InvalidArgument("cursor", "is not a cursor of this list")
