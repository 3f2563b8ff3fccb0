"""One name for one thing: what the API offers, what authority knows, what the client can do, and what it takes."""

import inspect
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel

from bursar.api.app import create_api
from bursar.api.door import Door
from bursar.api.telemetry import Telemetry
from bursar.client import Bursar
from bursar.core.authority.actions import ACTIONS

# Nothing of these moves money, so a repetition does no harm that the state does not show.
MOVES_NO_MONEY = {
    "open_account", "freeze_account", "unfreeze_account", "close_account", "mark_account_upstream", "create_agent",
    "change_team", "create_key", "revoke_key",
    "draft_mandate", "change_mandate", "activate_mandate", "pause_mandate", "resume_mandate", "revoke_mandate",
    "request_mandate_change",
    "approve_approval", "reject_approval", "cancel_approval", "create_counterparty", "block_counterparty",
    "unblock_counterparty", "create_freeze", "resume_freeze",
    "draft_risk_rules", "shadow_risk_rules", "activate_risk_rules", "retire_risk_rules",
    "create_customer", "create_payment_method",
    "start_credential", "create_credential", "create_challenge",
    "open_case", "add_case_note", "assign_case", "change_case_state",
    "create_job_definition", "create_job", "cancel_job", "claim_step", "renew_step", "fail_step", "hand_over_step",
    "create_webhook_endpoint", "change_webhook_endpoint", "disable_webhook_endpoint", "enable_webhook_endpoint",
    "retire_webhook_endpoint", "rotate_webhook_secret", "test_webhook_endpoint", "replay_webhook_delivery",
    "import_bank_statement", "import_provider_transactions", "run_reconciliation", "accept_reconciliation_break",
    "fetch_provider_transactions",
    "create_loan_product", "create_application", "change_application", "submit_application", "withdraw_application",
    "make_offer", "draft_scorecard", "activate_scorecard", "retire_scorecard", "add_application_statement",
    "create_promise", "cancel_promise", "create_contact_rules", "create_reminder_template",
}  # fmt: skip
# A check writes nothing, so there is nothing to repeat.
TAKES_NO_KEY = {"create_key", "revoke_key", "check_transfer", "create_webhook_endpoint", "rotate_webhook_secret"}


def _closed() -> AbstractAsyncContextManager[Door]:
    raise AssertionError("Nobody opens the door to read what is written on it.")


DOCUMENT: Mapping[str, Any] = create_api(_closed, Telemetry()).openapi()
OPERATIONS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
METHODS = {
    name: method
    for name, method in inspect.getmembers(Bursar, inspect.isfunction)
    if not name.startswith(("_", "iterate_", "stream_"))
}
CHANGING = sorted(name for name, (method, _, _) in OPERATIONS.items() if method == "post")
IN_V1 = sorted(name for name, (_, path, _) in OPERATIONS.items() if path.startswith("/v1/"))


def parameters_of(name: str) -> Mapping[str, Mapping[str, Any]]:
    return {p["name"]: p for p in OPERATIONS[name][2].get("parameters", [])}


def body_of(name: str) -> Mapping[str, Any] | None:
    """The schema of the body that an operation takes, without references."""
    if "requestBody" not in OPERATIONS[name][2]:
        return None
    schema = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"]
    (*_, reference) = [s["$ref"] for s in schema.get("anyOf", [schema]) if "$ref" in s]
    return DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]


def test_every_operation_is_a_method_of_the_client_and_no_method_is_none() -> None:
    assert sorted(METHODS) == sorted(OPERATIONS)


def test_every_operation_of_v1_is_an_action_that_authority_knows() -> None:
    assert sorted(ACTIONS) == IN_V1


@pytest.mark.parametrize("name", CHANGING)
def test_what_moves_money_requires_a_key_and_everything_else_may_have_one(name: str) -> None:
    header = parameters_of(name).get("Idempotency-Key")
    assert (header is None) == (name in TAKES_NO_KEY)
    if header:
        required = name in IN_V1 and name not in MOVES_NO_MONEY
        assert header["required"] == required
        argument = inspect.signature(METHODS[name]).parameters["idempotency_key"]
        assert argument.kind is inspect.Parameter.KEYWORD_ONLY
        assert (argument.default is inspect.Parameter.empty) == required


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_described_and_documents_its_problems(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    assert operation["description"].endswith(".")
    problems = {
        int(status): answer["content"]["application/problem+json"]["schema"]["$ref"]
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    }
    assert set(problems.values()) <= {"#/components/schemas/Problem"}
    if operation.get("security"):
        assert problems.keys() >= {401, 403, 422, 503}
        assert "{" not in path or 404 in problems
        assert method == "get" or 409 in problems


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_method_takes_what_the_request_takes(name: str) -> None:
    arguments = inspect.signature(METHODS[name]).parameters.keys() - {"self", "idempotency_key"}
    asked = parameters_of(name).keys() - {"Idempotency-Key"}
    body = body_of(name)
    assert arguments == asked | (body["properties"].keys() if body else set())


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_method_requires_what_the_request_requires(name: str) -> None:
    given = inspect.signature(METHODS[name]).parameters
    required = {n for n, p in given.items() if p.default is inspect.Parameter.empty} - {"self", "idempotency_key"}
    asked = {n for n, p in parameters_of(name).items() if p["required"] and n != "Idempotency-Key"}
    body = body_of(name)
    assert required == asked | set((body or {}).get("required", []))


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - {"healthz", "readyz", "metrics"}))
def test_a_method_returns_what_the_answer_holds(name: str) -> None:
    returns = get_type_hints(METHODS[name])["return"]
    assert issubclass(returns, BaseModel)
    answers = OPERATIONS[name][2]["responses"]
    # 202: a person must approve first; the client raises ApprovalPending.
    own = [answer for status, answer in answers.items() if status < "3" and status != "202"]
    (shown,) = [answer["content"]["application/json"]["schema"]["$ref"] for answer in own]
    fields = {f.alias or n for n, f in returns.model_fields.items()}
    assert fields == DOCUMENT["components"]["schemas"][shown.rpartition("/")[2]]["properties"].keys()
