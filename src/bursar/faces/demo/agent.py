"""Scenes: an agent asks, pays, is refused, and loses an answer; the operator's book shows what really happened."""

from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import httpx2
from rich.box import SIMPLE_HEAD
from rich.table import Table

from bursar.client import AnswerLost, Bursar, BursarProblem, Reply
from bursar.faces.demo.evidence import Evidence
from bursar.faces.demo.processes import DemoFailed
from bursar.faces.demo.road import losing_answers
from bursar.wire.accounts import Balance
from bursar.wire.transfers import Transfer

WORLD = "world:funding:USD"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: an agent of this run with a key, its wallet, and whom it pays."""

    agent: str
    key: str
    wallet: str
    supplier: str


async def enrol(operator: Bursar) -> Cast:
    """Enrol an agent of this run's own and give it a key and 1,000.00 USD."""
    run = uuid4().hex[:8]
    wallet, supplier = f"wallet-{run}", f"supplier-{run}"
    agent = await operator.create_agent(name=f"agent-{run}")
    key = await operator.create_key(agent=agent.id)
    for number, name in ((wallet, "Agent's wallet"), (supplier, "Supplier")):
        await operator.open_account(number=number, name=name, currency="USD")
    await operator.create_transfer(
        source=WORLD, target=wallet, amount="1000.00", currency="USD", idempotency_key=f"fund-{run}"
    )
    return Cast(agent.name, key.key, wallet, supplier)


def bursar(address: str, key: str | None = None, *, attempts: int = 3, replies: list[Reply] | None = None) -> Bursar:
    """A client that reaches this machine directly, whatever proxy the environment names."""
    hear = None if replies is None else replies.append
    return Bursar(address, key, attempts=attempts, transport=httpx2.AsyncHTTPTransport(), on_reply=hear)


async def pay(evidence: Evidence, agent: Bursar, cast: Cast) -> None:
    """The agent looks at its balance and makes a transfer."""
    before = await agent.get_balance(cast.wallet)
    evidence.claim(
        "The agent reads its balance.", holds=before.available == "1000.00", seen=f"available {_show(before)}"
    )
    made = await agent.create_transfer(
        source=cast.wallet, target=cast.supplier, amount="250.00", currency="USD", idempotency_key=str(uuid4())
    )
    wallet, supplier = await agent.get_balance(cast.wallet), await agent.get_balance(cast.supplier)
    holds = (made.status, wallet.posted, supplier.posted) == ("posted", "750.00", "250.00")
    seen = f"{made.id}: wallet {_show(wallet)}, supplier {_show(supplier)}"
    evidence.claim("It pays 250.00 USD, and both sides show it.", holds=holds, seen=seen)


async def overspend(evidence: Evidence, agent: Bursar, cast: Cast) -> None:
    """The agent asks for more than there is, and is told why not and what to do."""
    problem = await _refused(
        agent.create_transfer(
            source=cast.wallet, target=cast.supplier, amount="2000.00", currency="USD", idempotency_key=str(uuid4())
        )
    )
    wallet = await agent.get_balance(cast.wallet)
    evidence.tell(f"HTTP {problem.status} {problem.code}", "yellow")
    evidence.tell(f"why:  {problem.problem.detail}", "yellow")
    evidence.tell(f"next: {problem.next}", "yellow")
    holds = (problem.code, problem.money_moved, wallet.posted) == ("insufficient_funds", "no", "750.00")
    seen = f"money moved: {problem.money_moved}, wallet {_show(wallet)}"
    evidence.claim(
        "It is refused 2000.00 USD with the fact and the next step, and nothing moves.", holds=holds, seen=seen
    )


