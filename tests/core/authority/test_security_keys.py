"""A security key proves that an operator is there, for one approval, once; and nothing else passes for it."""

import os
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql

from bursar.core.authority import approvals, security_keys
from bursar.core.authority.security_keys import (
    Assertion,
    Attestation,
    ChallengeOver,
    RelyingParty,
    SecurityKeyRefused,
    SecurityKeysUnavailable,
    Signed,
)
from bursar.core.authority.switches import OperatorNeeded
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.kernel.db import Tx
from tests.authenticators import PRESENT, Authenticator
from tests.core.authority.keyed import PARTY, approve, challenge, keep, start, with_key
from tests.core.authority.mandates import approval_json, over_json
from tests.core.authority.offices import Office, change, run, usual_terms
from tests.core.authority.test_step_up import code_of, enrol, guess, votes
from tests.stories import Story


@pytest.fixture
async def office(story: Story) -> Office:
    """Whatever the clerk asks for needs one operator with a step-up."""
    return await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), step_up=True)]))


async def test_what_a_security_key_signed_for_an_approval_approves_it(office: Office) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    offered = await challenge(office, approval)
    assert offered.credential_ids == [authenticator.id]
    assert offered.challenge[32:] == (await office.approval(approval)).payload_hash
    told = await approve(office, approval, authenticator.sign(offered.challenge))
    assert told.payload["stepped_up"] is True
    assert await votes(office) == [("ann", True)]
    assert await office.status(approval) == "approved"


async def _other_challenge(_: Office, __: UUID, key: Authenticator, ___: bytes) -> Assertion:
    return key.sign(os.urandom(64))


async def _other_approvals(office: Office, _: UUID, key: Authenticator, __: bytes) -> Assertion:
    return key.sign((await challenge(office, await office.ask(5_001))).challenge)


async def _same_nonce_for_another(office: Office, _: UUID, key: Authenticator, signed: bytes) -> Assertion:
    other = await office.approval(await office.ask(5_001))
    return key.sign(signed[:32] + other.payload_hash)


