"""What waits for a person is decided once, by the right people, and sets funds and limits aside meanwhile."""

from typing import Any

import pytest

from bursar import worker
from bursar.core.authority import approvals
from bursar.core.authority.approval_store import Vote
from bursar.core.authority.approvals import (
    ApprovalExpired,
    ApprovalRejected,
    ApprovalStateConflict,
    NotAnApprover,
    is_reached,
)
from bursar.core.authority.facts import Needs
from bursar.core.identity.model import Actor
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import UnknownObject
from tests.core.authority.mandates import NOW, approval_json, counterparties_json, over_json, window_json
from tests.core.authority.offices import Office, give_role, hold_of, make_due, usual_terms
from tests.stories import Story


async def test_what_waits_sets_funds_and_limits_aside_and_is_paid_once_it_is_approved(
    office: Office, workers: Database
) -> None:
    approval = await office.ask(5_000)
    await office.story.tell("alice held 50.00 USD")
    assert await office.used() == 5_000
    await worker.execute_approvals(workers)
    await office.story.tell("bob = 0.00 USD")
    await office.approve(approval)
    assert await office.status(approval) == "approved"
    await worker.execute_approvals(workers)
    await office.story.tell("""
        alice = 950.00 USD
        alice held 0.00 USD
        bob = 50.00 USD
    """)
    assert (await office.status(approval), await office.used(), await office.uses()) == ("executed", 5_000, 1)
    assert await office.events(approval) == [
        ("approval.requested", "pending"),
        ("approval.approved", "approved"),
        ("approval.executed", "executed"),
    ]


async def test_the_event_of_the_payment_is_the_makers_and_names_the_approval_and_who_approved(
    office: Office, workers: Database
) -> None:
    approval = await office.ask()
    await office.approve(approval, "ben")
    await worker.execute_approvals(workers)
    event_id = (await office.approval(approval)).executed_event_id
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        body = await tx.value(str, "SELECT body FROM event WHERE id = $1", event_id)
        decided = await tx.value(str, "SELECT outcome FROM decision WHERE id = $1", event_id)
    assert f'"actor":{{"id":"prn_{office.clerk_id.hex}"' in body
    assert f'"approval":"apr_{approval.hex}"' in body
    assert '"name":"ben"' in body
    assert decided == "allow"


@pytest.mark.parametrize("verb", ["reject", "cancel"])
async def test_an_end_gives_back_funds_and_limits_and_nothing_is_paid(
    office: Office, workers: Database, verb: str
) -> None:
    approval = await office.ask()
    await (office.reject if verb == "reject" else office.cancel)(approval)
    await worker.execute_approvals(workers)
    await office.story.tell("""
        alice available 1000.00 USD
        bob = 0.00 USD
    """)
    assert (await office.used(), await office.uses()) == (0, 0)
    ended = {"reject": "rejected", "cancel": "cancelled"}[verb]
    assert (await office.events(approval))[-1] == (f"approval.{ended}", ended)
    assert (await office.approval(approval)).ended_why in ("Not this one.", "Cancelled by ann.")


async def test_only_what_the_approval_set_aside_is_given_back(office: Office) -> None:
    assert await office.pay(700) == "done"
    approval = await office.ask(5_000)
    await office.ask(6_000)
    await office.reject(approval)
    assert (await office.used(), await office.uses()) == (6_700, 2)
    await office.story.tell("alice held 60.00 USD")


async def test_an_approval_past_its_time_is_ended_by_the_worker_and_not_before(
    office: Office, workers: Database, database_url: str
) -> None:
    due, other = await office.ask(), await office.ask()
    await worker.expire_approvals(workers)
    assert not await office.expire(due)
    assert await office.status(due) == "pending"
    make_due(database_url, due)
    with pytest.raises(ApprovalExpired):
        await office.approve(due)
    await worker.expire_approvals(workers)
    assert [await office.status(due), await office.status(other)] == ["expired", "pending"]
    await office.story.tell("alice held 50.00 USD")
    assert await office.used() == 5_000
    assert (await office.events(due))[-1] == ("approval.expired", "expired")


async def test_an_approval_is_voted_on_for_the_payment_that_was_looked_at(office: Office) -> None:
    approval, other = await office.ask(5_000), await office.ask(5_001)
    bound = (await office.approval(other)).payload_hash
    async with office.database.transaction(office.story.tenant_id) as tx:
        ann = await approvals.acting(tx, "ann")
        with pytest.raises(ApprovalStateConflict, match="payload_hash"):
            await approvals.approve(tx, ann, approval, bound, None)
    assert await office.status(approval) == "pending"


@pytest.mark.parametrize("kind", ["agent", "service"])
async def test_only_operators_decide(office: Office, kind: Any) -> None:
    approval = await office.ask()
    bound = (await office.approval(approval)).payload_hash
    someone = Actor(office.story.tenant_id, new_id(), kind, "someone", None, frozenset({"approvals:decide"}))
    async with office.database.transaction(office.story.tenant_id) as tx:
        with pytest.raises(NotAnApprover):
            await approvals.approve(tx, someone, approval, bound, None)
        with pytest.raises(NotAnApprover):
            await approvals.reject(tx, someone, approval, "No.")
        with pytest.raises(NotAnApprover if kind == "service" else UnknownObject):
            await approvals.cancel(tx, someone, approval)
    assert await office.status(approval) == "pending"


