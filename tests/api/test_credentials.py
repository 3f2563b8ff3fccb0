"""Security keys over the API: an operator enrols one by a one-time code, and approves by what it signs."""

from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pyotp.totp import TOTP
from starlette.types import ASGIApp

from bursar.client import Bursar, BursarProblem
from bursar.core.authority import step_up
from bursar.core.authority.security_keys import NEAREST, Assertion
from bursar.core.identity import service as identity
from bursar.kernel.db import Database
from bursar.wire.credentials import KeyAssertion
from tests.api.serving import BASE
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing, key_for
from tests.authenticators import Authenticator, base64url


@pytest.fixture
async def ann(app: ASGIApp, tenant: Tenant, database: Database) -> AsyncGenerator[Bursar]:
    """An operator's client."""
    async with database.transaction(tenant.id) as tx:
        key = await key_for(tx, "operator", "ann")
    async with Bursar(BASE, key, transport=httpx2.ASGITransport(app)) as opened:
        yield opened


@pytest.fixture
async def totp(ann: Bursar, tenant: Tenant, database: Database) -> TOTP:
    """Her one-time codes."""
    assert ann
    async with database.transaction(tenant.id) as tx:
        found = await identity.find_principal_named(tx, "ann")
        assert found
        uri = step_up.enrol(tx, found)
    return TOTP(parse_qs(urlsplit(uri).query)["secret"][0])


def read(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def shown(assertion: Assertion) -> KeyAssertion:
    """As a page sends what its browser says."""
    credential_id, client_data, authenticator_data, signature = map(base64url, assertion)
    return KeyAssertion(
        credential_id=credential_id, client_data=client_data, authenticator_data=authenticator_data,
        signature=signature,
    )  # fmt: skip


async def enrol(ann: Bursar, totp: TOTP) -> Authenticator:
    authenticator = Authenticator(NEAREST)
    options = await ann.start_credential()
    assert (options.rp_id, options.user_name, options.user_verification) == ("localhost", "ann", "required")
    assert options.exclude_credential_ids == []
    made = authenticator.attest(read(options.challenge))
    kept = await ann.create_credential(
        client_data=base64url(made.client_data),
        attestation_object=base64url(made.attestation_object),
        code=totp.now(),
        idempotency_key="enrol",
    )
    assert read(kept.id) == authenticator.id
    return authenticator


async def test_a_security_key_is_enrolled_and_approves(
    ann: Bursar, totp: TOTP, client: httpx2.AsyncClient, tenant: Tenant
) -> None:
    authenticator = await enrol(ann, totp)
    assert (await ann.start_credential()).exclude_credential_ids == [base64url(authenticator.id)]
    approval = await Stock(client, tenant).approval()
    seen = await ann.get_approval(approval)
    offered = await ann.create_challenge(approval)
    assert (offered.approval_id, offered.payload_hash) == (approval, seen.payload_hash)
    assert offered.credential_ids == [base64url(authenticator.id)]
    assert read(offered.challenge).endswith(bytes.fromhex(seen.payload_hash))
    assertion = shown(authenticator.sign(read(offered.challenge)))
    forged = assertion.model_copy(update={"signature": base64url(b"0" * 70)})
    with pytest.raises(BursarProblem) as refused:
        await ann.approve_approval(approval, payload_hash=seen.payload_hash, assertion=forged)
    assert refused.value.problem.code == "step_up_failed"
    approved = await ann.approve_approval(approval, payload_hash=seen.payload_hash, assertion=assertion)
    assert [(vote.operator, vote.stepped_up) for vote in approved.votes] == [("ann", True)]
    (event,) = (await ann.list_events(action="create_credential")).items
    assert (event.type, event.actor.name) == ("credential.enrolled", "ann")


async def test_a_replay_enrols_nothing_again(ann: Bursar, totp: TOTP, tenant: Tenant, database: Database) -> None:
    authenticator = Authenticator(NEAREST)
    made = authenticator.attest(read((await ann.start_credential()).challenge))
    parts = {"client_data": base64url(made.client_data), "attestation_object": base64url(made.attestation_object)}
    code = totp.now()
    answers = [await ann.create_credential(**parts, code=code, idempotency_key="once") for _ in range(2)]
    assert answers[0] == answers[1]
    async with database.transaction(tenant.id, read_only=True) as tx:
        assert await tx.value(int, "SELECT count(*) FROM operator_credential") == 1


async def test_a_code_and_an_assertion_are_one_too_many(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    approval = await Stock(client, tenant).approval()
    assertion = dict.fromkeys(("credential_id", "client_data", "authenticator_data", "signature"), "AAEC")
    body = {"payload_hash": "0" * 64, "code": "123456", "assertion": assertion}
    path = f"/v1/approvals/{approval}/approve"
    answer = await client.post(path, json=body, headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    assert "not both" in answer.json()["detail"]
    # Five characters are no bytes.
    for wrong in ("AAECA", "AA+C", "AAEC=", ""):
        body = {"payload_hash": "0" * 64, "assertion": assertion | {"signature": wrong}}
        answer = await client.post(path, json=body, headers=bearing(tenant.operator))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument"), wrong


async def test_without_a_challenge_or_a_key_it_is_said_what_to_do(client: httpx2.AsyncClient, tenant: Tenant) -> None:
    approval = await Stock(client, tenant).approval()
    answer = await client.post(f"/v1/approvals/{approval}/challenge", headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")
    assert "no security key enrolled" in answer.json()["detail"]
    body = {"client_data": "AAEC", "attestation_object": "AAEC", "code": "123456"}
    answer = await client.post("/v1/credentials", json=body, headers=bearing(tenant.operator))
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")
    assert "new challenge" in answer.json()["next"]
