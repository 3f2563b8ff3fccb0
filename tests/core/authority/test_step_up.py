"""A one-time code proves that an operator is there: theirs, now, and once."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from psycopg import sql
from pyotp.totp import TOTP

from bursar.core.authority import approval_store, approvals, step_up
from bursar.core.authority.step_up import (
    MOST_WRONG,
    WRONG_COUNTS_FOR,
    StepUpFailed,
    StepUpPaused,
    paused_until,
    step_of,
)
from bursar.core.events import service as events
from bursar.core.identity import service as identity
from bursar.core.ledger import reading
from tests.core.authority.mandates import approval_json, over_json
from tests.core.authority.offices import Office, change, run, until_waiting, usual_terms
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


def test_codes_are_refused_from_the_fifth_wrong_one_until_it_is_a_quarter_of_an_hour_old() -> None:
    now = at(1111111111)
    times = [now + timedelta(minutes=minute) for minute in range(MOST_WRONG)]
    assert paused_until([], now) is None
    assert paused_until(times[:-1], times[-1]) is None
    assert paused_until(times, times[-1]) == times[0] + WRONG_COUNTS_FOR
    assert paused_until(times, times[0] + WRONG_COUNTS_FOR - timedelta(microseconds=1)) is not None
    assert paused_until(times, times[0] + WRONG_COUNTS_FOR) is None
    assert paused_until([*times, times[0] + WRONG_COUNTS_FOR], times[0] + WRONG_COUNTS_FOR) == times[1] + (
        WRONG_COUNTS_FOR
    )


@pytest.fixture
async def guessed(story: Story) -> Office:
    """Whatever the clerk asks for needs one operator with a code."""
    rule = approval_json(over_json("0.00"), step_up=True)
    return await Office.open(story, usual_terms(approvals=[rule]))


async def guess(office: Office, approval: UUID, times: int) -> list[str]:
    """Wrong codes of ann's, one after the other; what each came to."""
    return [
        type(found).__name__ for _ in range(times) for found in await run(office.approve(approval, "ann", "000000"))
    ]


async def wrong_codes(office: Office) -> list[str]:
    """What the record says of the requests that were refused."""
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await events.read(tx, events.Filter(action="decide"), None, 100)
    return [event.facts["outcome"] for event in found if event.facts["decision"] == "deny"]


async def test_after_five_wrong_codes_the_right_one_is_refused_too(guessed: Office, database_url: str) -> None:
    authenticator = await enrol(guessed, "ann")
    approval = await guessed.ask()
    assert await guess(guessed, approval, 7) == ["StepUpFailed"] * 5 + ["StepUpPaused"] * 2
    assert await wrong_codes(guessed) == ["step_up_failed"] * 5
    right = await code_of(guessed, authenticator)
    with pytest.raises(StepUpPaused, match=r"5 wrong codes came within 15 minutes: .* before 20.*Z\."):
        await guessed.approve(approval, "ann", right)
    await enrol(guessed, "ben")
    with pytest.raises(StepUpFailed, match="is wrong"):
        await guessed.approve(approval, "ben", "000000")
    change(
        database_url,
        sql.SQL("UPDATE operator_totp SET wrong_at = ARRAY(SELECT w - interval '14 min' FROM unnest(wrong_at) w)"),
    )
    assert await guess(guessed, approval, 1) == ["StepUpPaused"]
    change(
        database_url,
        sql.SQL("UPDATE operator_totp SET wrong_at = ARRAY(SELECT w - interval '1 min' FROM unnest(wrong_at) w)"),
    )
    await guessed.approve(approval, "ann", await code_of(guessed, authenticator))
    assert await votes(guessed) == [("ann", True)]


async def test_a_right_code_between_wrong_ones_starts_no_new_count(guessed: Office) -> None:
    authenticator = await enrol(guessed, "ann")
    first, second = await guessed.ask(), await guessed.ask(5_001)
    await guess(guessed, first, 4)
    await guessed.approve(first, "ann", await code_of(guessed, authenticator))
    assert await guess(guessed, second, 2) == ["StepUpFailed", "StepUpPaused"]


async def test_who_is_enrolled_anew_starts_afresh(guessed: Office) -> None:
    await enrol(guessed, "ann")
    approval = await guessed.ask()
    assert (await guess(guessed, approval, 6))[-1] == "StepUpPaused"
    authenticator = await enrol(guessed, "ann")
    assert await guess(guessed, approval, 1) == ["StepUpFailed"]
    await guessed.approve(approval, "ann", await code_of(guessed, authenticator))


async def test_of_twenty_guesses_at_once_five_are_looked_at(guessed: Office) -> None:
    await enrol(guessed, "ann")
    approvals = [await guessed.ask(5_000 + number) for number in range(4)]
    found = await run(*(guessed.approve(approvals[number % 4], "ann", "000000") for number in range(20)))
    assert sorted(type(each).__name__ for each in found) == ["StepUpFailed"] * 5 + ["StepUpPaused"] * 15
    assert await wrong_codes(guessed) == ["step_up_failed"] * 5


async def test_a_wrong_code_that_is_not_committed_yet_is_waited_for(guessed: Office, database_url: str) -> None:
    await enrol(guessed, "ann")
    first, second = await guessed.ask(), await guessed.ask(5_001)
    await guess(guessed, first, 4)
    bound = (await guessed.approval(first)).payload_hash
    async with guessed.database.transaction(guessed.story.tenant_id) as tx:
        assert isinstance(
            await approvals.approve(tx, await approvals.acting(tx, "ann"), first, bound, "000000"), StepUpFailed
        )
        await tx.flush()
        again = asyncio.create_task(guessed.approve(second, "ann", "000000"))
        await until_waiting(database_url)
    with pytest.raises(StepUpPaused):
        await again
