"""The table of actions, and an instruction as the door hands it in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias
from uuid import UUID

from bursar.core.events.model import Happening
from bursar.core.idempotency.model import Answer, Claim, lock_of
from bursar.core.identity.model import Actor, Credential, PrincipalKind, Scope, ScopeMissing
from bursar.core.ledger.orders import Order
from bursar.core.ledger.outcomes import AllDone, Done, Refused
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Action:
    """Something a caller can ask for; `name` is the operation id of the API.

    `for_agents` is what an agent's key needs in place of `scope`, where an agent may do a part of it.
    """

    name: str
    scope: Scope
    for_agents: Scope | None = None

    def scope_of(self, kind: PrincipalKind) -> Scope:
        """The scope that a key of this kind of principal needs."""
        return self.for_agents if kind == "agent" and self.for_agents else self.scope


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("open_account", "accounts:write"),
        Action("get_account", "accounts:read"),
        Action("list_accounts", "accounts:read"),
        Action("get_balance", "accounts:read"),
        Action("get_statement", "accounts:read"),
        Action("freeze_account", "accounts:freeze"),
        Action("unfreeze_account", "accounts:unfreeze"),
        Action("close_account", "accounts:close"),
        Action("mark_account_upstream", "accounts:upstream"),
        Action("create_transfer", "transfers:create"),
        Action("create_transfers", "transfers:create"),
        Action("get_transfer", "transfers:read"),
        Action("list_transfers", "transfers:read"),
        Action("reverse_transfer", "transfers:reverse"),
        Action("create_hold", "holds:create"),
        Action("get_hold", "holds:read"),
        Action("capture_hold", "holds:capture"),
        Action("release_hold", "holds:release"),
        Action("list_events", "events:read"),
        Action("create_agent", "agents:write"),
        Action("get_agent", "agents:read"),
        Action("list_agents", "agents:read"),
        Action("change_team", "agents:write"),
        Action("create_key", "keys:write"),
        Action("draft_mandate", "mandates:write"),
        Action("change_mandate", "mandates:write"),
        Action("activate_mandate", "mandates:write"),
        Action("revoke_mandate", "mandates:write"),
        Action("pause_mandate", "freezes:write"),
        Action("resume_mandate", "freezes:resume"),
        Action("request_mandate_change", "mandates:request"),
        Action("get_mandate", "mandates:read"),
        Action("list_mandates", "mandates:read"),
        Action("list_mandate_versions", "mandates:read"),
        Action("get_authority", "mandates:read"),
        Action("list_approvals", "approvals:read"),
        Action("get_approval", "approvals:read"),
        Action("approve_approval", "approvals:decide"),
        Action("reject_approval", "approvals:decide"),
        Action("cancel_approval", "approvals:cancel"),
        Action("create_challenge", "approvals:decide"),
        Action("start_credential", "approvals:decide"),
        Action("create_credential", "approvals:decide"),
        Action("check_transfer", "transfers:create"),
        Action("create_counterparty", "counterparties:write"),
        Action("get_counterparty", "counterparties:read"),
        Action("list_counterparties", "counterparties:read"),
        Action("block_counterparty", "counterparties:write"),
        Action("unblock_counterparty", "counterparties:write"),
        Action("create_freeze", "freezes:write", for_agents="freezes:self"),
        Action("list_freezes", "freezes:read"),
        Action("resume_freeze", "freezes:resume"),
        Action("list_keys", "keys:read"),
        Action("revoke_key", "keys:write"),
        Action("draft_risk_rules", "risk:write"),
        Action("shadow_risk_rules", "risk:write"),
        Action("activate_risk_rules", "risk:write"),
        Action("retire_risk_rules", "risk:write"),
        Action("list_risk_rules", "risk:read"),
        Action("compare_risk_rules", "risk:read"),
        Action("get_risk_assessment", "risk:read"),
        Action("create_payment", "payments:create"),
        Action("get_payment", "payments:read"),
        Action("list_payments", "payments:read"),
        Action("confirm_payment", "payments:create"),
        Action("capture_payment", "payments:capture"),
        Action("cancel_payment", "payments:cancel"),
        Action("refund_payment", "payments:refund"),
        Action("list_refunds", "payments:read"),
        Action("lift_quarantine", "payments:settle"),
        Action("create_payout", "payouts:create"),
        Action("settle_transfer", "payments:settle"),
        Action("lift_payout_quarantine", "payments:settle"),
        Action("get_payout", "payments:read"),
        Action("list_payouts", "payments:read"),
        Action("list_disputes", "payments:read"),
        Action("get_dispute", "payments:read"),
        Action("create_customer", "customers:write"),
        Action("get_customer", "customers:read"),
        Action("list_customers", "customers:read"),
        Action("create_payment_method", "customers:write"),
        Action("get_payment_method", "customers:read"),
        Action("list_payment_methods", "customers:read"),
        Action("open_case", "cases:write"),
        Action("list_cases", "cases:read"),
        Action("get_case", "cases:read"),
        Action("list_case_notes", "cases:read"),
        Action("add_case_note", "cases:note"),
        Action("assign_case", "cases:write"),
        Action("change_case_state", "cases:write"),
        Action("create_job_definition", "jobs:define"),
        Action("list_job_definitions", "jobs:read"),
        Action("get_job_definition", "jobs:read"),
        Action("create_job", "jobs:create"),
        Action("get_job", "jobs:read"),
        Action("list_jobs", "jobs:read"),
        Action("list_job_events", "jobs:read"),
        Action("get_job_report", "jobs:read"),
        Action("cancel_job", "jobs:create"),
        Action("claim_step", "jobs:work"),
        Action("renew_step", "jobs:work"),
        Action("complete_step", "jobs:work"),
        Action("fail_step", "jobs:work"),
        Action("hand_over_step", "jobs:work"),
        Action("create_webhook_endpoint", "webhooks:write"),
        Action("get_webhook_endpoint", "webhooks:read"),
        Action("list_webhook_endpoints", "webhooks:read"),
        Action("change_webhook_endpoint", "webhooks:write"),
        Action("disable_webhook_endpoint", "webhooks:write"),
        Action("enable_webhook_endpoint", "webhooks:write"),
        Action("retire_webhook_endpoint", "webhooks:write"),
        Action("rotate_webhook_secret", "webhooks:write"),
        Action("test_webhook_endpoint", "webhooks:write"),
        Action("list_webhook_deliveries", "webhooks:read"),
        Action("get_webhook_delivery", "webhooks:read"),
        Action("replay_webhook_delivery", "webhooks:write"),
        Action("import_bank_statement", "reconciliation:write"),
        Action("list_bank_statements", "reconciliation:read"),
        Action("import_provider_transactions", "reconciliation:write"),
        Action("fetch_provider_transactions", "reconciliation:write"),
        Action("run_reconciliation", "reconciliation:write"),
        Action("list_reconciliation_runs", "reconciliation:read"),
        Action("get_reconciliation_run", "reconciliation:read"),
        Action("list_reconciliation_matches", "reconciliation:read"),
        Action("list_reconciliation_breaks", "reconciliation:read"),
        Action("get_reconciliation_break", "reconciliation:read"),
        Action("accept_reconciliation_break", "reconciliation:write"),
        Action("post_reconciliation_break", "reconciliation:write"),
        Action("create_loan_product", "lending:write"),
        Action("list_loan_products", "lending:read"),
        Action("draft_scorecard", "lending:write"),
        Action("activate_scorecard", "lending:write"),
        Action("retire_scorecard", "lending:write"),
        Action("list_scorecards", "lending:read"),
        Action("create_application", "applications:write"),
        Action("add_application_statement", "applications:write"),
        Action("get_application_statement", "applications:read"),
        Action("list_applications", "applications:read"),
        Action("get_application", "applications:read"),
        Action("list_application_events", "applications:read"),
        Action("change_application", "applications:write"),
        Action("submit_application", "applications:write"),
        Action("withdraw_application", "applications:write"),
        Action("decide_application", "applications:decide"),
        Action("make_offer", "applications:decide"),
        Action("accept_offer", "applications:write"),
        Action("list_loans", "loans:read"),
        Action("get_loan", "loans:read"),
        Action("get_loan_schedule", "loans:read"),
        Action("list_loan_facts", "loans:read"),
        Action("list_loan_repayments", "loans:read"),
        Action("get_loan_statement", "loans:read"),
        Action("get_loan_outstanding", "portfolio:read"),
        Action("get_loan_vintages", "portfolio:read"),
        Action("get_loan_cash_flows", "portfolio:read"),
        Action("disburse_loan", "loans:disburse"),
        Action("repay_loan", "loans:repay"),
        Action("reverse_repayment", "loans:adjust"),
        Action("return_credit", "loans:adjust"),
        Action("waive_loan", "loans:adjust"),
        Action("reschedule_loan", "loans:adjust"),
        Action("charge_off_loan", "loans:adjust"),
        Action("write_off_loan", "loans:adjust"),
        Action("pause_loan", "loans:adjust"),
        Action("resume_loan", "loans:adjust"),
        Action("list_collections", "collections:read"),
        Action("create_reminder", "collections:work"),
        Action("list_reminders", "collections:read"),
        Action("create_promise", "collections:work"),
        Action("list_promises", "collections:read"),
        Action("cancel_promise", "collections:rule"),
        Action("create_contact_rules", "collections:rule"),
        Action("list_contact_rules", "collections:read"),
        Action("create_reminder_template", "collections:rule"),
        Action("list_reminder_templates", "collections:read"),
    )
}


class Ask(NamedTuple):
    """Who asks for which action, under which key, in which request."""

    credential: Credential
    action: Action
    request_id: str
    claim: Claim | None = None

    @property
    def lock(self) -> int | None:
        """The advisory lock of its key, if it has one."""
        return lock_of(self.credential.tenant_id, self.action.name, self.claim.key) if self.claim else None


class PendingApproval(NamedTuple):
    """An order that waits for a person: nothing has moved, its funds and limits are set aside."""

    approval_id: UUID
    expires_at: datetime
    quorum: int
    step_up: bool
    why: tuple[str, ...]


# What the caller of an instruction is told of each order.
Told: TypeAlias = Done | AllDone | PendingApproval | Refused


class Begun(NamedTuple):
    """What was begun under this key before: how that is answered now, and the event that began it."""

    answer: Answer
    event_id: UUID


class Aside(Protocol):
    """What a room does beside the orders of an instruction, in the same transaction; one instruction has it alone."""

    async def before(self, tx: Tx, actor: Actor) -> Begun | None:
        """Lock and look at the room's own rows before any account is locked; a refusal is the answer.

        What it returns is the answer too, and nothing is ordered: the key has begun something before.
        """
        ...

    async def after(self, tx: Tx, actor: Actor, outcomes: "Sequence[Told]", event_id: UUID) -> None:
        """Write the room's own rows; `event_id` is the event of the first order."""
        ...


