"""A value for every field that an operation has, so that the request would succeed."""

import base64
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from bursar.kernel.ids import new_id
from tests.api.tenants import AGENT, Tenant

RECONCILING = (
    "import_bank_statement", "list_bank_statements", "import_provider_transactions", "run_reconciliation",
    "list_reconciliation_breaks", "accept_reconciliation_break", "post_reconciliation_break",
    "fetch_provider_transactions",
)  # fmt: skip
BANK_CSV = b"Day,Kind,Amount,Id,Payee,Text,Account\n2026-03-02,D,12,1,Baker,Bread,mine\n"
PROVIDER_CSV = b"id,kind,day,currency,amount,fee,reference\ntxn_1,charge,2026-03-02,USD,12,1,pay_1\n"
_WITH_TERMS = ("draft_mandate", "change_mandate", "request_mandate_change")
# Of a mandate and of what is asked of it: who asks must leave the mandate's as it is.
PURPOSE = "Suppliers"
# What is asked by whoever holds a step, and all that is asked of jobs.
OF_A_HOLDER = ("renew_step", "complete_step", "fail_step", "hand_over_step")
_JOBS = (
    *OF_A_HOLDER, "claim_step", "create_job", "list_jobs", "get_job", "list_job_events", "cancel_job",
    "create_job_definition", "get_job_definition",
)  # fmt: skip
OF_JOBS: dict[str, Any] = {
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
COME_TO = {
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
LEFT_OUT = ("cursor", "object", "payment", "run", "loan")
PAST, FUTURE = "2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"


class Values:
    """What the fields of one tenant's requests hold, in one currency."""

    def __init__(self, tenant: Tenant, currency: str) -> None:
        self.tenant = tenant
        self.currency = currency

    def of(self, operation_id: str) -> dict[str, Any]:
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
        values |= OF_JOBS | {"status": "active"} if operation_id in _JOBS else {}
        values |= {"url": f"https://example.com/{new_id().hex}", "events": "transfer.posted", "overlap_seconds": 60}
        values |= self._reconciliation(operation_id) if operation_id in RECONCILING else {}
        values |= self.lending(operation_id) if operation_id in _OF_LENDING else {}
        values |= self.rules() if operation_id == "draft_risk_rules" else {}
        return values | (self._terms() if operation_id in _WITH_TERMS else {})

    def _case(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of a case, about something that has none yet; lists are of all states."""
        state = "open" if operation_id == "list_cases" else "in_progress"
        return {
            "kind": "unclear", "note": "A note", "owner": "operator", "state": state, "subject_id": new_id().hex,
            "subject_kind": "account", "text": "A note",
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

    def lending(self, operation_id: str) -> dict[str, Any]:
        """A value for every field of a product and of an application to it."""
        version = 2 + ("submit", "decide", "offer").index(COME_TO[operation_id]) if operation_id in COME_TO else 1
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
        } | loans | self.scorecard(operation_id)  # fmt: skip

    def scorecard(self, operation_id: str) -> dict[str, Any]:
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

    def rules(self) -> dict[str, Any]:
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
            "period": "day", "purpose": PURPOSE, "quorum": 1, "rails": "book", "risk_at_least": 50,
            "role": "treasurer", "seconds": 60, "start": "08:00", "step_up": False, "team": None, "time_zone": "UTC",
            "ttl_seconds": 3600,
        }  # fmt: skip
