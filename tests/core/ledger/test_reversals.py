"""Reversals as stories: exactly opposite, never more than was moved, final."""

from bursar.core.ledger import reading
from tests.stories import Story


async def test_a_transfer_is_taken_back_once(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        reverse t1
        alice = 100.00 USD
        bob = 0.00 USD
        reverse t1 ! state_conflict: already reversed in full
        alice = 100.00 USD
    """)


async def test_parts_are_taken_back_up_to_the_whole_and_not_beyond(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        reverse t1 10.00
        reverse t1 20.01 ! state_conflict: Only 20.00 USD are left to reverse
        reverse t1 5.00
        reverse t1
        alice = 100.00 USD
        bob = 0.00 USD
        reverse t1 0.01 ! state_conflict
    """)


async def test_a_reversal_is_final(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        reverse t1 10.00 as r1
        reverse r1 ! state_conflict: A reversal is final
        bob = 20.00 USD
    """)


async def test_what_the_target_has_spent_cannot_be_taken_back(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        carol has 0.00 USD
        alice -> bob 30.00 USD as t1
        bob -> carol 25.00 USD
        reverse t1 ! insufficient_funds: bob has 5.00 USD available
        reverse t1 5.00
        bob = 0.00 USD
        alice = 75.00 USD
    """)


async def test_an_entry_of_several_postings_is_taken_back_as_a_whole(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        fees has 0.00 USD
        entry: alice -> bob 60.00 USD, bob -> fees 2.00 USD as t1
        reverse t1 1.00 ! invalid_argument: reversed as a whole
        reverse t1
        alice = 100.00 USD
        bob = 0.00 USD
        fees = 0.00 USD
        reverse t1 ! state_conflict: already reversed in full
    """)


async def test_a_capture_can_be_taken_back(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice holds 30.00 USD as h1 for bob
        capture h1 20.00 as t1
        reverse t1 5.00
        alice = 85.00 USD
        h1 is posted 20.00
    """)


async def test_a_frozen_account_gives_back(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        bob frozen
        reverse t1
        alice = 100.00 USD
    """)


async def test_a_closed_account_cannot_give_back(story: Story) -> None:
    await story.tell("""
        alice has 30.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        alice closed
        reverse t1 ! state_conflict: alice is closed
        bob = 30.00 USD
    """)


async def test_an_entry_that_is_not_there_is_unknown(story: Story) -> None:
    await story.tell("reverse t1 ! not_found")


async def test_two_reversals_in_one_batch_see_each_other(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        batch: reverse t1 20.00; reverse t1 20.00 ! state_conflict: Only 10.00 USD; reverse t1 10.00
        alice = 100.00 USD
    """)


async def test_the_original_says_how_much_of_it_was_taken_back(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD as t1
        reverse t1 10.00
        reverse t1 5.00
    """)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        original = await reading.find_entry(tx, story.names["t1"])
    assert (original.total_minor, original.reversed_minor) == (3000, 1500)