class With(NamedTuple):
    """What is done in the transaction of the orders, once it is known what they came to.

    It may answer in the instruction's place, and says what else happened if anything did, as the event of `event_id`
    where it must know that beforehand. A refusal that it raises
    undoes the orders, too. It locks nothing but the object of this id; a batch does its instructions' in the order of
    these.
    """

    object_id: UUID
    work: Callable[[Tx, Actor, Sequence[Told]], Awaitable[tuple[Answer | None, Happening | None]]]
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Instruction:
    """A request to move money: its orders, made for whoever the transaction finds it to be, and how to answer.

    With an `aside` it has a transaction of its own (`Desk.alone`).
    There may be no orders where something is done with them. `judged_as` is the action that mandates and risk rules
    judge the orders by, where the one asked for is another.
    """

    ask: Ask
    orders: Callable[[Actor], Sequence[Order]]
    answer: Callable[[Sequence[Told]], Answer]
    size: int = 1
    aside: Aside | None = None
    with_it: With | None = None
    judged_as: str | None = None


def refusal_of(actor: Actor, action: Action) -> ScopeMissing | None:
    """Why this actor may not do this at all; None when they may."""
    needed = action.scope_of(actor.kind)
    return None if needed in actor.scopes else ScopeMissing(needed)


def refused(action: str, refusal: Refusal) -> Happening:
    """What the record says of an action that was allowed to be asked for and then refused."""
    return Happening(f"{action}.refused", refusal.code, {"detail": refusal.detail}, decision="deny")


def denied(action: Action, refusal: Refusal) -> Happening:
    """What the record says of an action that was not allowed."""
    return Happening(f"{action.name}.denied", refusal.code, {"detail": refusal.detail}, decision="deny")
