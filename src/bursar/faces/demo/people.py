"""A scene: a payment above what the agent may make alone waits for a person, and is made once when one approves."""

import asyncio
from uuid import uuid4

from bursar.client import ApprovalPending, Bursar, BursarProblem
from bursar.faces.demo.agent import Cast
from bursar.faces.demo.evidence import Evidence
from bursar.faces.demo.processes import DemoFailed
from bursar.wire.accounts import Balance
from bursar.wire.approvals import PendingApproval
from bursar.wire.mandates import CounterpartyRule, MandateTerms, PerTransaction

_TERMS = MandateTerms(
    purpose="Pays suppliers",
    per_transaction=[PerTransaction(currency="USD", max="500.00", auto_max="100.00")],
    counterparties=CounterpartyRule(mode="any"),
)
_SECONDS_TO_BE_PAID = 20


async def ask_a_person(evidence: Evidence, operator: Bursar, second: Bursar, agent: Bursar, cast: Cast) -> None:
    """One operator gives the agent a mandate; it asks for more than it may pay alone; another operator approves."""
    mandate = await operator.draft_mandate(name=f"of-{cast.agent}", agent=cast.agent, terms=_TERMS)
    await operator.activate_mandate(mandate.id)
    pending = await _asked(agent, cast)
    wallet = await agent.get_balance(cast.wallet)
    evidence.tell(f"why:  {pending.why[0]}", "yellow")
    holds = (wallet.posted, wallet.available) == ("650.00", "350.00")
    seen = f"wallet {wallet.posted} USD, of which {wallet.available} available"
    evidence.claim("300.00 USD must wait for a person: nothing moves, the funds are set aside.", holds=holds, seen=seen)
    shown = await second.get_approval(pending.approval_id)
    refused = await _refused(agent, pending, shown.payload_hash)
    evidence.claim("The agent cannot approve it itself.", holds=refused.status == 403, seen=refused.problem.detail)
    await second.approve_approval(pending.approval_id, payload_hash=shown.payload_hash)
    paid = await _paid(second, cast)
    seen = f"wallet {paid.posted} USD, approved with the hash {shown.payload_hash[:12]}… of the very payment"
    evidence.claim("A second person approves what they saw, and it is paid once.", holds=paid.held == "0.00", seen=seen)


async def _asked(agent: Bursar, cast: Cast) -> PendingApproval:
    try:
        made = await agent.create_transfer(
            source=cast.wallet, target=cast.supplier, amount="300.00", currency="USD", idempotency_key=str(uuid4())
        )
    except ApprovalPending as waits:
        return waits.pending
    raise DemoFailed(f"A transfer that a person must approve was made: {made.id}.")


async def _refused(agent: Bursar, pending: PendingApproval, payload_hash: str) -> BursarProblem:
    try:
        await agent.approve_approval(pending.approval_id, payload_hash=payload_hash)
    except BursarProblem as problem:
        return problem
    raise DemoFailed("An agent approved its own payment.")


async def _paid(operator: Bursar, cast: Cast) -> Balance:
    """The wallet once the worker has made the payment."""
    try:
        async with asyncio.timeout(_SECONDS_TO_BE_PAID):
            while (wallet := await operator.get_balance(cast.wallet)).posted != "350.00":  # noqa: ASYNC110 -- a client has nothing else to go by
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise DemoFailed("What was approved was not paid.") from None
    return wallet
