"""Holds as stories: placed, captured, released, run out."""

from uuid import UUID

from bursar.core.authority import service as authority
from bursar.core.ledger import reading
from bursar.kernel.db import Database
from tests.stories import Story


async def test_a_hold_takes_from_what_is_available_and_not_from_what_is_posted(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 80.00 USD as h1
        alice = 100.00 USD
        alice held 80.00 USD
        alice available 20.00 USD
        alice -> bob 20.01 USD ! insufficient_funds: alice has 20.00 USD available
        alice holds 20.01 USD as h2 ! insufficient_funds
        alice -> bob 20.00 USD
        alice available 0.00 USD
    """)


async def test_a_hold_captured_in_full_is_posted(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 80.00 USD as h1 for bob
        bob = 0.00 USD
        capture h1
        h1 is posted 80.00
        alice = 20.00 USD
        alice available 20.00 USD
        bob = 80.00 USD
    """)


async def test_a_capture_in_part_gives_the_rest_back(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 80.00 USD as h1 for bob
        capture h1 30.00
        h1 is posted 30.00
        alice = 70.00 USD
        alice held 0.00 USD
        bob = 30.00 USD
    """)


async def test_a_capture_above_the_hold_is_refused_and_leaves_it_pending(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 80.00 USD as h1 for bob
        capture h1 80.01 ! invalid_argument: the hold is for 80.00
        h1 is pending
        alice held 80.00 USD
        capture h1 80.00
    """)


async def test_a_hold_is_captured_once(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 10.00 USD as h1 for bob
        capture h1 4.00
        capture h1 4.00 ! state_conflict: The hold is posted
        capture h1 ! state_conflict
        release h1 ! state_conflict
        bob = 4.00 USD
    """)


async def test_a_hold_is_released_once(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 10.00 USD as h1 for bob
        release h1
        h1 is voided
        alice available 100.00 USD
        release h1 ! state_conflict: The hold is voided
        capture h1 ! state_conflict: The hold is voided
        alice held 0.00 USD
    """)


async def test_the_target_is_named_when_the_hold_is_placed_or_when_it_is_captured(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        carol has 0.00 USD
        alice holds 10.00 USD as h1
        capture h1 ! invalid_argument: the hold names no account to pay
        capture h1 to nobody ! unknown_account
        h1 is pending
        capture h1 to carol
        carol = 10.00 USD
        alice holds 10.00 USD as h2 for bob
        capture h2 to carol ! invalid_argument: the hold was placed for another account
        capture h2 to bob
        bob = 10.00 USD
    """)


async def test_a_hold_runs_out_by_the_clock_of_the_database(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 80.00 USD as h1 for bob until +1s
        alice available 20.00 USD
        h1 runs out
        h1 is expired
        alice available 100.00 USD
        capture h1 ! state_conflict: The hold is expired
        release h1 ! state_conflict: The hold is expired
        alice -> bob 100.00 USD
        bob = 100.00 USD
    """)


async def test_a_hold_that_has_run_out_is_spent_by_another_without_the_sweep(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 100.00 USD as h1 until +1s
        alice holds 1.00 USD as h2 ! insufficient_funds
        h1 runs out
        alice holds 60.00 USD as h3 for bob
        capture h3
        alice = 40.00 USD
        h1 is expired
    """)


async def test_the_sweep_writes_down_what_has_run_out_and_only_that(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        alice holds 10.00 USD as h1 until +1s
        alice holds 20.00 USD as h2
        alice holds 30.00 USD as h3 until +3600s
        h1 runs out
    """)
    ids = [story.names[name] for name in ("h1", "h2", "h3")]
    assert await _swept(story, ids) == 1
    assert await _swept(story, ids) == 0
    await story.tell("""
        h1 is expired
        h2 is pending
        h3 is pending
        alice held 50.00 USD
    """)


async def _swept(story: Story, ids: list[UUID]) -> int:
    async with story.database.transaction(story.tenant_id) as tx:
        return await authority.expire_holds(tx, ids)


async def test_the_worker_finds_due_holds_of_every_tenant(story: Story, database_url: str) -> None:
    await story.tell("""
        alice has 100.00 USD
        alice holds 10.00 USD as h1 until +1s
        alice holds 20.00 USD as h2
        h1 runs out
    """)
    workers = await Database.open(database_url, role="bursar_worker", connections=1)
    async with workers.transaction(read_only=True) as tx:
        assert await reading.list_due_holds(tx, 10) == [(story.tenant_id, story.names["h1"])]
    await workers.close()


async def test_what_was_held_before_a_freeze_is_still_captured(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 10.00 USD as h1 for bob
        alice holds 10.00 USD as h2 for bob
        alice frozen
        capture h1
        release h2
        bob = 10.00 USD
        alice held 0.00 USD
    """)


async def test_a_hold_cannot_be_placed_into_the_past(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        alice holds 10.00 USD as h1 until -5s ! invalid_argument: expires_at: lies in the past
        alice held 0.00 USD
    """)


async def test_a_hold_of_nobody_is_unknown(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        capture h1 ! not_found
        release h1 ! not_found
    """)


async def test_a_hold_may_use_a_credit_limit(story: Story) -> None:
    await story.tell("""
        alice opens in USD floor -50.00
        bob has 0.00 USD
        alice holds 50.01 USD as h1 for bob ! insufficient_funds
        alice holds 50.00 USD as h2 for bob
        capture h2
        alice = -50.00 USD
    """)
