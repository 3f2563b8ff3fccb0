"""An agent's key with every scope an agent can have approves, raises, allow-lists, unfreezes and resumes nothing.

The operations are read from the running service, so one that comes later is tried from its first day.
"""

from collections.abc import Mapping
from typing import Any

import httpx2
import psycopg
import pytest

from bursar.core.authority.actions import ACTIONS
from bursar.core.identity.model import AGENT_SCOPES, HUMAN_ONLY, SCOPES
from tests.api.books import Books, without_events
from tests.api.operations import Operation, alternatives
from tests.api.tenants import AGENT, Tenant, bearing


def for_humans(operations: list[Operation]) -> list[Operation]:
    """What takes a scope that no agent's key can have."""
    return [o for o in operations if o.id in ACTIONS and ACTIONS[o.id].scope in HUMAN_ONLY]


# A value for each form of text that is described by a pattern alone.
BY_PATTERN = {"^[0-9a-f]{64}$": "0" * 64, "^[0-9]{6}$": "000000"}


def sample(schema: Mapping[str, Any]) -> Any:
    """A value that a schema takes, with the fields it requires."""
    (branch, *_) = alternatives(schema)
    if "properties" in branch:
        return {name: sample(branch["properties"][name]) for name in branch.get("required", [])}
    if branch.get("type") == "array":
        return branch["examples"][0] if "examples" in branch else [sample(branch["items"])]
    if "pattern" in branch and "examples" not in branch:
        return BY_PATTERN[branch["pattern"]]
    choices = branch.get("examples") or branch.get("enum")
    return (
        choices[0] if choices else {"string": "x", "integer": branch.get("minimum", 1), "boolean": True}[branch["type"]]
    )


async def ask(client: httpx2.AsyncClient, operation: Operation, key: str) -> httpx2.Response:
    """Send a request that is good but for who sends it: what its path names is nobody's."""
    path = operation.path
    for name in operation.named("path"):
        path = path.replace(f"{{{name}}}", "nobody")
    required = [p for p in operation.parameters if p["in"] == "query" and p.get("required")]
    query = {p["name"]: sample(p["schema"]) for p in required}
    body = sample(operation.body) if operation.body else None
    return await client.request(operation.method, path, params=query or None, json=body, headers=bearing(key))


async def test_the_service_offers_every_action_and_they_are_all_looked_at(operations: list[Operation]) -> None:
    offered = {operation.id for operation in operations if operation.path.startswith("/v1/")}
    assert offered == ACTIONS.keys()
    tried = {operation.id for operation in for_humans(operations)}
    assert tried == {name for name, action in ACTIONS.items() if action.scope in HUMAN_ONLY}
    assert tried >= {
        "freeze_account", "unfreeze_account", "create_freeze", "resume_freeze", "create_counterparty",
        "unblock_counterparty", "draft_mandate", "change_mandate", "activate_mandate", "create_key",
    }  # fmt: skip


async def test_what_approves_raises_allow_lists_unfreezes_or_resumes_is_for_humans() -> None:
    """By the words of the names, so that no such operation gets a scope that agents can have."""
    words = (
        "freeze",
        "pause",
        "team",
        "approve",
        "activate",
        "change_mandate",
        "draft",
        "counterparty",
        "unblock",
        "resume",
    )
    named = {name for name in ACTIONS if any(word in name for word in words) and not name.startswith(("get_", "list_"))}
    assert named
    assert {name for name in named if ACTIONS[name].scope not in HUMAN_ONLY} == set()


async def test_an_agents_key_with_every_scope_it_can_have_is_refused_by_all_of_them(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation], books: Books
) -> None:
    before = books.of(tenant)
    for operation in for_humans(operations):
        answer = await ask(client, operation, tenant.agent)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), (operation.id, answer.text)
        # Where an agent may do a part, it is not the scope.
        part = ACTIONS[operation.id].for_agents is not None
        assert ("itself" if part else ACTIONS[operation.id].scope) in answer.json()["detail"]
    assert without_events(books.of(tenant)) == without_events(before)


async def test_the_same_requests_are_good_enough_for_an_operator_to_get_further(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    """So it is the scope that the agent's are refused for."""
    for operation in for_humans(operations):
        answer = await ask(client, operation, tenant.operator)
        # What a security key must answer is made by none here.
        further = answer.status_code == 403 and answer.json()["code"] == "step_up_failed"
        # Of what a run may compare no part is required by itself, but one is.
        further = further or (operation.id == "run_reconciliation" and answer.status_code == 422)
        assert further or answer.status_code not in (401, 403, 405, 415, 422, 500), (operation.id, answer.text)


async def test_the_agents_key_has_all_that_an_agents_key_can_have(tenant: Tenant, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            """SELECT unnest(k.scopes) FROM bursar.api_key k JOIN bursar.principal p ON p.id = k.principal_id
               WHERE k.tenant_id = %s AND p.name = %s""",
            [tenant.id, AGENT],
        ).fetchall()
    assert {str(scope) for (scope,) in rows} == set(AGENT_SCOPES)
    assert set(AGENT_SCOPES) | HUMAN_ONLY == set(SCOPES)


@pytest.mark.parametrize("scope", sorted(HUMAN_ONLY))
async def test_no_agents_key_is_made_with_a_scope_for_humans(
    client: httpx2.AsyncClient, tenant: Tenant, scope: str
) -> None:
    answer = await client.post("/v1/keys", json={"agent": AGENT, "scopes": [scope]}, headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")


@pytest.mark.parametrize("scope", ["tenant", "mandate", "account", "agent"])
async def test_an_agent_stops_nobody_else(client: httpx2.AsyncClient, tenant: Tenant, scope: str, books: Books) -> None:
    named = {"tenant": None, "mandate": "mnd_" + "0" * 32, "account": tenant.side, "agent": "somebody"}[scope]
    body = {"scope": scope, "reason": "Because I can."} | ({"object": named} if named else {})
    before = books.of(tenant)
    answer = await client.post("/v1/freezes", json=body, headers=bearing(tenant.agent))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert without_events(books.of(tenant)) == {
        table: row for table, row in without_events(before).items() if table != "answer"
    } | {"answer": books.of(tenant)["answer"]}
