"""What requests are about, made by the API as a user would."""

import base64
from datetime import UTC, datetime
from typing import Any

import httpx2

from bursar.features.payments.ports import Effect, Report
from bursar.features.payments.providers.sandbox_telling import event_body
from bursar.features.payments.signing import signature_of
from bursar.kernel.ids import new_id
from tests.api.sending import Request
from tests.api.serving import WEBHOOK_SECRET
from tests.api.stock_values import BANK_CSV, OF_JOBS, PURPOSE, Values
from tests.api.tenants import AGENT, Tenant, bearing


class Makers:
    """Makes things of one tenant, in one currency, each for one request alone."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant, currency: str = "USD") -> None:
        self.client = client
        self.tenant = tenant
        self.currency = currency
        self.values = Values(tenant, currency)

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
        values = self.values.of("")
        return {source: values["source"], target: values["target"], "amount": "500", "currency": self.currency}

    async def agent(self) -> str:
        """The name of a new agent."""
        return (await self.made("/v1/agents", {"name": f"agent-{new_id().hex}"}))["name"]

    async def mandate(self) -> str:
        """The id of a new mandate, a draft."""
        return (await self.made("/v1/mandates", {"name": f"mandate-{new_id().hex}", "terms": {"purpose": PURPOSE}}))[
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
        values, ramp = self.values.rules(), {"points": 0, "above": 1, "full_at": 3}
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
        values = self.values.of("")
        share = {"source": values["source"], "target": values["target"]}
        return (await self.made("/v1/jobs", {"definition": "checkout", "currency": self.currency, "shares": [share]}))[
            "id"
        ]

    async def claimed(self) -> str:
        """The id of a new job whose step the operator has claimed; its token is always the same."""
        job = await self.job()
        assert (await self.made("/v1/jobs/claim", {"job_id": job}))["token"] == OF_JOBS["token"]
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
