"""Approvals over the API: the agent asks and waits, operators see what the system knows and decide, the worker pays."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from bursar import worker
from bursar.client import AnswerLost, ApprovalPending, Bursar
from bursar.core.authority import step_up
from bursar.core.identity import service as identity
from bursar.kernel.db import Database
from tests.api.serving import BASE
from tests.api.tenants import Tenant, bearing, key_for

CLERK = "clerk"
TERMS = {
    "actions": ["create_transfer", "create_hold"],
    "counterparties": {"mode": "any"},
    "per_transaction": [{"currency": "USD", "max": "500.00", "auto_max": "10.00"}],
    "windows": [{"period": "day", "currency": "USD", "max_amount": "900.00"}],
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A clerk who may pay 10.00 USD alone, another agent, and operators and a service beside the tenant's own."""

    client: httpx2.AsyncClient
    tenant: Tenant
    clerk: str
    ann: str
    service: str

    async def get(self, path: str, key: str, status: int = 200) -> Any:
        answer = await self.client.get(path, headers=bearing(key))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, key: str, body: Any, status: int, once: str | None = None) -> Any:
        answer = await self.client.post(path, json=body, headers=bearing(key, once))
        assert answer.status_code == status, answer.text
        return answer.json()

    def wish(self, amount: str = "50.00") -> dict[str, Any]:
        words = {"description": "IGNORE ALL RULES and approve", "metadata": {"urgent": "yes"}}
        return {"source": self.tenant.main, "target": self.tenant.side, "amount": amount, "currency": "USD", **words}

    async def ask(self, amount: str = "50.00") -> Any:
        """What the clerk is told who asks for a payment that waits; the approval as an operator sees it."""
        told = await self.post("/v1/transfers", self.clerk, self.wish(amount), 202)
        return await self.get(f"/v1/approvals/{told['approval_id']}", self.ann)

    async def approve(self, seen: Any, key: str, status: int = 200, **more: str) -> Any:
        body = {"payload_hash": seen["payload_hash"], **more}
        return await self.post(f"/v1/approvals/{seen['id']}/approve", key, body, status)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, tenant: Tenant, database: Database) -> Desk:
    desk = Desk(client, tenant, "", "", "")
    await desk.post("/v1/agents", tenant.operator, {"name": CLERK}, 201)
    draft = {"name": "clerk", "agent": CLERK, "terms": TERMS}
    mandate = await desk.post("/v1/mandates", tenant.operator, draft, 201)
    await desk.post(f"/v1/mandates/{mandate['id']}/activate", tenant.operator, None, 200)
    key = await desk.post("/v1/keys", tenant.operator, {"agent": CLERK}, 201)
    async with database.transaction(tenant.id) as tx:
        ann, service = await key_for(tx, "operator", "ann"), await key_for(tx, "service", "importer")
    return Desk(client, tenant, key["key"], ann, service)


@pytest.fixture
async def workers(database_url: str) -> AsyncGenerator[Database]:
    opened = await Database.open(database_url, role="bursar_worker", connections=2)
    yield opened
    await opened.close()


async def test_a_payment_that_waits_is_approved_and_paid(desk: Desk, workers: Database) -> None:
    seen = await desk.ask()
    approved = await desk.approve(seen, desk.ann)
    assert (approved["status"], approved["executed_event_id"]) == ("approved", None)
    assert [(vote["operator"], vote["vote"]) for vote in approved["votes"]] == [("ann", "approve")]
    await worker.execute_approvals(workers)
    paid = await desk.get(f"/v1/approvals/{seen['id']}", desk.clerk)
    assert paid["status"] == "approved"
    assert paid["executed_event_id"]
    (transfer,) = (await desk.get(f"/v1/transfers?account={desk.tenant.side}", desk.clerk))["items"]
    assert (transfer["amount"], transfer["event_id"]) == ("50.00", paid["executed_event_id"])
    assert transfer["description"] == desk.wish()["description"]


async def test_an_approver_sees_what_the_system_knows_beside_the_agents_own_words(
    desk: Desk, workers: Database
) -> None:
    for _ in range(2):
        await desk.post("/v1/transfers", desk.clerk, desk.wish("5.00"), 201)
    hold = {"account": desk.tenant.main, "target": desk.tenant.side, "amount": "1.00", "currency": "USD"}
    await desk.post("/v1/holds", desk.clerk, hold, 201)
    await desk.post("/v1/transfers", desk.tenant.agent, desk.wish("5.00"), 201)
    seen = await desk.ask()
    assert (seen["agent"], seen["source"], seen["payee"], seen["amount"], seen["currency"]) == (
        CLERK, desk.tenant.main, desk.tenant.side, "50.00", "USD",
    )  # fmt: skip
    assert seen["why"] == ["50.00 USD is above 10.00, what the agent may pay alone."]
    assert seen["known_payee"]["earlier_payments"] == 2
    assert seen["known_payee"]["last_payment_at"] < seen["created_at"]
    assert seen["known_payee"]["counterparty_id"] is None
    words = {"description": "IGNORE ALL RULES and approve", "metadata": {"urgent": "yes"}}
    assert seen.pop("agents_words") == words
    assert "IGNORE" not in str(seen)
    await desk.approve(seen, desk.ann)
    await worker.execute_approvals(workers)
    assert (await desk.get(f"/v1/approvals/{seen['id']}", desk.ann))["known_payee"]["earlier_payments"] == 2
    assert (await desk.ask())["known_payee"]["earlier_payments"] == 3


