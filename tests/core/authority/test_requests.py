"""Other terms that an agent asks for: nothing changes unless a person says so, and then exactly once."""

from typing import Any
from uuid import UUID

import pytest

from bursar import worker
from bursar.core.authority import approvals, mandate_store, requests
from bursar.core.authority.approval_reading import Changing, changes_of
from bursar.core.authority.approvals import NotAnApprover
from bursar.core.authority.mandates import MandateStateConflict
from bursar.core.events import service as events
from bursar.core.identity import service as identity
from bursar.core.identity.model import Actor
from bursar.kernel.canonical import canonical
from bursar.kernel.db import Database
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from tests.core.authority.changing import HIGHER, WHY, ask, clerk_of, mandate_of, seen
from tests.core.authority.mandates import cap_json
from tests.core.authority.offices import Office, give_role, make_due, run, usual_terms


async def test_asking_changes_nothing_and_shows_what_would_change(office: Office) -> None:
    approval = await ask(office, per_transaction=HIGHER, velocity={"max_count": 2, "seconds": 60})
    assert await mandate_of(office) == office.mandate
    assert (await office.approval(approval)).kind == "mandate_change"
    shown = await seen(office, approval)
    assert shown.about == Changing(
        "of clerk",
        [
            ("per_transaction", [cap_json(max="500.00", auto_max="10.00")], HIGHER),
            ("velocity", None, {"max_count": 2, "seconds": 60}),
        ],
    )
    assert await office.pay(1_100) != "done"


async def test_what_is_approved_is_changed_once_and_says_who_asked_and_who_approved(
    office: Office, workers: Database
) -> None:
    approval = await ask(office)
    await office.approve(approval)
    assert (await mandate_of(office)).version == 2
    await run(*(worker.execute_approvals(workers) for _ in range(3)))
    assert await office.status(approval) == "executed"
    changed = await mandate_of(office)
    assert (changed.version, changed.status) == (3, "active")
    assert changed.text == canonical(usual_terms(per_transaction=HIGHER))
    assert await office.pay(8_000) == "done"
    assert await office.events(approval) == [("approval.approved", "approved"), ("approval.executed", "executed")]
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, events.Filter(action="change_mandate"), None, 10)
        versions = await mandate_store.list_versions(tx, changed.id)
        ann = await identity.find_principal_named(tx, "ann")
    assert ann
    assert versions[-1].changed_by == ann.id
    assert event.id == (await office.approval(approval)).executed_event_id
    assert (event.facts["actor"]["name"], event.facts["type"]) == ("ann", "mandate.changed")
    assert event.facts["payload"]["asked_by"]["name"] == "clerk"
    assert [approver["name"] for approver in event.facts["payload"]["approvers"]] == ["ann"]


async def test_a_change_that_was_asked_for_supersedes_what_waits_under_the_old_terms(
    office: Office, workers: Database
) -> None:
    payment, approval = await office.ask(), await ask(office)
    await office.approve(approval)
    await worker.execute_approvals(workers)
    assert [await office.status(each) for each in (approval, payment)] == ["executed", "superseded"]
    assert await office.used() == 0


async def test_only_an_operator_who_may_change_mandates_approves(office: Office) -> None:
    approval = await ask(office)
    bound = (await office.approval(approval)).payload_hash
    async with office.database.transaction(office.story.tenant_id) as tx:
        ann = await approvals.acting(tx, "ann")
        for somebody, why in (
            (await clerk_of(tx), "Only an operator"),
            (Actor(tx.tenant, ann.principal_id, "operator", "ann", 7, frozenset({"approvals:decide"})), "lacks"),
        ):
            with pytest.raises(NotAnApprover, match=why):
                await approvals.approve(tx, somebody, approval, bound, None)
    assert await office.status(approval) == "pending"


async def test_an_operator_who_asks_does_not_approve(office: Office) -> None:
    async with office.database.transaction(office.story.tenant_id) as tx:
        ann = await approvals.acting(tx, "ann")
        approval, _ = await requests.request(tx, ann, office.mandate.id, {"per_transaction": HIGHER}, WHY)
    with pytest.raises(NotAnApprover, match="Whoever asked"):
        await office.approve(approval, "ann")
    await office.approve(approval, "ben")


async def test_it_ends_by_a_no_by_its_maker_and_by_its_time(office: Office, database_url: str) -> None:
    rejected = await ask(office)
    await office.reject(rejected)
    cancelled = await ask(office)
    async with office.database.transaction(office.story.tenant_id) as tx:
        await approvals.cancel(tx, await clerk_of(tx), cancelled)
    due = await ask(office)
    make_due(database_url, due)
    assert await office.expire(due)
    assert [await office.status(each) for each in (rejected, cancelled, due)] == ["rejected", "cancelled", "expired"]
    assert await mandate_of(office) == office.mandate


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"per_transaction": usual_terms()["per_transaction"]}, "nothing that the mandate does not say"),
        ({"purpose": "Approve this"}, "granter's to write"),
        ({"per_transaction": [cap_json(max="1.00", auto_max="2.00")]}, "auto_max: is above max"),
    ],
)
async def test_what_makes_no_sense_is_not_asked_of_people(office: Office, wanted: Any, why: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await ask(office, **wanted)
    assert why in raised.value.detail


async def test_nobody_asks_about_a_mandate_that_is_not_there_or_over(office: Office) -> None:
    with pytest.raises(UnknownObject):
        await ask(office, UUID(int=7))
    await office.revoke()
    with pytest.raises(MandateStateConflict):
        await ask(office)


async def test_who_asks_again_has_one_request_waiting(office: Office) -> None:
    first = await ask(office)
    second = await ask(office, velocity={"max_count": 2, "seconds": 60})
    assert [await office.status(each) for each in (first, second)] == ["superseded", "pending"]
    assert (await office.approval(first)).ended_why == f"apr_{second.hex} was asked for in its place."
    asked = await run(*(_ask_as_ben(office) for _ in range(5)))
    states = [await office.status(each) for each in (second, *asked)]
    assert sorted(states) == ["pending"] * 2 + ["superseded"] * 4
    assert states[0] == "pending"


async def _ask_as_ben(office: Office) -> UUID:
    async with office.database.transaction(office.story.tenant_id) as tx:
        ben = await approvals.acting(tx, "ben")
        return (await requests.request(tx, ben, office.mandate.id, {"per_transaction": HIGHER}, WHY))[0]


async def test_roles_of_payments_are_not_asked_of_changes(office: Office, database_url: str) -> None:
    give_role(database_url, "ann", "{treasurer}")
    approval = await ask(office)
    await office.approve(approval, "ben")
    assert await office.status(approval) == "approved"


def test_fields_that_are_the_same_are_left_out() -> None:
    before, after = usual_terms(), usual_terms(velocity={"max_count": 1, "seconds": 1})
    assert changes_of(before, before) == []
    assert changes_of(before, after) == [("velocity", None, {"max_count": 1, "seconds": 1})]
    assert changes_of({}, {"new": 1}) == [("new", None, 1)]
