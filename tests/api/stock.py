"""For any operation a request that would succeed, about things that were made for it alone."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import httpx2

from bursar.features.payments.ports import Effect, Report
from bursar.features.payments.providers.sandbox_telling import event_body
from bursar.features.payments.signing import signature_of
from bursar.kernel.ids import new_id
from tests.api.operations import Operation, Place, body_of, with_literal
from tests.api.serving import WEBHOOK_SECRET
from tests.api.tenants import AGENT, Tenant, bearing

RECONCILING = (
    "import_bank_statement", "list_bank_statements", "import_provider_transactions", "run_reconciliation",
    "list_reconciliation_breaks", "accept_reconciliation_break", "post_reconciliation_break",
    "fetch_provider_transactions",
)  # fmt: skip
BANK_CSV = b"Day,Kind,Amount,Id,Payee,Text,Account\n2026-03-02,D,12,1,Baker,Bread,mine\n"
PROVIDER_CSV = b"id,kind,day,currency,amount,fee,reference\ntxn_1,charge,2026-03-02,USD,12,1,pay_1\n"
_WITH_TERMS = ("draft_mandate", "change_mandate", "request_mandate_change")
# Of a mandate and of what is asked of it: who asks must leave the mandate's as it is.
_PURPOSE = "Suppliers"
# What is asked by whoever holds a step, and all that is asked of jobs.
_OF_A_HOLDER = ("renew_step", "complete_step", "fail_step", "hand_over_step")
_JOBS = (
    *_OF_A_HOLDER, "claim_step", "create_job", "list_jobs", "get_job", "list_job_events", "cancel_job",
    "create_job_definition", "get_job_definition",
)  # fmt: skip
_OF_JOBS: dict[str, Any] = {
    "token": 2, "lease_seconds": 60, "roles": "price", "definition": "checkout", "weight": 1, "version": 1,
    "wait": "0", "after": "0", "note": "A note", "reference": "order-7",
    "purpose": "A purpose", "to": AGENT, "retry": True, "payment_method": None, "destination": None,
    "role": "execute", "stage": "done", "effect": "none", "max_attempts": 5, "timeout_seconds": 60,
    "separate": "execute",
}  # fmt: skip
_DAYS = count()
_SMALL = ("return_credit", "waive_loan")
_PAYING = ("disburse_loan", "repay_loan", "return_credit")
# How far an application must have come.
_COME_TO = {
    "decide_application": "submit", "withdraw_application": "submit", "quick_decision": "submit",
    "make_offer": "decide", "accept_offer": "offer",
}  # fmt: skip
_OF_LENDING = (
    "create_loan_product", "list_loan_products", "create_application", "list_applications", "change_application",
    "submit_application", "withdraw_application", "decide_application", "quick_apply", "quick_decision",
    "make_offer", "accept_offer", "list_loans", "get_loan_statement", "disburse_loan", "repay_loan",
    "get_loan_outstanding", "get_loan_vintages",
    "reverse_repayment", "return_credit", "waive_loan", "reschedule_loan", "charge_off_loan", "write_off_loan",
    "pause_loan", "resume_loan", "draft_scorecard", "add_application_statement",
    "pause_loan", "resume_loan", "list_collections", "create_reminder", "create_promise", "create_contact_rules",
    "create_reminder_template",
)  # fmt: skip
# What a query may narrow a list to, which is to be whole.
_LEFT_OUT = ("cursor", "object", "payment", "run", "loan")
PAST, FUTURE = "2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that is ready to be sent, by whoever holds a key; `content` is the exact text of its body."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    content: str | bytes | None = None

    def with_literal(self, at: Place, literal: str) -> "Request":
        """The same with this JSON text in place of one field."""
        return replace(self, content=with_literal(self.body, at, literal))

    async def send(self, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> httpx2.Response:
        """Send it with these headers."""
        content = self.content if self.content is not None else json.dumps(self.body) if self.body else None
        kind = {"Content-Type": "application/json"} if content is not None else {}
        return await client.request(
            self.method, self.path, params=self.query or None, content=content, headers={**kind, **headers}
        )


class Stock:
    """What requests of one tenant are about, in one currency."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant, currency: str = "USD") -> None:
        self.client = client
        self.tenant = tenant
        self.currency = currency

    async def request(self, operation: Operation, **named: str) -> Request:
        """A request for this operation with every field there is; `named` says what its path names, else it is new."""
        if operation.id in ("reserve_funds", "mark_paid") and "agent_id" not in named:
            await self.made("/payments/create", {"agent_id": AGENT, "amount_cents": 5000, "currency": "USD"})
        if operation.id == "mark_paid" and "agent_id" not in named:
            await self.made(f"/agents/{AGENT}/reserve?amount_cents=5", None)
        path = operation.path
        for name in operation.named("path"):
            path = path.replace(f"{{{name}}}", named.get(name) or await self._made_for(operation.id, name))
        values = self._values(operation.id) | await self._objects(operation, path)
        query = {name: values[name] for name in operation.named("query") if name not in _LEFT_OUT}
        body = body_of(operation.body, values) if operation.body else None
        if operation.id == "approve_approval":
            assert body
            body["assertion"] = None
        if operation.id == "create_job_definition":
            assert body
            # What comes first is done by making the job, and roles are kept apart from others.
            first = {"name": "ask", "role": "initiate", "max_attempts": None, "timeout_seconds": None}
            body["steps"] = [body["steps"][0] | first, {"name": "finish", "role": "execute", "stage": "done"}]
            body |= {"name": f"d{new_id().hex[:20]}", "separate": [["initiate", "execute"]]}
        if operation.id == "create_loan_product":
            assert body
            body["allocation"] = ["penalty", "fee", "interest", "principal"]
        if operation.id == "draft_scorecard":
            assert body
            body["bands"][0]["name"] = "A"
        if operation.id == "add_application_statement":
            assert body
            body["summary"] = None
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

    def _values(self, operation_id: str) -> dict[str, Any]:
        main, side = self.tenant.number("main", self.currency), self.tenant.number("side", self.currency)
        # A statement begins before it ends, and a list of events ends after the latest.
        values: dict[str, Any] = dict.fromkeys(("account", "source", "source_account", "from_account"), main)
        values |= dict.fromkeys(("target", "target_account", "to_account"), side)
        values |= {"amount": "5", "credit_limit": "5", "currency": self.currency, "floor": "credit_limit"}
        values |= {
            "amount_cents": 500,
            "agent_id": AGENT,
            "description": "A description",
            "metadata": {"case": "7"},
            "mode": "each",
        }
        values |= {"name": f"name-{new_id().hex}", "number": f"number-{new_id().hex}", "normal_side": "credit"}
        values |= {"effective_at": PAST, "expires_at": FUTURE, "at": PAST, "start": PAST, "end": FUTURE}
        values |= {"limit": "20", "action": operation_id, "scopes": "accounts:read"}
        values |= dict.fromkeys(("mandate", "acknowledge_duplicate", "agent", "code"))
        values |= dict.fromkeys(("client_data", "attestation_object", "authenticator_data", "signature"), "AAECAw")
        values |= {"credential_id": "AAECAw"} | ({"code": "123456"} if operation_id == "create_credential" else {})
        values |= {"reason": "A reason", "scope": "account", "status": "pending", "in_force": "true"}
        values |= {"team": "procurement", "decision": "to_suspense", "dispute_status": "needs_response"}
        values |= {"decision": "ask_again"} if operation_id == "settle_transfer" else {}
        values |= self._case(operation_id) if "case" in operation_id else {}
        values |= _OF_JOBS | {"status": "active"} if operation_id in _JOBS else {}
        values |= {"url": f"https://example.com/{new_id().hex}", "events": "transfer.posted", "overlap_seconds": 60}
        values |= self._reconciliation(operation_id) if operation_id in RECONCILING else {}
        values |= self._lending(operation_id) if operation_id in _OF_LENDING else {}
        values |= self._rules() if operation_id == "draft_risk_rules" else {}
        return values | (self._terms() if operation_id in _WITH_TERMS else {})

    def _case(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of a case, about something that has none yet; lists are of all states."""
        state = "open" if operation_id == "list_cases" else "in_progress"
        return {
            "kind": "unclear", "note": "A note", "owner": "operator", "state": state, "subject_id": new_id().hex,
            "subject_kind": "account", "text": "A note",
        }  # fmt: skip

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

    def _reconciliation(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of what is filed and compared."""
        content = PROVIDER_CSV if operation_id == "import_provider_transactions" else BANK_CSV
        # A provider is asked about another day each time.
        asked = {"provider": "sandbox", "first_day": (day := str(date(2000, 1, 1) + timedelta(next(_DAYS)))),
                 "last_day": day}  # fmt: skip
        return {
            "bank_account": f"bank-{new_id().hex}", "bank_reference": "Id", "break_kind": "missing_in_ledger",
            "break_state": "open", "clearing": None, "content": base64.b64encode(content).decode(),
            "counter": self.tenant.number("side", self.currency), "counterparty": "Payee",
            "counterparty_decides": False, "date": "Day", "date_format": "%Y-%m-%d", "days": 3, "decimal": ".",
            "delimiter": ",", "encoding": "utf-8", "far_days": 14, "first_day": "2026-03-01", "format": "csv",
            "last_day": "2026-03-31", "provider": None
            if operation_id == "run_reconciliation"
            else f"p{new_id().hex[:20]}",
            "quote": '"', "reason": "bank_fee", "reversed": False, "run": None,
            "source": f"bank-{new_id().hex[:20]}", "tolerance_minor": 0, "note": "A note", "owner": None,
        } | self._columns(operation_id) | (asked if operation_id.startswith("fetch") else {})  # fmt: skip

    def _columns(self, operation_id: str) -> dict[str, Any]:
        """The names of columns share names with other fields."""
        if operation_id != "import_bank_statement":
            return {}
        names = dict.fromkeys(("credit", "debit", "balance")) | {"account": "Account", "direction": "Kind"}
        return names | {"amount": "Amount", "reference": "Id", "description": "Text", "outgoing": "D"}

    def _lending(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of a product and of an application to it."""
        version = 2 + ("submit", "decide", "offer").index(_COME_TO[operation_id]) if operation_id in _COME_TO else 1
        loans: dict[str, Any] = {
            "keeps": None, "on": None, "bucket": "current", "part": "interest", "first_due": None, "repayment": 2,
            "allocation": "fee", "fixed": "1", "ppm": 5, "grace_days": 5, "penalty_rate_ppm": 5, "month_end": False,
            "calendar": None, "business_day": "none", "principal_grace": 0, "interest_grace": 0, "interest_free": 0,
            **dict.fromkeys(("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90"), 5),
        }  # fmt: skip
        loans |= {"first": str(datetime.now(UTC).date() - timedelta(days=80)), "last": str(datetime.now(UTC).date())}
        loans |= {"day": str(datetime.now(UTC).date())}
        loans |= {
            "is_open": "true", "template": "payment_overdue", "channel": "webhook", "token": None, "start": "00:00",
            "end": "24:00", "time_zone": "UTC", "most": 1000, "days": 1,
            # Other rules each time.
            "promise_days": 30 + next(_DAYS) % 300,
            "due_on": str(datetime.now(UTC).date() + timedelta(days=5)), "subject": "$amount_due is due",
            "text": "Please pay $amount_due $currency.",
        }  # fmt: skip
        loans |= {"product": None} if operation_id == "create_contact_rules" else {}
        loans |= {"name": f"n{new_id().hex[:20]}"} if operation_id == "create_reminder_template" else {}
        loans |= {"status": "active"} if operation_id == "list_loans" else {}
        loans |= {"amount": "5"} if operation_id in _SMALL else {}
        # A product's own account pays its loans out.
        loans |= {"account": self.tenant.number("side", self.currency)} if operation_id in _PAYING else {}
        return {
            "code": f"p{new_id().hex[:20]}", "min_amount": "5", "max_amount": "500", "min_installments": 1,
            "max_installments": 60, "rate_ppm": 99_000, "balloon_ppm": 0, "method": "equal_installments",
            "interest_on": "declining", "day_count": "30/360", "every": 1, "unit": "month", "consents": "credit_check",
            "min_points": None,
            "review_below_points": None, "max_debt_service_percent": None, "application_days": 30, "offer_days": 14,
            "applicant_name": "An applicant", "email": f"{new_id().hex}@example.com",
            "amount": "50", "installments": 12, "purpose": "A purpose", "monthly_income": "500",
            "monthly_debt_service": "5", "field": "monthly_income", "origin": "document", "document": "A document",
            "document_kind": "payslip", "sha256": "0" * 64, "size_bytes": 5, "consent": "credit_check",
            "given_at": PAST, "evidence": "Ticked", "decider": AGENT, "follows": None, "version": version,
            "decision": "approved", "mandate": None, "status": "submitted", "amount_requested": "5",
        } | loans | self._scorecard(operation_id)  # fmt: skip

    def _scorecard(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of a scorecard, and of a bank statement that one scores."""
        if operation_id == "create_loan_product":
            return {"scorecard": None}
        if operation_id == "add_application_statement":
            return {
                "origin": "stated", "document": None, "day": "2026-01-02", "change": "5", "balance": "5",
                "kind": "other", "under_minor": 500_000, "start": "2026-01-01", "days": 31,
                **dict.fromkeys(("days_under", "days_overdrawn", "lowest_minor", "average_minor"), 5),
                **dict.fromkeys(("income_minor", "debt_service_minor", "penalties"), 5),
            }  # fmt: skip
        if operation_id != "draft_scorecard":
            return {}
        return {
            "name": f"c{new_id().hex[:20]}", "version": 1, "under_minor": 500_000, "least_history_months": 2,
            "points": 50, "odds": 20, "double": 50, "base_points": 60, "feature": "lowest_minor", "best": 5, "worst": 0,
            "words": "lowest balance", "at_least": -1_000_000, "proposal": "approve", "command": "bursar lending fit",
            "statements_sha256": "0" * 64, "loans_sha256": "0" * 64, "loans": 5, "bad": 5,
        }  # fmt: skip

    def _rules(self) -> dict[str, Any]:
        """A value for every field of risk rules, under a new version."""
        return {
            "version": 2 + new_id().int % 999_998, "points": 10, "above": 1, "full_at": 3, "busiest_at_least": 3,
            "cool_off_hours": 24, "usual_percent": 2, "payments_at_least": 5, "near_percent": 90, "needs_approval": 101,
            "step_up": 101, "deny": 101,
        }  # fmt: skip

    def _terms(self) -> dict[str, Any]:
        """A value for every field of a mandate, for an agent that exists."""
        return {
            "accounts": self.tenant.number("main", self.currency), "actions": "create_transfer", "agent": AGENT,
            "allow": f"cp_{new_id().hex}", "amount": "1", "auto_max": "1", "cool_off_seconds": 0, "days": "mon",
            "duplicate_window_seconds": 60, "end": "18:00", "kind": "calendar", "max": "5", "max_amount": "5",
            "max_count": 3, "mode": "any", "new_payee": True, "not_before": PAST, "parent": None, "per_payee": False,
            "period": "day", "purpose": _PURPOSE, "quorum": 1, "rails": "book", "risk_at_least": 50,
            "role": "treasurer", "seconds": 60, "start": "08:00", "step_up": False, "team": None, "time_zone": "UTC",
            "ttl_seconds": 3600,
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
            "job_id": self.claimed if operation_id in _OF_A_HOLDER else self.job,
            "endpoint_id": self.webhook_endpoint,
            "delivery_id": self.webhook_delivery,
            "customer_id": self.customer,
            "payment_method_id": self.payment_method,
            "payment_id": lambda: self.payment(operation_id),
            "payout_id": lambda: self.payout(operation_id),
            "dispute_id": self.dispute,
            "run_id": self.run,
            "break_id": self.broken,
            "application_id": lambda: self.application(_COME_TO.get(operation_id), operation_id),
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

    async def account(self) -> str:
        """The number of a new, empty account."""
        number = f"number-{new_id().hex}"
        await self.made("/v1/accounts", {"number": number, "name": "An account", "currency": self.currency})
        return number

    async def transfer(self) -> str:
        """The id of a new transfer from the main to the side account."""
        return (await self.made("/v1/transfers", self._move("source", "target")))["id"]

    async def lied_about_upstream(self) -> str:
        """The id of a new transfer upstream of which another amount was said, as its case names it."""
        there = {number: await self.account() for number in (f"liar-{new_id().hex}", f"shop-{new_id().hex}")}
        for number, here in there.items():
            await self.made(f"/v1/accounts/{here}/upstream", {"number": number})
        source, target = there.values()
        body = {"agent_id": AGENT, "source_account": source, "target_account": target, "amount": "5"}
        request = Request("POST", "/agent/transfer", body=body)
        assert (await request.send(self.client, bearing(self.tenant.operator))).status_code == 503
        query = {"state": "open", "kind": "payment_mismatch", "limit": "500"}
        found = await self.client.get("/v1/cases", params=query, headers=bearing(self.tenant.operator))
        return found.json()["items"][-1]["subject"]["id"]

    async def customer(self) -> str:
        """The id of a new customer."""
        return (await self.made("/v1/customers", {"name": "A customer"}))["id"]

    async def payment_method(self, kind: str = "card", reference: str = "sandbox_ok") -> str:
        """The id of a new payment method of the sandbox's."""
        reference = "sandbox_bank" if (kind, reference) == ("bank_account", "sandbox_ok") else reference
        return (await self.made("/v1/payment-methods", {"reference": reference, "kind": kind}))["id"]

    async def payment(self, operation_id: str = "") -> str:
        """The id of a new payment that stands where the operation can go on."""
        odd = "sandbox_wrong_amount" if operation_id == "lift_quarantine" else "sandbox_ok"
        return (await self._paid(operation_id, odd))["id"]

    async def _paid(self, operation_id: str = "", reference: str = "sandbox_ok") -> Any:
        body = {
            "account": self.tenant.number("main", self.currency), "amount": "500", "currency": self.currency,
            "payment_method": await self.payment_method(reference=reference),
            "confirm": operation_id != "confirm_payment",
            "capture": "manual" if operation_id in ("capture_payment", "cancel_payment") else "automatic",
        }  # fmt: skip
        return await self.made("/v1/payments", body)

    async def dispute(self) -> str:
        """The id of a new dispute, told by the sandbox's provider before it has come to it itself."""
        payment = await self._paid(reference="sandbox_disputed")
        about, now = f"dp_{new_id().hex}", datetime.now(UTC)
        effect = Effect(f"txn_{about}", "dispute", 1, self.currency, 0, None, about)
        charge = payment["provider_reference"]
        report = Report(None, "charge", charge, "succeeded", 1, self.currency, (effect,))
        told = event_body(f"evt_{about}", "charge.dispute.created", self.tenant.id.hex, report, now).encode()
        signed = {"Stripe-Signature": signature_of(told, WEBHOOK_SECRET, now), "Content-Type": "application/json"}
        answer = await self.client.post("/v1/webhooks/sandbox", content=told, headers=signed)
        assert answer.is_success, answer.text
        return about

    async def payout(self, operation_id: str = "") -> str:
        """The id of a new payout that stands where the operation can go on."""
        body = {"account": self.tenant.number("main", self.currency), "amount": "5", "currency": self.currency}
        if operation_id == "lift_payout_quarantine":
            await self._paid()
            body["destination"] = await self.payment_method("bank_account", "sandbox_bank_wrong_amount")
        return (await self.made("/v1/payouts", body))["id"]

    async def hold(self) -> str:
        """The id of a new hold on the main account, for nobody yet."""
        body = self._move("account", "target")
        del body["target"]
        return (await self.made("/v1/holds", body))["id"]

    def _move(self, source: str, target: str) -> dict[str, str]:
        values = self._values("")
        return {source: values["source"], target: values["target"], "amount": "500", "currency": self.currency}

    async def agent(self) -> str:
        """The name of a new agent."""
        return (await self.made("/v1/agents", {"name": f"agent-{new_id().hex}"}))["name"]

    async def mandate(self) -> str:
        """The id of a new mandate, a draft."""
        return (await self.made("/v1/mandates", {"name": f"mandate-{new_id().hex}", "terms": {"purpose": _PURPOSE}}))[
            "id"
        ]

    async def approval(self) -> str:
        """The id of a new approval: an agent that may pay nothing alone asks for a transfer."""
        agent = await self.agent()
        terms = {
            "per_transaction": [{"currency": self.currency, "max": "500", "auto_max": "0"}],
            "counterparties": {"mode": "any"},
        }
        mandate = {"name": f"mandate-{new_id().hex}", "agent": agent, "terms": terms}
        drafted = await self.made("/v1/mandates", mandate)
        await self.made(f"/v1/mandates/{drafted['id']}/activate", None)
        key = (await self.made("/v1/keys", {"agent": agent}))["key"]
        request = Request("POST", "/v1/transfers", body=self._move("source", "target"))
        answer = await request.send(self.client, bearing(key))
        assert answer.status_code == 202, answer.text
        return answer.json()["approval_id"]

    async def payload_hash(self, path: str) -> str:
        """What whoever approves there must have seen; of an approval that is not there, anything."""
        found = await self.client.get(path.removesuffix("/approve"), headers=bearing(self.tenant.operator))
        return found.json()["payload_hash"] if found.is_success else "0" * 64

    async def terms_hash(self, path: str) -> str:
        """What whoever accepts there must have seen; of what has no offer, anything."""
        found = await self.client.get(path.removesuffix("/accept"), headers=bearing(self.tenant.operator))
        offer = found.json()["offer"] if found.is_success else None
        return offer["terms_hash"] if offer else "0" * 64

    async def counterparty(self) -> str:
        """The id of a new counterparty."""
        body = {"account": await self.account(), "name": "A counterparty"}
        return (await self.made("/v1/counterparties", body))["id"]

    async def freeze(self) -> str:
        """The id of a new freeze, of an account."""
        body = {"scope": "account", "object": await self.account(), "reason": "A reason"}
        return (await self.made("/v1/freezes", body))["id"]

    async def risk_rules(self) -> str:
        """The number of a new version of the risk rules, a draft that lets everything pass."""
        values, ramp = self._rules(), {"points": 0, "above": 1, "full_at": 3}
        rules = {
            "version": values["version"], "velocity": {**ramp, "busiest_at_least": 3},
            "new_payee": {"points": 0, "cool_off_hours": 24},
            "unusual_hour": {**ramp, "usual_percent": 2, "payments_at_least": 5},
            "amount_outlier": {**ramp, "payments_at_least": 5}, "structuring": {**ramp, "near_percent": 90},
            "dormant": ramp, "outcomes": {"needs_approval": 101, "step_up": 101, "deny": 101},
        }  # fmt: skip
        return str((await self.made("/v1/risk/rules", rules))["version"])

    async def assessed(self) -> str:
        """The event of an agent's payment that was assessed by rules on trial."""
        version = await self.risk_rules()
        await self.made(f"/v1/risk/rules/{version}/shadow", None)
        request = Request("POST", "/v1/transfers", body=self._move("source", "target"))
        answer = await request.send(self.client, bearing(self.tenant.agent))
        assert answer.status_code == 201, answer.text
        return answer.json()["event_id"]

    async def run(self) -> str:
        """The id of a run over an account that the bank knows nothing of."""
        return (await self.made("/v1/reconciliation/runs", self._compared(await self.account())))["id"]

    async def broken(self) -> str:
        """The id of a break: the bank has a line that the ledger has not."""
        bank_account = f"bank-{new_id().hex}"
        columns = {"date": "Day", "amount": "Amount", "direction": "Kind", "reference": "Id"}
        # Of its own: what is posted for one break must not pass for what another lacks.
        number = f"number-{new_id().hex}"
        account = {"number": number, "name": "An account", "currency": self.currency, "floor": "none"}
        await self.made("/v1/accounts", account)
        body = {
            "source": "mybank", "format": "csv", "account": bank_account,
            "content": base64.b64encode(BANK_CSV).decode(),
            "mapping": {"currency": self.currency, "columns": columns, "outgoing": ["D"]},
        }  # fmt: skip
        await self.made("/v1/reconciliation/statements", body)
        compared = self._compared(number) | {"bank_account": bank_account}
        run = await self.made("/v1/reconciliation/runs", compared)
        query = {"run": run["id"]}
        found = await self.client.get("/v1/reconciliation/breaks", params=query, headers=bearing(self.tenant.operator))
        return found.json()["items"][0]["id"]

    def _compared(self, account: str) -> dict[str, Any]:
        return {
            "account": account, "source": "mybank", "bank_account": "nobody", "currency": self.currency,
            "first_day": "2026-03-01", "last_day": "2026-03-31",
        }  # fmt: skip

    async def loan_product(self) -> str:
        """The code of a new product."""
        values = self._lending("")
        names = ("code", "min_amount", "max_amount", "min_installments", "max_installments", "rate_ppm")
        body = {name: values[name] for name in names}
        account = self.tenant.number("main", self.currency)
        return (await self.made("/v1/loan-products", {**body, "account": account, "currency": self.currency}))["code"]

    async def scorecard(self, operation_id: str) -> str:
        """The name of a new version of a scorecard: a draft, or active."""
        values = self._lending("") | self._scorecard("draft_scorecard")
        names = ("name", "version", "under_minor", "least_history_months", "base_points")
        band = {"name": "A", "at_least": values["at_least"], "proposal": "approve"}
        card = {name: values[name] for name in names} | {
            "currency": self.currency, "scale": {"points": 600, "odds": 20, "double": 50}, "ramps": [], "bands": [band],
        }  # fmt: skip
        made = (await self.made("/v1/scorecards", card))["scorecard"]
        if operation_id == "retire_scorecard":
            await self.made(f"/v1/scorecards/{made}/activate", None)
        return made

    async def statement(self, application_id: str) -> None:
        """Hand a bank statement in with an application."""
        line = {"day": "2026-01-02", "change": "5", "balance": "5"}
        body = {"version": 1, "origin": "stated", "lines": [line]}
        await self.made(f"/v1/applications/{application_id}/statements", body)

    async def application(self, until: str | None, operation_id: str = "") -> str:
        """The id of a new application, which the tenant's agent decides; `until` is the last that was done to it."""
        values, product = self._lending(""), await self.loan_product()
        names = ("applicant_name", "email", "amount", "installments", "decider")
        body = {name: values[name] for name in names} | {"product": product, "currency": self.currency}
        made = await self.made("/v1/applications", body)
        if operation_id == "get_application_statement":
            await self.statement(made["id"])
        for version, verb in enumerate(("submit", "decide", "offer"), 1):
            if until is None:
                break
            decision = {"decision": "approved"} if verb == "decide" else {}
            await self.made(f"/v1/applications/{made['id']}/{verb}", {"version": version, **decision})
            until = None if until == verb else until
        return made["id"]

    async def promise(self) -> str:
        """The id of a new promise to pay."""
        values = self._lending("")
        body = {"amount": "5", "due_on": values["due_on"]}
        return (await self.made(f"/v1/loans/{await self.loan('create_promise')}/promises", body))["id"]

    async def loan(self, operation_id: str) -> str:
        """The id of a new loan that stands where the operation can go on: of old, so that something is due."""
        if operation_id == "create_reminder":
            await self.made("/v1/contact-rules", {"start": "00:00", "end": "24:00", "most": 1000, "days": 1})
        if operation_id in ("repay_loan", "return_credit"):
            ours, theirs = (self.tenant.number(name, self.currency) for name in ("main", "side"))
            body = {"source": ours, "target": theirs, "amount": "600", "currency": self.currency}
            await self.made("/v1/transfers", body)
        path = f"/v1/applications/{await self.application('offer')}/accept"
        accepted = await self.made(path, {"version": 4, "terms_hash": await self.terms_hash(path)})
        loan = accepted["loan_id"]
        account = {"account": self.tenant.number("side", self.currency)}
        why = {"reason": "A reason"}
        paid_out = {"disburse": {**account, "on": str(datetime.now(UTC).date() - timedelta(days=90))}}
        # What is done to it has its nights passed.
        come_here = {**paid_out, "pause": why, "resume": why}
        more = {
            "disburse_loan": {},
            "resume_loan": {**paid_out, "pause": why},
            "reverse_repayment": {**paid_out, "repay": {**account, "amount": "5"}},
            "return_credit": {**paid_out, "repay": {**account, "amount": "600"}},
        }
        for verb, body in more.get(operation_id, come_here).items():
            await self.made(f"/v1/loans/{loan}/{verb}", body)
        return loan

    async def case(self) -> str:
        """The id of a new case with a note."""
        body = {"kind": "unclear", "subject_kind": "account", "subject_id": new_id().hex, "note": "A note"}
        return (await self.made("/v1/cases", body))["id"]

    async def job_definition(self) -> str:
        """The name of a new definition."""
        name = f"d{new_id().hex[:20]}"
        steps = [
            {"name": "initiate", "role": "initiate", "stage": "initiated"},
            {"name": "sign_off", "role": "execute", "stage": "signed_off"},
        ]
        return (await self.made("/v1/job-definitions", {"name": name, "steps": steps}))["name"]

    async def job(self) -> str:
        """The id of a new job, which has no price yet."""
        values = self._values("")
        share = {"source": values["source"], "target": values["target"]}
        return (await self.made("/v1/jobs", {"definition": "checkout", "currency": self.currency, "shares": [share]}))[
            "id"
        ]

    async def claimed(self) -> str:
        """The id of a new job whose step the operator has claimed; its token is always the same."""
        job = await self.job()
        assert (await self.made("/v1/jobs/claim", {"job_id": job}))["token"] == _OF_JOBS["token"]
        return job

    async def webhook_endpoint(self) -> str:
        """The id of a new webhook endpoint."""
        return (await self.made("/v1/webhook-endpoints", {"url": f"https://example.com/{new_id().hex}"}))["id"]

    async def webhook_delivery(self) -> str:
        """The id of a new webhook delivery, a test."""
        endpoint = await self.webhook_endpoint()
        return (await self.made(f"/v1/webhook-endpoints/{endpoint}/test", None))["id"]

    async def key(self) -> str:
        """The id of a new agent's new key."""
        return (await self.made("/v1/keys", {"agent": await self.agent()}))["id"]

    async def made(self, path: str, body: Any) -> Any:
        """The answer to a POST by the operator, which succeeds."""
        request = Request("POST", path, body=body)
        answer = await request.send(self.client, bearing(self.tenant.operator))
        assert answer.is_success, answer.text
        return answer.json()
