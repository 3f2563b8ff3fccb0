"""Where a journey takes place: a service, however it is served, an operator, an agent, and accounts to play with."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from bursar.client import Bursar, BursarProblem, Reply
from bursar.wire.mandates import CounterpartyRule, MandateTerms
from bursar.wire.transfers import Transfer

AGENT = "agent_007"
WORLD = "world:outside:EUR"
EVERYTHING = MandateTerms(
    actions=["create_transfer", "create_transfers", "reverse_transfer", "create_hold", "capture_hold", "release_hold"],
    counterparties=CounterpartyRule(mode="any"),
)

Connect = Callable[[str | None, list[Reply]], Bursar]


@dataclass(slots=True)
class Stage:
    """An operator, an agent, and `wallet` with 1000.00 EUR beside an empty `shop`."""

    operator: Bursar
    agent: Bursar
    wallet: str
    shop: str
    replies: list[Reply]
    connect: Connect
    clients: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def join(self, key: str) -> Bursar:
        """A client with another key."""
        return await self.clients.enter_async_context(self.connect(key, []))

    async def pay(self, amount: str = "10.00", key: str | None = None) -> Transfer:
        """The agent pays the shop."""
        return await self.agent.create_transfer(
            source=self.wallet, target=self.shop, amount=amount, currency="EUR", idempotency_key=key or fresh()
        )

    async def available(self) -> str | None:
        """What the wallet has available."""
        return (await self.agent.get_balance(self.wallet)).available


def fresh() -> str:
    """An Idempotency-Key for a new intent."""
    return str(uuid4())


async def refusal_of(call: Awaitable[object]) -> tuple[int, str]:
    """The status and code that a call is refused with."""
    with pytest.raises(BursarProblem) as raised:
        await call
    assert raised.value.money_moved == "no"
    return raised.value.status, raised.value.code


@asynccontextmanager
async def staged(connect: Connect, operator_key: str) -> AsyncGenerator[Stage]:
    """A stage on whatever service `connect` reaches, set by an operator of an empty tenant or the sandbox's."""
    replies: list[Reply] = []
    async with connect(operator_key, replies) as operator:
        await operator.create_agent(name=AGENT)
        key = await operator.create_key(agent=AGENT)
        mandate = await operator.draft_mandate(name="everything", agent=AGENT, terms=EVERYTHING)
        await operator.activate_mandate(mandate.id)
        await operator.open_account(number=WORLD, name="Outside", currency="EUR", floor="none")
        for number in ("wallet", "shop"):
            await operator.open_account(number=number, name=f"The {number}", currency="EUR")
        await operator.create_transfer(
            source=WORLD, target="wallet", amount="1000.00", currency="EUR", idempotency_key=fresh()
        )
        async with connect(key.key, replies) as agent:
            stage = Stage(operator, agent, "wallet", "shop", replies, connect)
            async with stage.clients:
                yield stage
