"""What was approved is carried out once, if all it was approved on still holds."""

import asyncio
from datetime import UTC, datetime

import pytest
from psycopg import sql

from bursar import worker
from bursar.core.authority.mandate import DAYS
from bursar.core.identity import service as identity
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Database
from tests.core.authority.mandates import approval_json, hours_json, over_json
from tests.core.authority.offices import Office, change, give_role, know_bob, make_due, usual_terms
from tests.stories import Story

CHANGES: dict[str, sql.SQL] = {
    "the mandate has another version": sql.SQL(
        "WITH m AS (UPDATE mandate SET version = version + 1 WHERE name = 'of clerk' RETURNING *)"
        " INSERT INTO mandate_version SELECT tenant_id, id, version, status, not_before, expires_at, terms, granted_by,"
        " changed_at FROM m"
    ),
    "the mandate is paused": sql.SQL(
        "WITH m AS (UPDATE mandate SET status = 'paused' WHERE name = 'of clerk' RETURNING id)"
        " UPDATE mandate_version v SET status = 'paused' FROM m WHERE v.mandate_id = m.id"
    ),
    "the mandate is over": sql.SQL("UPDATE mandate SET expires_at = clock_timestamp() WHERE name = 'of clerk'"),
    "the mandate is another agent's": sql.SQL(
        "UPDATE mandate SET agent_id = (SELECT id FROM principal WHERE name = 'spender') WHERE name = 'of clerk'"
    ),
    "the maker is suspended": sql.SQL("UPDATE principal SET status = 'suspended' WHERE name = 'clerk'"),
    "the tenant is frozen": sql.SQL("UPDATE tenant SET status = 'frozen'"),
    "the approver is suspended": sql.SQL("UPDATE principal SET status = 'suspended' WHERE name = 'ann'"),
    "the source is frozen": sql.SQL("UPDATE account SET status = 'frozen' WHERE number = 'alice'"),
    "the payload is another": sql.SQL("UPDATE approval SET payload = replace(payload, '5000', '5001')"),
    "the counterparty is blocked": sql.SQL("UPDATE counterparty SET status = 'blocked'"),
    "the counterparty has another version": sql.SQL("UPDATE counterparty SET version = version + 1"),
    "the counterparty is gone": sql.SQL("DELETE FROM counterparty"),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
async def test_what_changed_since_it_was_asked_for_supersedes_it(
    office: Office, workers: Database, database_url: str, what: str
) -> None:
    know_bob(database_url)
    approval = await office.ask(5_000)
    await office.approve(approval)
    change(database_url, CHANGES[what])
    await worker.execute_approvals(workers)
    if what == "the payload is another":  # Whoever verifies would see it too.
        change(database_url, sql.SQL("UPDATE approval SET payload = replace(payload, '5001', '5000')"))
    assert await office.status(approval) == "superseded"
    assert (await office.approval(approval)).ended_why
    assert (await office.used(), await office.uses()) == (0, 0)
    assert (await office.events(approval))[-1] == ("approval.superseded", "superseded")
    await office.story.tell("""
        alice = 1000.00 USD
        alice held 0.00 USD
        bob = 0.00 USD
    """)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "superseded"


async def test_who_has_left_the_team_is_paid_nothing_under_its_mandate(
    office: Office, workers: Database, database_url: str
) -> None:
    change(
        database_url, sql.SQL("UPDATE mandate SET agent_id = NULL, team = 'clerks' WHERE id = %s"), office.mandate.id
    )
    change(database_url, sql.SQL("UPDATE principal SET team = 'clerks' WHERE name = 'clerk'"))
    stays, leaves = await office.ask(4_000), await office.ask(5_000)
    await office.approve(stays)
    await worker.execute_approvals(workers)
    await office.approve(leaves)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await identity.set_team(tx, "clerk", "former-clerks")
    await worker.execute_approvals(workers)
    assert [await office.status(approval) for approval in (stays, leaves)] == ["executed", "superseded"]
    assert (await office.used(), await office.uses()) == (4_000, 1)
    await office.story.tell("""
        alice = 960.00 USD
        alice held 0.00 USD
    """)


async def test_nothing_that_changed_supersedes_nothing(office: Office, workers: Database, database_url: str) -> None:
    know_bob(database_url)
    approval = await office.ask()
    await office.approve(approval)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"


async def test_a_payee_that_became_known_since_is_another_payee(
    office: Office, workers: Database, database_url: str
) -> None:
    approval = await office.ask()
    await office.approve(approval)
    know_bob(database_url)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "superseded"


async def test_a_role_is_asked_again_when_executing(story: Story, workers: Database, database_url: str) -> None:
    office = await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), role="treasurer")]))
    give_role(database_url, "ann", "{treasurer}")
    approval = await office.ask()
    await office.approve(approval)
    give_role(database_url, "ann", "{}")
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "superseded"
    await story.tell("bob = 0.00 USD")


