"""For any operation a request that would succeed, about things that were made for it alone."""

from collections.abc import Awaitable, Callable
from typing import Any

from bursar.kernel.ids import new_id
from tests.api.operations import Operation, body_of
from tests.api.sending import Request
from tests.api.stock_loans import LoanMakers
from tests.api.stock_values import COME_TO, LEFT_OUT, OF_A_HOLDER
from tests.api.tenants import AGENT


def _adjust(operation_id: str, body: dict[str, Any]) -> None:
    """What a field for itself does not tell: which go together, and which stand alone."""
    if operation_id == "approve_approval":
        body["assertion"] = None
    if operation_id == "create_job_definition":
        # What comes first is done by making the job, and roles are kept apart from others.
        first = {"name": "ask", "role": "initiate", "max_attempts": None, "timeout_seconds": None}
        body["steps"] = [body["steps"][0] | first, {"name": "finish", "role": "execute", "stage": "done"}]
        body |= {"name": f"d{new_id().hex[:20]}", "separate": [["initiate", "execute"]]}
    if operation_id == "create_loan_product":
        body["allocation"] = ["penalty", "fee", "interest", "principal"]
    if operation_id == "draft_scorecard":
        body["bands"][0]["name"] = "A"
    if operation_id == "add_application_statement":
        body["summary"] = None


class Stock(LoanMakers):
    """What requests of one tenant are about, in one currency."""

    async def request(self, operation: Operation, **named: str) -> Request:
        """A request for this operation with every field there is; `named` says what its path names, else it is new."""
        if operation.id in ("reserve_funds", "mark_paid") and "agent_id" not in named:
            await self.made("/payments/create", {"agent_id": AGENT, "amount_cents": 5000, "currency": "USD"})
        if operation.id == "mark_paid" and "agent_id" not in named:
            await self.made(f"/agents/{AGENT}/reserve?amount_cents=5", None)
        path = operation.path
        for name in operation.named("path"):
            path = path.replace(f"{{{name}}}", named.get(name) or await self._made_for(operation.id, name))
        values = self.values.of(operation.id) | await self._objects(operation, path)
        query = {name: values[name] for name in operation.named("query") if name not in LEFT_OUT}
        body = body_of(operation.body, values) if operation.body else None
        if body:
            _adjust(operation.id, body)
        return Request(operation.method, path, query, body)

    async def _objects(self, operation: Operation, path: str) -> dict[str, Any]:
        """What the fields name must be there first."""
        values: dict[str, Any] = {}
        seen = {
            "approve_approval": ("payload_hash", self.payload_hash),
            "accept_offer": ("terms_hash", self.terms_hash),
        }
        if operation.id in seen:
            name, find = seen[operation.id]
            values[name] = await find(path)
        if operation.id in ("claim_step", "create_application"):
            name, make = ("job_id", self.job) if operation.id == "claim_step" else ("product", self.loan_product)
            values[name] = await make()
        if operation.id in ("create_counterparty", "create_freeze"):
            values |= dict.fromkeys(("account", "object"), await self.account())
        if "pay" in operation.id or "customer" in operation.id:
            values |= await self._payments(operation.id)
        if "agent" in operation.named("query") or operation.id == "create_key":
            values["agent"] = await self.agent()
        if "endpoint" in operation.named("query"):
            values["endpoint"] = await self.webhook_endpoint()
        return values

    async def _payments(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of payments, of a method that pays and a bank account that can be paid to."""
        method = None if "method" in operation_id else await self.payment_method()
        bank = await self.payment_method("bank_account") if operation_id == "create_payout" else None
        return {
            "capture": "automatic", "confirm": True, "customer": await self.customer(), "destination": bank,
            "external_id": new_id().hex, "final": True, "kind": "card", "label": "A label", "payment_method": method,
            "provider": "sandbox", "reference": "sandbox_ok", "status": "succeeded", "customer_id": new_id().hex,
            "payment_method_id": "sandbox_ok",
        }  # fmt: skip

    async def _made_for(self, operation_id: str, name: str) -> str:
        """What a path names: a thing that the operation may use up."""
        if operation_id in ("freeze_account", "close_account", "mark_account_upstream"):
            return await self.account()
        undoes: dict[str, tuple[Callable[[], Awaitable[str]], str, str]] = {
            "unfreeze_account": (self.account, "accounts", "freeze"),
            "unblock_counterparty": (self.counterparty, "counterparties", "block"),
            "enable_webhook_endpoint": (self.webhook_endpoint, "webhook-endpoints", "disable"),
        }
        if operation_id in undoes:
            maker, things, verb = undoes[operation_id]
            made = await maker()
            await self.made(f"/v1/{things}/{made}/{verb}", None)
            return made
        if operation_id == "settle_transfer":
            return await self.lied_about_upstream()
        makers: dict[str, Callable[[], Awaitable[str]]] = {
            "transfer_id": self.transfer,
            "hold_id": self.hold,
            "key_id": self.key,
            "agent": self.agent,
            "mandate_id": self.mandate,
            "approval_id": self.approval,
            "counterparty_id": self.counterparty,
            "freeze_id": self.freeze,
            "version": self.risk_rules,
            "event_id": self.assessed,
            "case_id": self.case,
            "definition": self.job_definition,
            "job_id": self.claimed if operation_id in OF_A_HOLDER else self.job,
            "endpoint_id": self.webhook_endpoint,
            "delivery_id": self.webhook_delivery,
            "customer_id": self.customer,
            "payment_method_id": self.payment_method,
            "payment_id": lambda: self.payment(operation_id),
            "payout_id": lambda: self.payout(operation_id),
            "dispute_id": self.dispute,
            "run_id": self.run,
            "break_id": self.broken,
            "application_id": lambda: self.application(COME_TO.get(operation_id), operation_id),
            "loan_id": lambda: self.loan(operation_id),
            "scorecard": lambda: self.scorecard(operation_id),
            "promise_id": self.promise,
        }
        if operation_id in ("pause_mandate", "resume_mandate"):
            mandate = await self.mandate()
            for verb in ("activate", "pause") if operation_id == "resume_mandate" else ("activate",):
                await self.made(f"/v1/mandates/{mandate}/{verb}", None)
            return mandate
        if name in makers:
            return await makers[name]()
        return AGENT if name == "agent_id" else self.tenant.number("main", self.currency)
