"""Several orders at once: they see each other, each stands on its own, unless they were given together."""

from tests.stories import Story


async def test_two_orders_of_a_batch_on_one_account_see_each_other(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        carol has 0.00 USD
        batch: alice -> bob 60.00 USD; alice -> bob 60.00 USD ! insufficient_funds: alice has 40; bob -> carol 60.00 USD
        alice = 40.00 USD
        carol = 60.00 USD
    """)


async def test_a_refused_order_harms_no_neighbour(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        batch: alice -> nobody 1.00 USD ! unknown_account; alice -> bob 1.00 USD; alice -> alice 1.00 USD !
        bob = 1.00 USD
    """)


async def test_orders_given_together_happen_all(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        carol has 0.00 USD
        together: alice -> bob 60.00 USD; bob -> carol 50.00 USD; carol -> alice 1.00 USD
        alice = 41.00 USD
        bob = 10.00 USD
        carol = 49.00 USD
    """)


async def test_orders_given_together_happen_not_at_all_when_one_is_refused(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        together: alice -> bob 60.00 USD; alice -> bob 60.00 USD ! insufficient_funds: orders.1: alice has 40.00 USD
        together: alice -> bob 60.00 USD; bob -> nobody 1.00 USD ! unknown_account: orders.1
        alice = 100.00 USD
        bob = 0.00 USD
    """)


async def test_together_is_one_order_among_others_of_a_batch(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 10.00 USD as t1
        alice holds 5.00 USD as h1 for bob
        together: capture h1 3.00; reverse t1 4.00; alice holds 1.00 USD as h2
        alice = 91.00 USD
        alice held 1.00 USD
        bob = 9.00 USD
        together: release h2; reverse t1 6.01 ! state_conflict: orders.1
        h2 is pending
        alice held 1.00 USD
    """)


async def test_a_hold_can_be_placed_and_captured_in_one_batch(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        batch: alice holds 10.00 USD as h1 for bob; alice -> bob 90.01 USD ! insufficient_funds
        batch: release h1; alice -> bob 100.00 USD
        bob = 100.00 USD
    """)


async def test_a_later_order_may_use_what_an_earlier_one_of_the_batch_made(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        batch: alice holds 10.00 USD as h1 for bob; capture h1 4.00
        h1 is posted 4.00
        bob = 4.00 USD
    """)
