"""Operators with security keys: how one is enrolled, and approves."""

from uuid import UUID

from bursar.core.authority import approvals, security_keys
from bursar.core.authority.security_keys import (
    Assertion,
    Attestation,
    Offer,
    RelyingParty,
    Signed,
)
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events.model import Happening
from tests.authenticators import Authenticator
from tests.core.authority.offices import Office
from tests.core.authority.test_step_up import code_of, enrol

PARTY = RelyingParty("bank.example", "https://console.bank.example")


async def start(office: Office, name: str = "ann") -> bytes:
    """What a new security key is to sign."""
    async with office.database.transaction(office.story.tenant_id) as tx:
        return (await security_keys.start_enrolment(tx, await approvals.acting(tx, name))).challenge


async def keep(office: Office, attestation: Attestation, code: str, name: str = "ann") -> bytes | StepUpFailed:
    """Enrol what a security key says; its id, or a failure that was kept."""
    async with office.database.transaction(office.story.tenant_id) as tx:
        made = await security_keys.enrol(tx, await approvals.acting(tx, name), PARTY, attestation, code)
    return made if isinstance(made, StepUpFailed) else made[0]


async def with_key(office: Office, name: str = "ann", count: int | None = 0) -> Authenticator:
    """A security key that an operator has enrolled."""
    totp, authenticator = await enrol(office, name), Authenticator(PARTY, count)
    made = await keep(office, authenticator.attest(await start(office, name)), await code_of(office, totp), name)
    assert made == authenticator.id
    return authenticator


async def challenge(office: Office, approval: UUID, name: str = "ann") -> Offer:
    async with office.database.transaction(office.story.tenant_id) as tx:
        return (await approvals.challenge(tx, await approvals.acting(tx, name), approval))[1]


async def approve(office: Office, approval: UUID, assertion: Assertion, name: str = "ann") -> Happening:
    async with office.database.transaction(office.story.tenant_id) as tx:
        bound = (await office.approval(approval)).payload_hash
        ann = await approvals.acting(tx, name)
        told = await approvals.approve(tx, ann, approval, bound, None, Signed(assertion, PARTY))
    assert isinstance(told, Happening)
    return told