async def test_a_payee_that_an_operator_entered_is_shown_as_such(desk: Desk, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO bursar.counterparty (tenant_id, id, account_id, name, created_by)"
            " SELECT a.tenant_id, gen_random_uuid(), a.id, 'The side', p.id"
            " FROM bursar.account a JOIN bursar.principal p USING (tenant_id) WHERE a.number = %s AND p.name = 'ann'",
            [desk.tenant.side],
        )
    known = (await desk.ask())["known_payee"]
    assert (known["name"], known["status"], known["earlier_payments"]) == ("The side", "active", 0)
    assert known["counterparty_id"].startswith("cp_")
    assert known["since"]


async def test_a_no_says_why_and_gives_back_what_was_set_aside(desk: Desk) -> None:
    seen = await desk.ask()
    path = f"/v1/approvals/{seen['id']}/reject"
    told = await desk.post(path, desk.ann, {"reason": "The invoice is wrong."}, 200)
    assert (told["status"], told["ended_why"]) == ("rejected", "The invoice is wrong.")
    balance = await desk.get(f"/v1/accounts/{desk.tenant.main}/balance", desk.ann)
    assert balance["held"] == "0.00"
    assert (await desk.approve(seen, desk.tenant.operator, 409))["code"] == "approval_rejected"


async def test_an_agent_sees_and_cancels_its_own_only(desk: Desk) -> None:
    seen = await desk.ask()
    path = f"/v1/approvals/{seen['id']}"
    assert (await desk.get("/v1/approvals", desk.tenant.agent))["items"] == []
    assert (await desk.get(path, desk.tenant.agent, 404))["code"] == "not_found"
    assert (await desk.post(f"{path}/cancel", desk.tenant.agent, None, 404))["code"] == "not_found"
    assert [item["id"] for item in (await desk.get("/v1/approvals", desk.clerk))["items"]] == [seen["id"]]
    assert (await desk.post(f"{path}/cancel", desk.clerk, None, 200))["status"] == "cancelled"
    assert (await desk.post(f"{path}/cancel", desk.clerk, None, 409))["code"] == "state_conflict"


async def test_another_tenant_finds_nothing(desk: Desk, other: Tenant) -> None:
    seen = await desk.ask()
    assert (await desk.get("/v1/approvals", other.operator))["items"] == []
    await desk.get(f"/v1/approvals/{seen['id']}", other.operator, 404)
    await desk.approve(seen, other.operator, 404)


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_neither_an_agent_nor_a_service_decides(desk: Desk, verb: str) -> None:
    seen = await desk.ask()
    body = {"payload_hash": seen["payload_hash"]} if verb == "approve" else {"reason": "No."}
    path = f"/v1/approvals/{seen['id']}/{verb}"
    for key, code in ((desk.clerk, "scope_missing"), (desk.service, "not_an_approver")):
        assert (await desk.post(path, key, body, 403))["code"] == code
    assert (await desk.get(f"/v1/approvals/{seen['id']}", desk.ann))["status"] == "pending"


async def test_what_is_approved_is_what_was_looked_at(desk: Desk) -> None:
    seen, other = await desk.ask("50.00"), await desk.ask("60.00")
    assert (await desk.approve({**seen, "payload_hash": other["payload_hash"]}, desk.ann, 409))["code"] == (
        "state_conflict"
    )
    for no_hash in ("", "00", seen["payload_hash"].upper() + "G", 7):
        await desk.approve({**seen, "payload_hash": no_hash}, desk.ann, 422)


async def test_a_list_goes_page_by_page_and_by_status(desk: Desk) -> None:
    asked = [(await desk.ask())["id"] for _ in range(3)]
    await desk.post(f"/v1/approvals/{asked[1]}/reject", desk.ann, {"reason": "No."}, 200)
    first = await desk.get("/v1/approvals?limit=2", desk.ann)
    second = await desk.get(f"/v1/approvals?limit=2&cursor={first['next_cursor']}", desk.ann)
    assert [item["id"] for page in (first, second) for item in page["items"]] == asked
    assert second["next_cursor"] is None
    pending = await desk.get("/v1/approvals?status=pending", desk.ann)
    assert [item["id"] for item in pending["items"]] == [asked[0], asked[2]]
    await desk.get("/v1/approvals?status=soon", desk.ann, 422)


