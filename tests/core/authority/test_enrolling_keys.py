"""A security key is enrolled by an operator with a one-time code, once, and belongs to that operator alone."""

import os

import pytest

from bursar.core.authority.security_keys import (
    Attestation,
    ChallengeOver,
    RelyingParty,
    SecurityKeyRefused,
    SecurityKeysUnavailable,
)
from bursar.core.authority.step_up import StepUpFailed
from tests.authenticators import PRESENT, Authenticator
from tests.core.authority.keyed import PARTY, approve, challenge, keep, start, with_key
from tests.core.authority.mandates import approval_json, over_json
from tests.core.authority.offices import Office, usual_terms
from tests.core.authority.test_step_up import code_of, enrol, guess
from tests.stories import Story


@pytest.fixture
async def office(story: Story) -> Office:
    """Whatever the clerk asks for needs one operator with a step-up."""
    return await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), step_up=True)]))


async def test_a_key_is_enrolled_by_a_code_and_wrong_ones_count(office: Office) -> None:
    totp, authenticator = await enrol(office, "ann"), Authenticator(PARTY)
    attestation = authenticator.attest(await start(office))
    approval = await office.ask()
    assert isinstance(await keep(office, attestation, "000000"), StepUpFailed)
    assert await guess(office, approval, 5) == ["StepUpFailed"] * 4 + ["StepUpPaused"]
    with pytest.raises(StepUpFailed):
        await keep(office, attestation, await code_of(office, totp))
    totp = await enrol(office, "ann")
    assert await keep(office, attestation, await code_of(office, totp)) == authenticator.id


async def test_who_has_no_one_time_codes_enrols_no_key(office: Office) -> None:
    with pytest.raises(StepUpFailed, match="no authenticator"):
        await keep(office, Authenticator(PARTY).attest(await start(office)), "123456")


@pytest.mark.parametrize("wrong", ["challenge", "origin", "party", "unverified", "nothing"])
async def test_a_key_that_answers_something_else_is_not_enrolled(office: Office, wrong: str) -> None:
    totp, authenticator = await enrol(office, "ann"), Authenticator(PARTY)
    signed = await start(office)
    match wrong:
        case "challenge":
            signed = os.urandom(32)
        case "origin":
            authenticator.party = RelyingParty(PARTY.id, "https://evil.example")
        case "party":
            authenticator.party = RelyingParty("evil.example", PARTY.origin)
        case "unverified":
            authenticator.flags = PRESENT
        case _:
            pass
    attestation = Attestation(b"", b"") if wrong == "nothing" else authenticator.attest(signed)
    code = await code_of(office, totp)
    with pytest.raises(SecurityKeyRefused):
        await keep(office, attestation, code)
    # The code is not used up.
    other = Authenticator(PARTY)
    assert await keep(office, other.attest(await start(office)), code) == other.id


async def test_what_a_key_is_enrolled_by_is_used_once_and_the_key_is_one_operators(office: Office) -> None:
    authenticator = await with_key(office)
    ben = await enrol(office, "ben")
    with pytest.raises(ChallengeOver):
        await keep(office, authenticator.attest(os.urandom(32)), "123456")
    attestation = authenticator.attest(await start(office, "ben"))
    with pytest.raises(SecurityKeysUnavailable, match="enrolled already"):
        await keep(office, attestation, await code_of(office, ben), "ben")


async def test_who_is_enrolled_anew_has_no_security_key(office: Office) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    signed = (await challenge(office, approval)).challenge
    await enrol(office, "ann")
    with pytest.raises(SecurityKeyRefused, match="no security key of yours"):
        await approve(office, approval, authenticator.sign(signed))
    with pytest.raises(SecurityKeysUnavailable, match="no security key enrolled"):
        await challenge(office, approval)
