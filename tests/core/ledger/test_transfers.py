"""Transfers as stories: floors, frozen and closed accounts, and all that an order may name wrongly."""

import pytest

from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done, InsufficientFunds
from bursar.kernel.ids import new_id
from bursar.kernel.money import MAX_MINOR, Money
from bursar.kernel.refusal import InvalidArgument
from tests.stories import Story


async def test_a_transfer_moves_money_and_a_refused_one_moves_none(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        alice -> bob 30.00 USD
        alice -> bob 90.00 USD ! insufficient_funds: alice has 70.00 USD available; you asked 90.00 USD
        alice = 70.00 USD
        bob = 30.00 USD
        world:funding:USD = -100.00 USD
    """)


async def test_an_account_with_floor_zero_can_be_spent_to_the_last_cent(story: Story) -> None:
    await story.tell("""
        alice has 1.00 USD
        bob has 0.00 USD
        alice -> bob 1.00 USD
        alice = 0.00 USD
        alice -> bob 0.01 USD ! insufficient_funds
    """)


async def test_a_credit_limit_is_the_floor(story: Story) -> None:
    await story.tell("""
        alice opens in USD floor -50.00
        bob has 0.00 USD
        alice -> bob 50.00 USD
        alice = -50.00 USD
        alice -> bob 0.01 USD ! insufficient_funds: alice has 0.00 USD available
        bob -> alice 0.02 USD
        alice -> bob 0.03 USD ! insufficient_funds
        alice -> bob 0.02 USD
    """)


async def test_an_account_without_a_floor_may_fall_as_far_as_it_likes(story: Story) -> None:
    await story.tell("""
        bank opens in USD floor none
        bob has 0.00 USD
        bank -> bob 9000000.00 USD
        bank = -9000000.00 USD
    """)


async def test_paying_in_is_never_refused_for_the_floor(story: Story) -> None:
    await story.tell("""
        alice opens in USD floor -50.00
        bob has 100.00 USD
        alice -> bob 50.00 USD
        bob -> alice 10.00 USD
        alice = -40.00 USD
    """)


async def test_a_frozen_account_refuses_debits_and_takes_credits(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 50.00 USD
        alice frozen
        alice -> bob 1.00 USD ! account_frozen
        alice holds 1.00 USD as h1 ! account_frozen
        bob -> alice 5.00 USD
        alice = 105.00 USD
        alice open
        alice -> bob 1.00 USD
    """)


async def test_a_closed_account_takes_part_in_nothing(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        bob closed
        alice -> bob 1.00 USD ! state_conflict: bob is closed
        bob -> alice 1.00 USD ! state_conflict: bob is closed
        alice holds 1.00 USD as h1 for bob ! state_conflict: bob is closed
        bob holds 1.00 USD as h2 ! state_conflict: bob is closed
        alice = 100.00 USD
    """)


async def test_the_currency_must_be_that_of_both_accounts(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        euros has 100.00 EUR
        alice -> euros 1.00 USD ! currency_not_allowed: euros is in EUR; you asked USD
        alice -> euros 1.00 EUR ! currency_not_allowed: alice is in USD; you asked EUR
        alice holds 1.00 EUR as h1 ! currency_not_allowed
        alice holds 1.00 USD as h2 for euros ! currency_not_allowed
        alice = 100.00 USD
        euros = 100.00 EUR
    """)


async def test_an_unknown_account_is_told_by_its_argument_and_not_by_its_value(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        alice -> nobody 1.00 USD ! unknown_account: target: no account of yours
        nobody -> alice 1.00 USD ! unknown_account: source: no account of yours
        alice holds 1.00 USD as h1 for nobody ! unknown_account: target: no account of yours
        nobody holds 1.00 USD as h2 ! unknown_account: account: no account of yours
    """)


async def test_an_account_cannot_pay_itself(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        alice -> alice 1.00 USD ! invalid_argument: target: is the same account as the source
        alice holds 1.00 USD as h1 for alice ! invalid_argument
        alice holds 1.00 USD as h2
        capture h2 to alice ! invalid_argument
        h2 is pending
    """)


