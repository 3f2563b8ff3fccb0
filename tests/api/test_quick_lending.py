"""Lending's quickstart: somebody applies, and an agent or a person decides."""

import asyncio

import httpx2

from bursar.kernel.ids import new_id
from tests.api.tenants import Tenant, bearing

WISH = {"applicant_name": "Avery Adams", "email": "avery@example.com", "amount_requested": 2500}


async def test_an_application_is_taken_in_and_decided(sandboxed: httpx2.AsyncClient) -> None:
    made = await sandboxed.post("/loans/apply", json=WISH)
    assert made.status_code == 200
    assert made.json() == {
        "application_id": made.json()["application_id"], "status": "pending", "email": "avery@example.com",
    }  # fmt: skip
    path = f"/loans/{made.json()['application_id']}/decision"
    decided = await sandboxed.post(path, params={"decision": "approved", "reason": "Good."})
    assert (decided.status_code, decided.json()) == (
        200, {"application_id": made.json()["application_id"], "decision": "approved"},
    )  # fmt: skip
    again = await sandboxed.post(path, params={"decision": "rejected", "reason": "Not so good."})
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")


async def test_an_email_applies_once_whatever_its_case_and_however_many_come_at_once(
    sandboxed: httpx2.AsyncClient,
) -> None:
    emails = ["Bob@Example.com", "bob@example.com", "BOB@EXAMPLE.COM", "bob@example.com"]
    answers = await asyncio.gather(*(sandboxed.post("/loans/apply", json={**WISH, "email": email}) for email in emails))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (first,) = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "possible_duplicate"
            assert first.json()["application_id"] in answer.json()["detail"]


async def test_a_retry_with_its_key_is_the_same_application(sandboxed: httpx2.AsyncClient) -> None:
    once = {"Idempotency-Key": new_id().hex}
    first = await sandboxed.post("/loans/apply", json=WISH, headers=once)
    again = await sandboxed.post("/loans/apply", json=WISH, headers=once)
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    path = f"/loans/{first.json()['application_id']}/decision"
    key = {"Idempotency-Key": new_id().hex}
    decided = await sandboxed.post(path, params={"decision": "approved"}, headers=key)
    replayed = await sandboxed.post(path, params={"decision": "approved"}, headers=key)
    assert (decided.status_code, decided.content) == (200, replayed.content)
    other = await sandboxed.post(path, params={"decision": "review"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")


async def test_what_makes_no_sense_is_refused(sandboxed: httpx2.AsyncClient) -> None:
    for field, value in (
        ("email", "no-email"), ("email", "a@b"), ("email", "a b@example.com"), ("amount_requested", 0),
        ("amount_requested", "-5"), ("amount_requested", "1.005"), ("applicant_name", ""),
    ):  # fmt: skip
        answer = await sandboxed.post("/loans/apply", json={**WISH, field: value})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), (field, value, answer.text)
    for nobody in ("nobody", f"app_{new_id().hex}"):
        unknown = await sandboxed.post(f"/loans/{nobody}/decision", params={"decision": "approved"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    made = (await sandboxed.post("/loans/apply", json=WISH)).json()["application_id"]
    for asked in ({"decision": "perhaps"}, {}, {"decision": "rejected"}):
        answer = await sandboxed.post(f"/loans/{made}/decision", params=asked)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), answer.text


async def test_a_review_is_left_to_a_person(sandboxed: httpx2.AsyncClient) -> None:
    made = (await sandboxed.post("/loans/apply", json=WISH)).json()["application_id"]
    path = f"/loans/{made}/decision"
    sent = await sandboxed.post(path, params={"decision": "review", "reason": "Two incomes."})
    assert (sent.status_code, sent.json()["decision"]) == (200, "review")
    answer = await sandboxed.post(path, params={"decision": "approved"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_an_approver")


async def test_elsewhere_it_takes_a_key(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    assert (await client.post("/loans/apply", json=WISH)).status_code == 401
    made = await client.post("/loans/apply", json=WISH, headers=bearing(tenant.agent))
    path = f"/loans/{made.json()['application_id']}/decision"
    assert (await client.post(path, params={"decision": "approved"})).status_code == 401
    decided = await client.post(path, params={"decision": "approved"}, headers=bearing(tenant.operator))
    assert decided.json()["decision"] == "approved"
