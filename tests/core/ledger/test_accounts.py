"""Accounts: opened under a number of their own, frozen, unfrozen and closed under the same lock as money."""

import pytest

from bursar.core.ledger import accounts, reading
from bursar.core.ledger.accounts import NumberTaken, OpenAccount
from bursar.core.ledger.outcomes import UnknownAccount
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import InvalidArgument
from tests.stories import Story


async def test_an_account_opens_empty_and_reads_back_as_it_was_described(story: Story) -> None:
    order = OpenAccount("7-A", "Avery", "JPY", "debit", -500, {"branch": "north"})
    async with story.database.transaction(story.tenant_id) as tx:
        opened = await accounts.open_account(tx, order)
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        by_number, by_id = await reading.find_account(tx, "7-A"), await reading.find_account(tx, opened.id)
    assert by_number == by_id == opened
    assert (opened.name, opened.currency, opened.normal_side, opened.floor_minor) == ("Avery", "JPY", "debit", -500)
    assert (opened.balance, opened.status, opened.metadata) == ((0, 0, 0), "open", {"branch": "north"})


async def test_a_number_belongs_to_one_account(story: Story) -> None:
    await story.tell("alice opens in USD")
    async with story.database.transaction(story.tenant_id) as tx:
        with pytest.raises(NumberTaken):
            await accounts.open_account(tx, OpenAccount("alice", "another", "USD"))


async def test_opening_many_leaves_out_what_is_there(story: Story) -> None:
    await story.tell("alice has 5.00 USD")
    async with story.database.transaction(story.tenant_id) as tx:
        await accounts.open_many(tx, [OpenAccount(number, number, "USD") for number in ("alice", "bob")])
        assert set(await accounts.ids_of(tx, ["alice", "bob", "carol"])) == {"alice", "bob"}
    await story.tell("""
        alice = 5.00 USD
        bob = 0.00 USD
    """)


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "USDT", "XAU"])
async def test_a_currency_that_iso_4217_has_no_money_for_is_refused(story: Story, currency: str) -> None:
    async with story.database.transaction(story.tenant_id) as tx:
        with pytest.raises(InvalidArgument):
            await accounts.open_account(tx, OpenAccount("alice", "alice", currency))


async def test_a_world_account_cannot_have_a_floor(story: Story) -> None:
    async with story.database.transaction(story.tenant_id) as tx:
        with pytest.raises(InvalidArgument):
            await accounts.open_account(tx, OpenAccount("world:cash", "cash", "USD", floor_minor=0))


async def test_a_status_changes_only_along_its_ways(story: Story) -> None:
    await story.tell("""
        alice opens in USD
        alice open ! state_conflict: alice is open
        alice frozen
        alice frozen ! state_conflict: alice is frozen
        alice open
        alice frozen
        alice closed
        alice open ! state_conflict: alice is closed
        alice frozen ! state_conflict: alice is closed
        alice closed ! state_conflict: alice is closed
    """)


async def test_an_account_with_money_or_holds_cannot_be_closed(story: Story) -> None:
    await story.tell("""
        alice opens in USD floor -50.00
        bob has 0.00 USD
        alice holds 1.00 USD as h1
        alice closed ! state_conflict: alice still has a balance or holds
        release h1
        alice -> bob 1.00 USD
        alice closed ! state_conflict: alice still has a balance or holds
        bob -> alice 1.00 USD
        alice closed
    """)


async def test_an_account_that_is_not_there_is_unknown_by_number_and_by_id(story: Story) -> None:
    for ref in ("alice", new_id()):
        async with story.database.transaction(story.tenant_id) as tx:
            with pytest.raises(UnknownAccount):
                await accounts.change_status(tx, ref, "frozen")
            with pytest.raises(UnknownAccount):
                await reading.find_account(tx, ref)


async def test_accounts_are_listed_in_the_order_of_their_opening_page_by_page(story: Story) -> None:
    await story.tell("\n".join(f"a{n} opens in USD" for n in range(7)))
    async with story.database.transaction(story.tenant_id, read_only=True) as tx:
        first = await reading.list_accounts(tx, None, 4)
        second = await reading.list_accounts(tx, first[-1].id, 4)
    assert [account.number for account in first + second] == [f"a{n}" for n in range(7)]
