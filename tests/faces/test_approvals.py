"""Approvals decided where the database is: the same rules, the operator's name in the record."""

import pytest
from pyotp.totp import TOTP

from bursar.core.authority import requests
from bursar.core.authority.approvals import ApprovalStateConflict, acting
from bursar.core.authority.step_up import StepUpFailed
from bursar.core.events import service as events
from bursar.faces.cli import approvals
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.refusal import UnknownObject
from tests.core.authority.mandates import approval_json, cap_json, over_json
from tests.core.authority.offices import Office, usual_terms
from tests.stories import Story


@pytest.fixture
async def office(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A configured database whose only tenant has an office; above 100.00 a code is needed too."""
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    tenant_id = tenant_id_of("main")
    async with database.transaction(tenant_id) as tx:
        await tx.run("INSERT INTO tenant (tenant_id, name) VALUES ($1, 'main')", tenant_id)
    story = await Story.begin(database, tenant_id)
    await story.tell("""
        alice has 1000.00 USD
        bob has 0.00 USD
    """)
    return await Office.open(story, usual_terms(approvals=[approval_json(over_json("100.00"), step_up=True)]))


async def test_what_is_listed_can_be_approved_and_rejected_by_its_id_and_hash(office: Office) -> None:
    one, two = await office.ask(5_000), await office.ask(6_000)
    (first, second) = await approvals.listed("ann", "pending", None, None)
    assert (first["id"], first["amount"], first["payee"], first["agent"]) == (
        f"apr_{one.hex}", "50.00", "bob", "clerk",
    )  # fmt: skip
    told = await approvals.approve("ann", first["id"], first["payload_hash"], None, None, None)
    assert (told["status"], told["votes"]) == ("approved", [{"operator": "ann", "vote": "approve"}])
    told = await approvals.reject("ben", second["id"], "Too much.", None, None)
    assert told["status"] == "rejected"
    assert [await office.status(approval) for approval in (one, two)] == ["approved", "rejected"]
    assert await approvals.listed("ann", "pending", None, None) == []
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, events.Filter(action="approve_approval"), None, 10)
    assert (event.facts["actor"]["name"], event.facts["payload"]["by"]) == ("ann", "command line")


@pytest.mark.parametrize("payload_hash", ["", "00", "no hex"])
async def test_another_hash_approves_nothing(office: Office, payload_hash: str) -> None:
    approval = await office.ask()
    with pytest.raises(ApprovalStateConflict):
        await approvals.approve("ann", f"apr_{approval.hex}", payload_hash, None, None, None)
    assert await office.status(approval) == "pending"


@pytest.mark.parametrize("name", ["clerk", "nobody"])
async def test_only_operators_act_and_enrol(office: Office, name: str) -> None:
    approval = await office.ask()
    bound = (await office.approval(approval)).payload_hash.hex()
    with pytest.raises(UnknownObject):
        await approvals.approve(name, f"apr_{approval.hex}", bound, None, None, None)
    with pytest.raises(UnknownObject):
        await approvals.totp(name, None, None)


async def test_an_enrolled_authenticator_is_what_a_step_up_takes(office: Office) -> None:
    uri = await approvals.totp("ann", None, None)
    secret = uri.partition("secret=")[2].partition("&")[0]
    approval = await office.ask(20_000)
    given = (f"apr_{approval.hex}", (await office.approval(approval)).payload_hash.hex())
    with pytest.raises(StepUpFailed):
        await approvals.approve("ann", *given, None, None, None)
    code = TOTP(secret).now()
    assert (await approvals.approve("ann", *given, code, None, None))["status"] == "approved"
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        (event,) = await events.read(tx, events.Filter(action="totp_enrol"), None, 10)
    assert secret not in event.body


async def test_wrong_codes_count_here_too(office: Office) -> None:
    await approvals.totp("ann", None, None)
    approval = await office.ask(20_000)
    given = (f"apr_{approval.hex}", (await office.approval(approval)).payload_hash.hex())
    said: list[str] = []
    for _ in range(6):
        with pytest.raises(StepUpFailed) as raised:
            await approvals.approve("ann", *given, "000000", None, None)
        said.append(type(raised.value).__name__)
    assert said == ["StepUpFailed"] * 5 + ["StepUpPaused"]
    async with office.database.transaction(office.story.tenant_id, read_only=True) as tx:
        found = await events.read(tx, events.Filter(action="approve_approval"), None, 10)
    assert [(event.facts["outcome"], event.facts["payload"]["by"]) for event in found] == [
        ("step_up_failed", "command line")
    ] * 5


async def test_a_change_of_a_mandate_is_listed_as_one_with_what_would_change(office: Office) -> None:
    higher = [cap_json(max="900.00", auto_max="90.00")]
    async with office.database.transaction(office.story.tenant_id) as tx:
        ben = await acting(tx, "ben")
        made, _ = await requests.request(tx, ben, office.mandate.id, {"per_transaction": higher}, "More room.")
    (listed,) = await approvals.listed("ann", "pending", None, None)
    assert (listed["id"], listed["kind"], listed["agent"], listed["mandate"], listed["version"]) == (
        f"apr_{made.hex}", "mandate_change", "ben", "of clerk", 2,
    )  # fmt: skip
    before = [cap_json(max="500.00", auto_max="10.00")]
    assert listed["changes"] == [{"field": "per_transaction", "before": before, "after": higher}]
    assert (listed["agents_words"], "amount" in listed) == ("More room.", False)
    told = await approvals.approve("ann", listed["id"], listed["payload_hash"], None, None, None)
    assert told["status"] == "approved"
