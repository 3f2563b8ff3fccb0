"""What was approved about holds, captures and reversals is carried out once, and uses limits once."""

from uuid import UUID

import pytest

from bursar import worker
from bursar.core.authority import approvals, mandates
from bursar.core.ledger.orders import CaptureHold, PlaceHold, ReleaseHold, ReverseEntry
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from tests.core.authority.mandates import approval_json, cap_json
from tests.core.authority.offices import Office, hold_of, usual_terms
from tests.stories import Story


async def pending_hold(office: Office) -> UUID:
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        return await tx.value(UUID, "SELECT id FROM hold WHERE status = 'pending'")


@pytest.mark.parametrize(("captured", "left"), [(None, 0), (2_000, 2_000), (5_000, 5_000)])
async def test_an_approved_hold_gives_its_limits_back_when_it_ends(
    office: Office, workers: Database, captured: int | None, left: int
) -> None:
    approval = await office.ask_for("create_hold", lambda: hold_of(5_000))
    await office.approve(approval)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    await office.story.tell("alice held 50.00 USD")
    assert (await office.used(), await office.uses()) == (5_000, 1)
    hold = await pending_hold(office)
    assert hold != (await office.approval(approval)).hold_id
    if captured is None:
        await office.submit("release_hold", lambda: ReleaseHold(new_id(), hold))
    else:
        office.story.names["h"] = hold
        await office.story.tell(f"capture h {captured / 100:.2f}")
    assert (await office.used(), await office.uses()) == (left, int(captured is not None))
    await office.story.tell("alice held 0.00 USD")


async def test_the_reservation_of_an_approval_is_no_hold_that_an_agent_can_use(office: Office) -> None:
    approval = await office.ask()
    hold = await pending_hold(office)
    assert hold == (await office.approval(approval)).hold_id
    for action, order in (
        ("release_hold", lambda: ReleaseHold(new_id(), hold)),
        ("capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, None, "bob")),
    ):
        assert (await office.submit(action, order))[1] == "state_conflict"
    assert await office.status(approval) == "pending"


@pytest.fixture
async def strict(story: Story) -> Office:
    """Each time an unknown payee is paid somebody must approve; a hold that names nobody pays nobody yet."""
    return await Office.open(story, usual_terms(approvals=[approval_json({"new_payee": True})], per_transaction=None))


async def place_for_nobody(office: Office) -> UUID:
    """A hold of 30.00 that its capture must name a payee for."""
    order = PlaceHold(new_id(), new_id(), "alice", None, Money(3_000, "USD"))
    return UUID((await office.submit("create_hold", lambda: order))[1])


async def test_a_capture_is_approved_without_using_the_limits_twice(strict: Office, workers: Database) -> None:
    hold = await place_for_nobody(strict)
    approval = await strict.ask_for("capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, "20.00", "bob"))
    assert (await strict.used(), (await strict.approval(approval)).hold_id) == (3_000, None)
    await strict.approve(approval)
    await worker.execute_approvals(workers)
    assert await strict.status(approval) == "executed"
    assert (await strict.used(), await strict.uses()) == (2_000, 1)
    await strict.story.tell("""
        bob = 20.00 USD
        alice held 0.00 USD
    """)


async def test_an_approved_capture_names_the_owner_of_its_hold(strict: Office, workers: Database) -> None:
    owner = new_id()
    held = PlaceHold(new_id(), new_id(), "alice", None, Money(3_000, "USD"), owner_id=owner)
    hold = UUID((await strict.submit("create_hold", lambda: held))[1])
    for other in (None, new_id()):
        order = CaptureHold(new_id(), new_id(), hold, None, "bob", owner_id=other)
        assert (await strict.submit("capture_hold", lambda order=order: order))[1] == "state_conflict"
    approval = await strict.ask_for(
        "capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, None, "bob", owner_id=owner)
    )
    await strict.approve(approval)
    await worker.execute_approvals(workers)
    assert await strict.status(approval) == "executed"
    await strict.story.tell("bob = 30.00 USD")


async def test_a_capture_answers_to_the_limits_its_hold_was_placed_under(strict: Office, workers: Database) -> None:
    hold = await place_for_nobody(strict)
    narrow = usual_terms(approvals=[approval_json({"new_payee": True})], per_transaction=[cap_json(max="5.00")])
    async with strict.database.transaction(strict.story.tenant_id) as tx:
        await mandates.change(tx, await approvals.acting(tx, "ann"), strict.mandate.id, narrow)
    approval = await strict.ask_for("capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, None, "bob"))
    await strict.approve(approval)
    await worker.execute_approvals(workers)
    assert await strict.status(approval) == "executed"


async def test_a_capture_that_is_rejected_leaves_its_hold_and_what_that_uses(strict: Office) -> None:
    hold = await place_for_nobody(strict)
    approval = await strict.ask_for("capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, None, "bob"))
    await strict.reject(approval)
    assert (await strict.used(), await strict.uses()) == (3_000, 1)
    await strict.story.tell("alice held 30.00 USD")


async def test_a_capture_whose_hold_is_gone_by_now_is_superseded(strict: Office, workers: Database) -> None:
    hold = await place_for_nobody(strict)
    approval = await strict.ask_for("capture_hold", lambda: CaptureHold(new_id(), new_id(), hold, None, "bob"))
    await strict.approve(approval)
    await strict.submit("release_hold", lambda: ReleaseHold(new_id(), hold))
    await worker.execute_approvals(workers)
    assert await strict.status(approval) == "superseded"
    assert await strict.used() == 0


async def test_a_reversal_is_approved_and_then_done(office: Office, workers: Database) -> None:
    await office.story.tell("alice -> bob 50.00 USD as t1")
    entry = office.story.names["t1"]
    approval = await office.ask_for("reverse_transfer", lambda: ReverseEntry(new_id(), new_id(), entry))
    await office.story.tell("bob held 50.00 USD")
    await office.approve(approval)
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    await office.story.tell("""
        alice = 1000.00 USD
        bob = 0.00 USD
    """)