async def _nonce_alone(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    return key.sign(signed[:32])


async def _earlier_challenge(office: Office, approval: UUID, key: Authenticator, signed: bytes) -> Assertion:
    await challenge(office, approval)
    return key.sign(signed)


async def _other_operators(office: Office, _: UUID, __: Authenticator, signed: bytes) -> Assertion:
    return (await with_key(office, "ben")).sign(signed)


async def _other_operators_named(office: Office, _: UUID, key: Authenticator, signed: bytes) -> Assertion:
    return (await with_key(office, "ben")).sign(signed)._replace(credential_id=key.id)


async def _unknown_key(_: Office, __: UUID, ___: Authenticator, signed: bytes) -> Assertion:
    return Authenticator(PARTY).sign(signed)


async def _counter_back(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    key.count = -1
    return key.sign(signed)


async def _other_origin(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    key.party = RelyingParty(PARTY.id, "https://console.bank.example.evil.example")
    return key.sign(signed)


async def _other_party(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    key.party = RelyingParty("evil.example", PARTY.origin)
    return key.sign(signed)


async def _unverified(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    key.flags = PRESENT
    return key.sign(signed)


async def _absent(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    key.flags = 4
    return key.sign(signed)


async def _registration(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    return key.sign(signed, "webauthn.create")


async def _data_of_another(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    first, second = key.sign(signed), key.sign(signed)
    return first._replace(authenticator_data=second.authenticator_data)


async def _no_signature(_: Office, __: UUID, key: Authenticator, signed: bytes) -> Assertion:
    return key.sign(signed)._replace(signature=b"\x30\x00")


WRONG: list[Callable[..., Any]] = [
    _other_challenge, _other_approvals, _same_nonce_for_another, _nonce_alone, _earlier_challenge, _other_operators,
    _other_operators_named, _unknown_key, _counter_back, _other_origin, _other_party, _unverified, _absent,
    _registration, _data_of_another, _no_signature,
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__.strip("_"))
async def test_nothing_else_passes_for_it(office: Office, wrong: Callable[..., Any]) -> None:
    authenticator, approval = await with_key(office, count=3), await office.ask()
    signed = (await challenge(office, approval)).challenge
    with pytest.raises(SecurityKeyRefused):
        await approve(office, approval, await wrong(office, approval, authenticator, signed))
    assert await votes(office) == []
    assert await office.status(approval) == "pending"


async def test_a_challenge_is_used_once(office: Office) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    offered = await challenge(office, approval)
    bound = (await office.approval(approval)).payload_hash
    async with office.database.transaction(office.story.tenant_id) as tx:
        ann = await approvals.acting(tx, "ann")
        signed = Signed(authenticator.sign(offered.challenge), PARTY)
        await security_keys.prove(tx, ann.principal_id, approval, bound, signed)
        for again in (signed, Signed(authenticator.sign(offered.challenge), PARTY)):
            with pytest.raises(ChallengeOver):
                await security_keys.prove(tx, ann.principal_id, approval, bound, again)


async def test_one_challenge_that_is_used_twice_at_once_is_used_once(office: Office) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    offered = await challenge(office, approval)
    bound = (await office.approval(approval)).payload_hash

    async def once(assertion: Assertion) -> None:
        async with office.database.transaction(office.story.tenant_id) as tx:
            ann = await approvals.acting(tx, "ann")
            await security_keys.prove(tx, ann.principal_id, approval, bound, Signed(assertion, PARTY))

    found = await run(*(once(authenticator.sign(offered.challenge)) for _ in range(6)))
    assert sorted(type(each).__name__ for each in found) == ["ChallengeOver"] * 5 + ["NoneType"]


async def test_a_challenge_is_good_for_five_minutes(office: Office, database_url: str) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    offered = await challenge(office, approval)
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        left = offered.expires_at - await reading.clock(tx)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)
    change(database_url, sql.SQL("UPDATE step_up_challenge SET expires_at = clock_timestamp()"))
    with pytest.raises(ChallengeOver):
        await approve(office, approval, authenticator.sign(offered.challenge))


async def test_a_key_that_counts_goes_up_and_one_that_does_not_stays_at_nothing(office: Office) -> None:
    counting, plain = await with_key(office, count=7), await with_key(office, "ben", count=None)
    for minor in (5_000, 5_001):
        approval = await office.ask(minor)
        await approve(office, approval, counting.sign((await challenge(office, approval)).challenge))
    for minor in (5_002, 5_003):
        approval = await office.ask(minor)
        await approve(office, approval, plain.sign((await challenge(office, approval, "ben")).challenge), "ben")
    # Of two keys with one number, one is a copy.
    counting.count = (counting.count or 0) - 1
    approval = await office.ask(5_004)
    with pytest.raises(SecurityKeyRefused):
        await approve(office, approval, counting.sign((await challenge(office, approval)).challenge))


async def test_wrong_codes_do_not_keep_a_security_key_out(office: Office) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    assert (await guess(office, approval, 6))[-1] == "StepUpPaused"
    await approve(office, approval, authenticator.sign((await challenge(office, approval)).challenge))


async def _clerk(tx: Tx) -> Actor:
    found = await identity.find_principal_named(tx, "clerk")
    assert found
    return Actor(tx.tenant, found.id, "agent", "clerk", None, frozenset())


async def test_only_operators_have_security_keys(office: Office) -> None:
    approval = await office.ask()
    async with office.database.transaction(office.story.tenant_id) as tx:
        clerk = await _clerk(tx)
        with pytest.raises(OperatorNeeded):
            await security_keys.start_enrolment(tx, clerk)
        with pytest.raises(OperatorNeeded):
            await security_keys.enrol(tx, clerk, PARTY, Attestation(b"", b""), "123456")
        with pytest.raises(approvals.NotAnApprover):
            await approvals.challenge(tx, clerk, approval)


async def test_without_the_package_all_of_it_is_refused_plainly(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator, approval = await with_key(office), await office.ask()
    signed = (await challenge(office, approval)).challenge
    monkeypatch.setattr(security_keys, "find_spec", lambda _: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType] -- any name
    for work in (
        start(office),
        keep(office, authenticator.attest(signed), "123456"),
        challenge(office, approval),
        approve(office, approval, authenticator.sign(signed)),
    ):
        with pytest.raises(SecurityKeysUnavailable, match=r"has not installed bursar\[webauthn\]"):
            await work


async def test_no_bytes_break_what_reads_them(office: Office) -> None:
    totp, random = await enrol(office, "ann"), Random(7)
    authenticator = await with_key(office, "ben")
    approval = await office.ask()
    signed = (await challenge(office, approval, "ben")).challenge
    good, made = authenticator.sign(signed), Authenticator(PARTY).attest(await start(office))
    code = await code_of(office, totp)
    for _ in range(150):
        with pytest.raises(SecurityKeyRefused):
            await approve(office, approval, Assertion(good.credential_id, *_spoiled(random, good[1:])), "ben")
        with pytest.raises(SecurityKeyRefused):
            await keep(office, Attestation(*_spoiled(random, made)), code)
    await approve(office, approval, good, "ben")


def _spoiled(random: Random, parts: tuple[bytes, ...]) -> list[bytes]:
    """One of these with a byte changed that is signed or compared, cut short, or replaced by noise."""
    spoiled = list(parts)
    # The client data of a registration that is not signed may say anything beside what is compared.
    at = random.randrange(len(parts))
    part = spoiled[at]
    match random.randrange(3):
        case 0:
            spoiled[at] = part[: random.randrange(len(part))]
        case 1:
            spoiled[at] = random.randbytes(random.randrange(200))
        case _:
            place = random.randrange(min(len(part), 37))
            spoiled[at] = part[:place] + bytes([part[place] ^ 0x80]) + part[place + 1 :]
    return spoiled