async def test_hours_are_asked_again_when_executing(office: Office, workers: Database, database_url: str) -> None:
    """No version of a mandate changes when its hours end, so its hours are moved away unseen."""
    approval = await office.ask()
    await office.approve(approval)
    another_day = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    closed = usual_terms(hours=hours_json(time_zone="UTC", days=[another_day], start="08:00", end="18:00"))
    move_hours = sql.SQL("UPDATE mandate SET terms = %s WHERE name = 'of clerk'")
    change(database_url, move_hours, canonical(closed))
    await worker.execute_approvals(workers)
    change(database_url, move_hours, office.mandate.text)
    assert await office.status(approval) == "superseded"
    assert "from 08:00 to 18:00" in str((await office.approval(approval)).ended_why)
    await office.story.tell("bob = 0.00 USD")


async def test_a_window_that_is_full_by_now_keeps_no_approved_payment_back(office: Office, workers: Database) -> None:
    """What waits has used its windows already."""
    approval = await office.ask(40_000)
    await office.ask(50_000)
    assert await office.pay(1) == "limit_exceeded"
    await office.approve(approval)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    assert await office.used() == 90_000


async def test_funds_that_no_hold_could_set_aside_may_be_gone(office: Office, workers: Database) -> None:
    """A debit-normal account has no holds; it falls when it is credited."""
    await office.story.tell("""
        stock opens in USD debit
        stock -> bob 60.00 USD
    """)
    approval = await office.ask(5_000, "alice", "stock")
    assert (await office.approval(approval)).hold_id
    other = await office.ask(1_500, "stock", "alice")
    assert (await office.approval(other)).hold_id is None
    await office.story.tell("alice -> stock 30.00 USD")
    await office.approve(approval)
    await office.approve(other)
    await worker.execute_approvals(workers)
    assert [await office.status(approval), await office.status(other)] == ["superseded", "executed"]
    assert await office.used() == 1_500
    await office.story.tell("""
        stock = 45.00 USD
        alice held 0.00 USD
    """)


async def test_what_no_hold_set_aside_gives_its_limits_back_all_the_same(office: Office) -> None:
    await office.story.tell("""
        stock opens in USD debit
        stock -> bob 60.00 USD
        alice -> stock 30.00 USD
    """)
    approval = await office.ask(1_500, "stock", "alice")
    assert ((await office.approval(approval)).hold_id, await office.used()) == (None, 1_500)
    await office.reject(approval)
    assert (await office.used(), await office.uses()) == (0, 0)


async def test_the_running_worker_pays_and_expires(office: Office, workers: Database, database_url: str) -> None:
    approved, due = await office.ask(), await office.ask()
    make_due(database_url, due)
    await office.approve(approved)
    working = asyncio.create_task(worker.work(workers))
    while [await office.status(approved), await office.status(due)] != ["executed", "expired"]:
        assert not working.done()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await office.story.tell("bob = 50.00 USD")
    await office.story.tell("alice held 0.00 USD")


async def test_one_that_fails_keeps_no_other_waiting(office: Office, workers: Database, database_url: str) -> None:
    bad, good = await office.ask(), await office.ask()
    for approval in (bad, good):
        await office.approve(approval)
    break_it = sql.SQL("UPDATE approval SET payload = %s WHERE id = %s")
    payload = (await office.approval(bad)).payload
    change(database_url, break_it, "no JSON", bad)
    with pytest.raises(ValueError, match="invalid literal"):
        await worker.execute_approvals(workers)
    change(database_url, break_it, payload, bad)
    assert [await office.status(approval) for approval in (bad, good)] == ["approved", "executed"]