async def test_the_postings_of_an_entry_happen_together(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        bob has 0.00 USD
        fees has 0.00 USD
        entry: alice -> bob 60.00 USD, alice -> fees 1.00 USD, bob -> fees 2.00 USD
        alice = 39.00 USD
        bob = 58.00 USD
        fees = 3.00 USD
        entry: alice -> bob 39.00 USD, alice -> fees 1.00 USD ! insufficient_funds
        entry: alice -> bob 1.00 USD, bob -> nobody 1.00 USD ! unknown_account
        alice = 39.00 USD
        bob = 58.00 USD
    """)


async def test_an_entry_may_move_several_currencies_and_keeps_each_balanced(story: Story) -> None:
    await story.tell("""
        alice has 100.00 USD
        euros has 0.00 EUR
        dealer-usd opens in USD floor none
        dealer-eur opens in EUR floor none
        entry: alice -> dealer-usd 11.00 USD, dealer-eur -> euros 10.00 EUR
        euros = 10.00 EUR
        dealer-eur = -10.00 EUR
    """)


async def test_a_debit_normal_account_grows_when_it_is_the_source(story: Story) -> None:
    await story.tell("""
        stock opens in USD debit
        alice has 10.00 USD
        stock -> alice 5.00 USD
        stock = 5.00 USD
        alice = 15.00 USD
        alice -> stock 6.00 USD ! insufficient_funds: stock has 5.00 USD available
        alice -> stock 5.00 USD
        stock = 0.00 USD
        stock holds 1.00 USD as h1 ! invalid_argument: a hold reserves funds of a credit-normal account
    """)


async def test_an_agent_may_not_use_world_accounts(story: Story) -> None:
    await story.tell("""
        alice has 10.00 USD
        agent: world:funding:USD -> alice 1.00 USD ! counterparty_not_allowed
        agent: alice -> world:funding:USD 1.00 USD ! counterparty_not_allowed
        agent: alice holds 1.00 USD as h1 for world:funding:USD ! counterparty_not_allowed
        agent: alice holds 1.00 USD as h2
        agent: capture h2 to world:funding:USD ! counterparty_not_allowed
        alice has 5.00 USD
        alice -> world:funding:USD 2.00 USD as t1
        agent: reverse t1 ! counterparty_not_allowed
        alice = 13.00 USD
    """)


async def test_money_may_take_effect_in_the_past_and_not_in_the_future(story: Story) -> None:
    await story.tell("""
        alice has 10.00 USD
        bob has 0.00 USD
        alice -> bob 1.00 USD on 1999-12-31
        alice -> bob 1.00 USD on 2999-12-31 ! invalid_argument: effective_at: lies in the future
        alice = 9.00 USD
    """)


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1.001", "1e3", "", " 1", "1000000000000000"])
async def test_an_amount_that_is_none_is_refused_inside_an_order(story: Story, amount: str) -> None:
    await story.tell("""
        alice has 10.00 USD
        bob has 0.00 USD
    """)
    (outcome,) = await story.carry_out([SendMoney(new_id(), new_id(), (Move("alice", "bob", amount),))])
    assert isinstance(outcome, InvalidArgument)
    assert outcome.argument == "amount"
    await story.tell("alice = 10.00 USD")


async def test_the_largest_order_of_all_goes_through(story: Story) -> None:
    await story.tell("""
        bank opens in USD floor none
        bob has 0.00 USD
    """)
    order = SendMoney(new_id(), new_id(), (Move("bank", "bob", Money(MAX_MINOR, "USD")),))
    (outcome,) = await story.carry_out([order])
    assert isinstance(outcome, Done)
    assert outcome.account.balance.posted == -MAX_MINOR


async def test_a_refusal_knows_what_could_have_been_spent(story: Story) -> None:
    await story.tell("""
        alice opens in USD floor -5.00
        bob has 0.00 USD
        alice holds 2.00 USD as h1
    """)
    (outcome,) = await story.carry_out([SendMoney(new_id(), new_id(), (Move("alice", "bob", "9.00"),))])
    assert isinstance(outcome, InsufficientFunds)
    assert (outcome.spendable_minor, outcome.asked_minor) == (300, 900)