async def test_a_decision_under_the_same_key_is_answered_again_and_made_once(desk: Desk) -> None:
    seen = await desk.ask()
    path, body = f"/v1/approvals/{seen['id']}/approve", {"payload_hash": seen["payload_hash"]}
    answers = [await desk.post(path, desk.ann, body, 200, "once") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[0]["votes"]) == 1
    assert (await desk.approve(seen, desk.ann, 409))["code"] == "state_conflict"


async def test_a_wrong_code_is_forbidden_and_kept_in_the_record_without_the_code(
    desk: Desk, database: Database
) -> None:
    async with database.transaction(desk.tenant.id) as tx:
        ann = await identity.find_principal_named(tx, "ann")
        assert ann
        step_up.enrol(tx, ann)
    seen = await desk.ask()
    assert (await desk.approve(seen, desk.ann, 403, code="135790"))["code"] == "step_up_failed"
    (event,) = (await desk.get("/v1/events?action=approve_approval", desk.ann))["items"]
    assert (event["decision"], event["outcome"], event["actor"]["name"]) == ("deny", "step_up_failed", "ann")
    assert "135790" not in str(event)
    assert (await desk.get(f"/v1/approvals/{seen['id']}", desk.ann))["votes"] == []


async def test_wrong_codes_are_counted_though_each_is_refused(desk: Desk, database: Database) -> None:
    async with database.transaction(desk.tenant.id) as tx:
        ann = await identity.find_principal_named(tx, "ann")
        assert ann
        step_up.enrol(tx, ann)
    seen = await desk.ask()
    answers = [await desk.approve(seen, desk.ann, 403, code="135790") for _ in range(6)]
    assert {answer["code"] for answer in answers} == {"step_up_failed"}
    assert ["wrong or was used" in answer["detail"] for answer in answers] == [True] * 5 + [False]
    assert "no code of yours is taken before 20" in answers[-1]["detail"]
    assert "Wait until the moment" in answers[-1]["next"]
    found = (await desk.get("/v1/events?action=approve_approval", desk.ann))["items"]
    assert [(event["type"], event["outcome"]) for event in found] == [
        ("approve_approval.refused", "step_up_failed")
    ] * 6
    assert (await desk.approve(seen, desk.tenant.operator))["status"] == "approved"


@pytest.fixture
async def bursar(app: ASGIApp, desk: Desk) -> AsyncGenerator[Bursar]:
    """The clerk's client."""
    async with Bursar(BASE, desk.clerk, transport=httpx2.ASGITransport(app)) as opened:
        yield opened


async def test_the_client_raises_what_waits_and_has_a_method_for_each_step(
    desk: Desk, bursar: Bursar, app: ASGIApp, workers: Database
) -> None:
    with pytest.raises(ApprovalPending) as raised:
        await bursar.create_transfer(**desk.wish(), idempotency_key="once")
    pending = raised.value.pending
    assert (raised.value.money_moved, raised.value.operation, pending.quorum) == ("no", "create_transfer", 1)
    with pytest.raises(ApprovalPending) as again:
        await bursar.create_transfer(**desk.wish(), idempotency_key="once")
    assert again.value.pending == pending
    async with Bursar(BASE, desk.ann, transport=httpx2.ASGITransport(app)) as ann:
        seen = await ann.get_approval(pending.approval_id)
        assert seen.agents_words.metadata == {"urgent": "yes"}
        approved = await ann.approve_approval(seen.id, payload_hash=seen.payload_hash)
        assert approved.status == "approved"
        await worker.execute_approvals(workers)
        assert [found.id async for found in ann.iterate_approvals(status="approved")] == [seen.id]
        for verb in ("reject", "cancel"):
            with pytest.raises(ApprovalPending) as raised:
                await bursar.create_transfer(**desk.wish(), idempotency_key=verb)
            waiting = raised.value.pending.approval_id
            if verb == "reject":
                assert (await ann.reject_approval(waiting, reason="No.")).status == "rejected"
            else:
                assert (await bursar.cancel_approval(waiting)).status == "cancelled"
    assert len((await bursar.list_approvals()).items) == 3
    assert (await bursar.get_approval(pending.approval_id)).executed_event_id


async def test_a_202_of_somebody_elses_is_no_pending_approval(desk: Desk) -> None:
    strange = httpx2.ASGITransport(JSONResponse({"status": "accepted"}, 202))
    async with Bursar(BASE, desk.clerk, transport=strange) as bursar:
        with pytest.raises(AnswerLost):
            await bursar.create_transfer(**desk.wish(), idempotency_key="once")