async def lose_an_answer(evidence: Evidence, address: str, cast: Cast) -> None:
    """The answer to a transfer is cut off on its way; the agent sends it again with the same key."""
    key = str(uuid4())
    replies: list[Reply] = []
    async with (
        losing_answers(address, losing=1) as road,
        # One attempt only, to show what the client otherwise does by itself.
        bursar(road.address, cast.key, attempts=1, replies=replies) as agent,
    ):
        lost = await _lost(_pay_once(agent, cast, key))
        evidence.tell(str(lost), "yellow")
        meanwhile = await agent.get_balance(cast.wallet)
        seen = f"wallet {_show(meanwhile)}, and the agent cannot know"
        evidence.claim("The connection broke after the commit.", holds=meanwhile.posted == "650.00", seen=seen)
        again = await _pay_once(agent, cast, key)
    _claim_replay(evidence, Transfer.model_validate_json(road.lost[0]), again, replies[-1])


async def look_back(evidence: Evidence, operator: Bursar, cast: Cast) -> None:
    """The operator looks at what the wallet really did."""
    out = [
        transfer async for transfer in operator.iterate_transfers(account=cast.wallet) if transfer.source == cast.wallet
    ]
    wallet = await operator.get_balance(cast.wallet)
    amounts = sorted(Decimal(transfer.amount) for transfer in out)
    holds = wallet.posted == "650.00" and amounts == [Decimal("100.00"), Decimal("250.00")]
    seen = f"wallet {_show(wallet)}; it paid {' and '.join(f'{amount} USD' for amount in amounts)}"
    evidence.claim("It paid once, not twice.", holds=holds, seen=seen)


async def show_trail(evidence: Evidence, operator: Bursar, cast: Cast) -> None:
    """The audit trail of this agent, the refused request too."""
    trail = [event async for event in operator.iterate_events(agent=cast.agent)][::-1]
    table = Table("Time", "Event", "Amount", "Decision and outcome", "Object", box=SIMPLE_HEAD, pad_edge=False)
    for event in trail:
        amount = f"{event.payload.get('amount', '')} {event.payload.get('currency', '')}"
        at = event.recorded_at.strftime("%H:%M:%S")
        # The end of an id tells it from its neighbours; its beginning is the time.
        about = f"…{event.object[-6:]}" if event.object else ""
        table.add_row(at, event.type, amount, f"{event.decision}: {event.outcome}", about)
    evidence.show(table)
    told = [(event.type, event.decision, event.payload.get("amount")) for event in trail]
    wanted = [
        ("transfer.posted", "allow", "250.00"),
        ("transfer.refused", "deny", "2000.00"),
        ("transfer.posted", "allow", "100.00"),
        ("approval.requested", "needs_approval", "300.00"),
        ("approve_approval.denied", "deny", None),
        ("transfer.posted", "allow", "300.00"),
    ]
    claim = "The trail tells all five requests, the one sent twice once, and the payment that was approved."
    evidence.claim(claim, holds=told == wanted, seen=f"{len(trail)} events of {cast.agent}")


def _claim_replay(evidence: Evidence, lost: Transfer, again: Transfer, reply: Reply) -> None:
    seen = f"{again.id}, Idempotent-Replayed: {str(reply.replayed).lower()}"
    evidence.claim("The same key gets the answer that was lost.", holds=reply.replayed and again == lost, seen=seen)


async def _pay_once(agent: Bursar, cast: Cast, key: str) -> Transfer:
    return await agent.create_transfer(
        source=cast.wallet, target=cast.supplier, amount="100.00", currency="USD", idempotency_key=key
    )


async def _refused(call: Awaitable[Transfer]) -> BursarProblem:
    try:
        made = await call
    except BursarProblem as problem:
        return problem
    raise DemoFailed(f"A transfer that the wallet cannot afford was made: {made.id}.")


async def _lost(call: Awaitable[Transfer]) -> AnswerLost:
    try:
        made = await call
    except AnswerLost as lost:
        return lost
    raise DemoFailed(f"An answer that was cut off arrived: {made.id}.")


def _show(balance: Balance) -> str:
    return f"{balance.posted} {balance.currency}"
