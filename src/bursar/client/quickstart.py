"""The flat quickstart calls, which need no key in the sandbox."""

from typing import Literal

from bursar.client.arguments import Amount, exact, given, segment
from bursar.client.connection import Call
from bursar.client.room import Room
from bursar.wire.quick_lending import QuickApplicationAnswer, QuickDecisionAnswer
from bursar.wire.quickstart import (
    AccountBalance,
    AgentEvents,
    AgentJobAnswer,
    AgentPaymentAnswer,
    AgentTransferAnswer,
    QuickPaymentAnswer,
    QuickPaymentShown,
    RetailTransferAnswer,
)


class Quickstart(Room):
    """Here an `idempotency_key` is optional; without one a call is sent once and never again by itself."""

    async def agent_transfer(
        self,
        *,
        agent_id: str,
        source_account: str,
        target_account: str,
        amount: Amount,
        idempotency_key: str | None = None,
    ) -> AgentTransferAnswer:
        """System 1: an agent moves money."""
        body = given(
            agent_id=agent_id, source_account=source_account, target_account=target_account, amount=exact(amount)
        )
        return await self._change(AgentTransferAnswer, "agent_transfer", "/agent/transfer", body, idempotency_key)

    async def agent_events(self, agent_id: str, *, limit: int | None = None) -> AgentEvents:
        """System 1: an agent's events, newest first."""
        path = f"/agent/{segment(agent_id)}/events"
        return await self._read(AgentEvents, "agent_events", path, given(limit=limit))

    async def account_balance(self, account_number: str) -> AccountBalance:
        """System 2: what an account has available now."""
        path = f"/accounts/{segment(account_number)}/balance"
        return await self._read(AccountBalance, "account_balance", path)

    async def retail_transfer(
        self, *, from_account: str, to_account: str, amount: Amount, idempotency_key: str | None = None
    ) -> RetailTransferAnswer:
        """System 2: money from one account to another; `request_id` names the transfer."""
        body = given(from_account=from_account, to_account=to_account, amount=exact(amount))
        return await self._change(RetailTransferAnswer, "retail_transfer", "/transfers", body, idempotency_key)

    async def create_agent_payment(
        self, *, agent_id: str, amount_cents: int, currency: str, idempotency_key: str | None = None
    ) -> AgentPaymentAnswer:
        """System 3: take a payment for an agent, as a job."""
        body = given(agent_id=agent_id, amount_cents=amount_cents, currency=currency)
        return await self._change(
            AgentPaymentAnswer, "create_agent_payment", "/payments/create", body, idempotency_key
        )  # fmt: skip

    async def reserve_funds(
        self, agent_id: str, *, amount_cents: int, idempotency_key: str | None = None
    ) -> AgentJobAnswer:
        """System 3: hold funds of an agent until it marks them as paid."""
        path = f"/agents/{segment(agent_id)}/reserve?amount_cents={amount_cents:d}"
        return await self._change(AgentJobAnswer, "reserve_funds", path, None, idempotency_key)

    async def mark_paid(self, agent_id: str, *, idempotency_key: str | None = None) -> AgentJobAnswer:
        """System 3: pay the oldest of an agent's jobs whose funds are reserved."""
        path = f"/agents/{segment(agent_id)}/mark-paid"
        return await self._change(AgentJobAnswer, "mark_paid", path, None, idempotency_key)

    async def quick_payment(
        self,
        *,
        customer_id: str,
        amount: Amount,
        currency: str,
        payment_method_id: str,
        idempotency_key: str | None = None,
    ) -> QuickPaymentAnswer:
        """System 5: take a payment."""
        body = given(
            customer_id=customer_id, amount=exact(amount), currency=currency, payment_method_id=payment_method_id
        )
        return await self._change(QuickPaymentAnswer, "quick_payment", "/payments", body, idempotency_key)

    async def quick_payment_status(self, payment_id: str) -> QuickPaymentShown:
        """System 5: how a payment stands."""
        return await self._read(QuickPaymentShown, "quick_payment_status", f"/payments/{segment(payment_id)}")

    async def quick_apply(
        self, *, applicant_name: str, email: str, amount_requested: Amount, idempotency_key: str | None = None
    ) -> QuickApplicationAnswer:
        """System 4: somebody asks for a loan."""
        body = given(applicant_name=applicant_name, email=email, amount_requested=exact(amount_requested))
        return await self._change(QuickApplicationAnswer, "quick_apply", "/loans/apply", body, idempotency_key)

    async def quick_decision(
        self,
        application_id: str,
        *,
        decision: Literal["approved", "rejected", "review"],
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> QuickDecisionAnswer:
        """System 4: an application is decided."""
        path = f"/loans/{segment(application_id)}/decision"
        query = given(decision=decision, reason=reason)
        call = Call("quick_decision", "POST", path, query=query, idempotency_key=idempotency_key)
        return await self._connection.ask(call, QuickDecisionAnswer)
