"""A one-time code proves that an operator is there: theirs, now, and once."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from bursar.core.authority import approval_store, approvals, step_up
from bursar.core.authority.step_up import StepUpFailed, step_of
from bursar.core.identity import service as identity
from bursar.core.ledger import reading
from tests.core.authority.mandates import approval_json, over_json
from tests.core.authority.offices import Office, until_waiting, usual_terms
from tests.stories import Story

# RFC 6238, appendix B: the secret of its SHA-1 table, and the last six of the eight digits at these seconds.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TABLE = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), TABLE)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert step_of(SECRET, code, at(seconds), 0) == seconds // 30


@pytest.mark.parametrize(("apart", "found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_holds_for_its_step_and_the_ones_beside_it(apart: int, found: bool) -> None:
    now = at(1111111111)
    code = TOTP(SECRET).at(now + timedelta(seconds=30 * apart))
    assert (step_of(SECRET, code, now, 0) is not None) is found


def test_no_step_is_used_twice_nor_one_before_it() -> None:
    now, step = at(1111111111), 1111111111 // 30
    for apart in (-1, 0, 1):
        code = TOTP(SECRET).generate_otp(step + apart)
        assert step_of(SECRET, code, now, step + apart - 1) == step + apart
        assert step_of(SECRET, code, now, step + apart) is None
        assert step_of(SECRET, code, now, step + apart + 1) is None


@pytest.mark.parametrize("code", ["050470", "", "50471", "0050471", "abcdef", "٠٥٠٤٧١"])
def test_any_other_code_is_wrong(code: str) -> None:
    assert step_of(SECRET, code, at(1111111111), 0) is None


@pytest.fixture
async def office(story: Story) -> Office:
    """Whatever the clerk asks for needs two operators, each with a code."""
    rule = approval_json(over_json("0.00"), quorum=2, step_up=True)
    return await Office.open(story, usual_terms(approvals=[rule]))


async def enrol(office: Office, name: str) -> TOTP:
    """An operator's authenticator, as the URI that is shown once makes it."""
    async with office.database.transaction(office.story.tenant_id) as tx:
        principal = await identity.find_principal_named(tx, name)
        assert principal
        uri = urlsplit(step_up.enrol(tx, principal))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/Bursar:{name}")
    return TOTP(parse_qs(uri.query)["secret"][0])


async def code_of(office: Office, authenticator: TOTP, apart: int = 0) -> str:
    """What the authenticator shows by the database's clock, or shows so many steps later."""
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        now = await reading.clock(tx)
    return authenticator.at(now + timedelta(seconds=30 * apart))


async def votes(office: Office) -> list[tuple[str, bool]]:
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await approval_store.list_approvals(tx, None, None, None, 10)
        return [(v.operator, v.stepped_up) for v in await approval_store.list_votes(tx, [a.id for a in found])]


async def test_where_the_rule_says_so_no_vote_counts_without_a_code(office: Office) -> None:
    authenticators = {name: await enrol(office, name) for name in ("ann", "ben")}
    approval = await office.ask()
    for wrong in (None, "000000", await code_of(office, authenticators["ben"])):
        with pytest.raises(StepUpFailed):
            await office.approve(approval, "ann", wrong)
    assert await votes(office) == []
    for name, authenticator in authenticators.items():
        await office.approve(approval, name, await code_of(office, authenticator))
    assert await votes(office) == [("ann", True), ("ben", True)]
    assert await office.status(approval) == "approved"


async def test_who_has_no_authenticator_cannot_approve(office: Office) -> None:
    approval = await office.ask()
    with pytest.raises(StepUpFailed, match="no authenticator"):
        await office.approve(approval, "cyd", "123456")


async def test_a_code_is_used_up_by_a_vote_that_counts_and_by_no_other(office: Office) -> None:
    authenticator = await enrol(office, "ann")
    first, second = await office.ask(), await office.ask(5_001)
    # The next step's, so that none begins in between.
    code = await code_of(office, authenticator, 1)
    async with office.database.transaction(office.story.tenant_id) as tx:
        ann = await approvals.acting(tx, "ann")
        with pytest.raises(approvals.ApprovalStateConflict):
            await approvals.approve(tx, ann, first, bytes(32), code)
    await office.approve(first, "ann", code)
    with pytest.raises(StepUpFailed):
        await office.approve(second, "ann", code)


async def test_a_code_that_another_request_is_using_waits_for_it_and_is_then_used(
    office: Office, database_url: str
) -> None:
    authenticator = await enrol(office, "ann")
    first, second = await office.ask(), await office.ask(5_001)
    bound, code = (await office.approval(first)).payload_hash, await code_of(office, authenticator, 1)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await approvals.approve(tx, await approvals.acting(tx, "ann"), first, bound, code)
        await tx.flush()
        again = asyncio.create_task(office.approve(second, "ann", code))
        await until_waiting(database_url)
    with pytest.raises(StepUpFailed):
        await again
    assert len(await votes(office)) == 1


async def test_a_new_authenticator_takes_the_place_of_the_old_one(office: Office) -> None:
    old, new = await enrol(office, "ann"), await enrol(office, "ann")
    approval = await office.ask()
    with pytest.raises(StepUpFailed):
        await office.approve(approval, "ann", await code_of(office, old))
    await office.approve(approval, "ann", await code_of(office, new))


async def test_a_code_that_is_wrong_is_refused_though_none_was_needed(story: Story) -> None:
    office = await Office.open(story)
    await enrol(office, "ann")
    approval = await office.ask()
    with pytest.raises(StepUpFailed):
        await office.approve(approval, "ann", "000000")
    await office.approve(approval, "ann")
    assert await votes(office) == [("ann", False)]
