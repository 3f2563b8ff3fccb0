"""Applications and loans, made by the API as a user would."""

from datetime import UTC, datetime, timedelta

from tests.api.stock_makers import Makers
from tests.api.tenants import bearing


class LoanMakers(Makers):
    """Makes what lending is about."""

    async def loan_product(self) -> str:
        """The code of a new product."""
        values = self.values.lending("")
        names = ("code", "min_amount", "max_amount", "min_installments", "max_installments", "rate_ppm")
        body = {name: values[name] for name in names}
        account = self.tenant.number("main", self.currency)
        return (await self.made("/v1/loan-products", {**body, "account": account, "currency": self.currency}))["code"]

    async def scorecard(self, operation_id: str) -> str:
        """The name of a new version of a scorecard: a draft, or active."""
        values = self.values.lending("") | self.values.scorecard("draft_scorecard")
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
        values, product = self.values.lending(""), await self.loan_product()
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
        values = self.values.lending("")
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

    async def terms_hash(self, path: str) -> str:
        """What whoever accepts there must have seen; of what has no offer, anything."""
        found = await self.client.get(path.removesuffix("/accept"), headers=bearing(self.tenant.operator))
        offer = found.json()["offer"] if found.is_success else None
        return offer["terms_hash"] if offer else "0" * 64