async def test_whoever_asked_never_decides_whatever_they_are(office: Office) -> None:
    approval = await office.ask()
    bound = (await office.approval(approval)).payload_hash
    maker = Actor(office.story.tenant_id, office.clerk_id, "operator", "clerk", None, frozenset())
    async with office.database.transaction(office.story.tenant_id) as tx:
        with pytest.raises(NotAnApprover):
            await approvals.approve(tx, maker, approval, bound, None)


async def test_its_maker_cancels_its_own(office: Office) -> None:
    approval = await office.ask()
    maker = Actor(office.story.tenant_id, office.clerk_id, "agent", "clerk", None, frozenset())
    async with office.database.transaction(office.story.tenant_id) as tx:
        assert (await approvals.cancel(tx, maker, approval)).outcome == "cancelled"
    assert await office.used() == 0


async def test_nothing_that_ended_is_decided_again(office: Office, workers: Database, database_url: str) -> None:
    gone = {status: await office.ask() for status in ("rejected", "cancelled", "expired", "approved")}
    await office.reject(gone["rejected"])
    await office.cancel(gone["cancelled"])
    make_due(database_url, gone["expired"])
    await worker.expire_approvals(workers)
    await office.approve(gone["approved"])
    kinds = {"rejected": ApprovalRejected, "expired": ApprovalExpired}
    for status, approval in gone.items():
        for verb in (office.approve, office.reject, office.cancel):
            with pytest.raises(kinds.get(status, ApprovalStateConflict)):
                await verb(approval, "ben")
        assert await office.status(approval) == status
        assert not await office.expire(approval)
    await worker.execute_approvals(workers)
    assert await office.status(gone["approved"]) == "executed"
    await office.story.tell("bob = 50.00 USD")


async def test_windows_per_payee_are_given_back_to_that_payee(story: Story) -> None:
    window = window_json(max_amount="60.00", per_payee=True)
    office = await Office.open(story, usual_terms(windows=[window], counterparties=counterparties_json(mode="any")))
    approval = await office.ask(5_000)
    assert (await office.submit("create_hold", lambda: hold_of(2_000)))[1] == "limit_exceeded"
    await office.cancel(approval)
    await office.ask(6_000)


# Quorum and roles


def needs(quorum: int, *roles: str) -> Needs:
    return Needs(quorum, roles, 60, False, ())


def vote(*roles: str, said: Any = "approve") -> Vote:
    return Vote(new_id(), new_id(), "someone", roles, said, False, NOW)


@pytest.mark.parametrize(
    ("wanted", "votes", "reached"),
    [
        (needs(1), [], False),
        (needs(1), [vote()], True),
        (needs(1), [vote(said="reject")], False),
        (needs(2), [vote()], False),
        (needs(2), [vote(), vote()], True),
        (needs(1, "treasurer"), [vote()], False),
        (needs(1, "treasurer"), [vote("clerk")], False),
        (needs(1, "treasurer"), [vote("treasurer")], True),
        (needs(2, "treasurer"), [vote("treasurer"), vote("clerk")], False),
        (needs(2, "treasurer"), [vote("treasurer"), vote("treasurer")], True),
        (needs(1, "legal", "treasurer"), [vote("treasurer")], False),
        (needs(1, "legal", "treasurer"), [vote("treasurer"), vote("legal")], True),
        (needs(1, "legal", "treasurer"), [vote("treasurer", "legal")], True),
        (needs(2, "legal", "treasurer"), [vote("treasurer", "legal")], False),
        (needs(2, "legal", "treasurer"), [vote("treasurer"), vote("treasurer")], False),
    ],
)
def test_enough_operators_and_every_role_are_needed(wanted: Needs, votes: list[Vote], reached: bool) -> None:
    assert is_reached(wanted, votes) is reached


async def test_two_different_operators_make_a_quorum_of_two(story: Story, workers: Database) -> None:
    office = await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), quorum=2)]))
    approval = await office.ask()
    await office.approve(approval, "ann")
    with pytest.raises(ApprovalStateConflict):
        await office.approve(approval, "ann")
    with pytest.raises(ApprovalStateConflict):
        await office.reject(approval, "ann")
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "pending"
    await office.approve(approval, "ben")
    await worker.execute_approvals(workers)
    assert await office.status(approval) == "executed"
    await story.tell("bob = 50.00 USD")


async def test_one_no_ends_what_another_approved(story: Story) -> None:
    office = await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), quorum=2)]))
    approval = await office.ask()
    await office.approve(approval, "ann")
    await office.reject(approval, "ben")
    assert (await office.status(approval), await office.used()) == ("rejected", 0)


async def test_a_role_is_asked_when_voting(story: Story, database_url: str) -> None:
    office = await Office.open(story, usual_terms(approvals=[approval_json(over_json("0.00"), role="treasurer")]))
    give_role(database_url, "ben", "{treasurer}")
    approval = await office.ask()
    with pytest.raises(NotAnApprover, match="treasurer"):
        await office.approve(approval, "ann")
    await office.approve(approval, "ben")
    assert await office.status(approval) == "approved"
