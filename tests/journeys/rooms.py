"""Each room's whole job, done through the client; every journey plays all of them, in order, on one stage."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bursar.client import Bursar
from bursar.wire.jobs import WantedShare
from bursar.wire.transfers import CreateTransfer
from tests.journeys.stage import AGENT, WORLD, Stage, fresh, refusal_of

LONG_AGO = datetime(2020, 2, 1, tzinfo=UTC)


async def accounts(stage: Stage) -> None:
    operator = stage.operator
    opened = await operator.open_account(
        number="credit", name="Credit line", currency="EUR", floor="credit_limit", credit_limit=Decimal("50.00"),
        metadata={"branch": "12"}, idempotency_key="open-credit",
    )  # fmt: skip
    assert (opened.floor, opened.credit_limit, opened.metadata) == ("credit_limit", "50.00", {"branch": "12"})
    assert await operator.get_account("credit") == await operator.get_account(opened.id) == opened
    assert "credit" in [account.number async for account in operator.iterate_accounts()]
    assert await refusal_of(operator.open_account(number="credit", name="Again", currency="EUR")) == (
        409, "state_conflict",
    )  # fmt: skip
    assert (await refusal_of(stage.agent.freeze_account("credit")))[0] == 403
    frozen = await operator.freeze_account("credit")
    assert frozen.status == "frozen"
    spend = operator.create_transfer(
        source="credit", target="shop", amount="1.00", currency="EUR", idempotency_key=fresh()
    )
    assert await refusal_of(spend) == (409, "account_frozen")
    assert (await refusal_of(stage.agent.unfreeze_account("credit")))[0] == 403
    # It takes another operator to open it.
    assert (await operator.unfreeze_account("credit")).status == "frozen"
    assert await refusal_of(operator.unfreeze_account("credit")) == (409, "state_conflict")
    assert (await operator.close_account("credit")).status == "closed"
    assert await refusal_of(operator.get_account("nobody")) == (404, "unknown_account")


async def balances(stage: Stage) -> None:
    operator = stage.operator
    await operator.open_account(number="past", name="An old account", currency="EUR")
    for amount, at in (("40.00", LONG_AGO), ("2.50", LONG_AGO + timedelta(days=1))):
        await operator.create_transfer(
            source=WORLD, target="past", amount=amount, currency="EUR", effective_at=at, idempotency_key=fresh()
        )
    assert (await operator.get_balance("past", at=LONG_AGO)).posted == "40.00"
    assert (await operator.get_balance("past", at=LONG_AGO - timedelta(seconds=1))).posted == "0.00"
    assert (await operator.get_balance("past")).available == "42.50"
    statement = await operator.get_statement("past", start=LONG_AGO + timedelta(hours=1))
    assert (statement.opening_balance, statement.closing_balance) == ("40.00", "42.50")
    assert [(line.change, line.balance, line.counterparty) for line in statement.lines] == [("2.50", "42.50", WORLD)]
    first = await operator.get_statement("past", limit=1)
    second = await operator.get_statement("past", limit=1, cursor=first.next_cursor)
    assert [line.change for page in (first, second) for line in page.lines] == ["40.00", "2.50"]
    assert second.next_cursor is None


async def transfers(stage: Stage) -> None:
    before = await stage.available()
    key = fresh()
    made = await stage.pay("12.34", key)
    assert (made.status, made.kind, made.amount, made.source, made.target) == (
        "posted", "transfer", "12.34", "wallet", "shop",
    )  # fmt: skip
    assert await stage.pay("12.34", key) == made
    assert [reply.replayed for reply in stage.replies if reply.idempotency_key == key] == [False, True]
    assert await refusal_of(stage.pay("12.35", key)) == (422, "idempotency_conflict")
    assert await stage.available() == str(Decimal(before or 0) - Decimal("12.34"))
    # What let it, and what that left, is told to who paid when they paid.
    assert made.authority
    read = made.model_copy(update={"authority": None})
    assert await stage.agent.get_transfer(made.id) == read
    assert (await stage.agent.list_transfers(account="wallet", limit=1)).items == [read]
    ids = [transfer.id async for transfer in stage.agent.iterate_transfers(account="wallet")]
    assert made.id in ids
    assert len(set(ids)) == len(ids)
    assert await refusal_of(stage.pay("99999.00")) == (409, "insufficient_funds")
    assert await refusal_of(stage.pay("1.001")) == (422, "invalid_argument")
    assert await refusal_of(stage.agent.get_transfer("tr_unknown")) == (404, "not_found")


async def batches(stage: Stage) -> None:
    before = await stage.available()
    orders = [
        CreateTransfer(source="wallet", target="shop", amount=amount, currency="EUR")
        for amount in ("1.00", "99999.00", "2.00")
    ]
    together = stage.agent.create_transfers(mode="all_or_nothing", transfers=orders, idempotency_key=fresh())
    assert await refusal_of(together) == (409, "insufficient_funds")
    assert await stage.available() == before
    each = await stage.agent.create_transfers(mode="each", transfers=orders, idempotency_key=fresh())
    assert (each.posted, each.refused) == (2, 1)
    assert [result.problem.code if result.problem else None for result in each.results] == [
        None, "insufficient_funds", None,
    ]  # fmt: skip
    assert await stage.available() == str(Decimal(before or 0) - 3)


async def reversals(stage: Stage) -> None:
    before = await stage.available()
    made = await stage.pay("30.00")
    part = await stage.agent.reverse_transfer(made.id, amount="10.00", description="Too much", idempotency_key=fresh())
    assert (part.kind, part.reverses, part.source, part.target) == ("reversal", made.id, "shop", "wallet")
    rest = await stage.agent.reverse_transfer(made.id, idempotency_key=fresh())
    assert (rest.amount, await stage.available()) == ("20.00", before)
    assert (await stage.agent.get_transfer(made.id)).reversed_amount == "30.00"
    assert (await refusal_of(stage.agent.reverse_transfer(made.id, idempotency_key=fresh())))[0] == 409


async def holds(stage: Stage) -> None:
    before = Decimal(await stage.available() or 0)
    agent = stage.agent
    later = datetime.now(UTC) + timedelta(hours=1)
    hold = await agent.create_hold(
        account="wallet", target="shop", amount="80.00", currency="EUR", expires_at=later, idempotency_key=fresh()
    )
    assert (hold.status, await stage.available()) == ("pending", str(before - 80))
    captured = await agent.capture_hold(hold.id, amount="50.00", idempotency_key=fresh())
    assert (captured.status, captured.captured_amount, await stage.available()) == (
        "posted", "50.00", str(before - 50),
    )  # fmt: skip
    assert captured.transfer_id
    assert (await agent.get_transfer(captured.transfer_id)).hold_id == hold.id
    assert captured.authority
    assert await agent.get_hold(hold.id) == captured.model_copy(update={"authority": None})
    assert await refusal_of(agent.capture_hold(hold.id, idempotency_key=fresh())) == (409, "state_conflict")
    other = await agent.create_hold(account="wallet", amount="5.00", currency="EUR", idempotency_key=fresh())
    assert (await agent.release_hold(other.id, idempotency_key=fresh())).status == "voided"
    assert await stage.available() == str(before - 50)


async def events(stage: Stage) -> None:
    made = await stage.pay("3.00")
    (event,) = (await stage.agent.list_events(object=made.id)).items
    assert (event.id, event.type, event.decision, event.actor.name) == (
        made.event_id, "transfer.posted", "allow", AGENT,
    )  # fmt: skip
    of_agent = [e async for e in stage.operator.iterate_events(agent=AGENT, action="create_transfer")]
    assert event in of_agent
    assert {e.actor.name for e in of_agent} == {AGENT}
    paged = [e async for e in stage.operator.iterate_events()]
    assert [e.recorded_at for e in paged] == sorted((e.recorded_at for e in paged), reverse=True)
    first = await stage.operator.list_events(limit=2)
    second = await stage.operator.list_events(limit=2, cursor=first.next_cursor)
    assert [*first.items, *second.items] == paged[:4]
    assert (await stage.operator.list_events(end=LONG_AGO)).items == []


async def agents(stage: Stage) -> None:
    operator = stage.operator
    made = await operator.create_agent(name="buyer", idempotency_key="enrol-buyer")
    assert await operator.create_agent(name="buyer", idempotency_key="enrol-buyer") == made
    assert (await operator.change_team("buyer", team="buyers")).team == "buyers"
    assert await operator.change_team("buyer", team=None) == made
    assert await operator.get_agent("buyer") == await operator.get_agent(made.id) == made
    assert made in [agent async for agent in operator.iterate_agents()]
    assert made in (await operator.list_agents()).items
    assert await refusal_of(operator.create_agent(name="buyer")) == (409, "state_conflict")
    assert (await refusal_of(stage.agent.create_agent(name="another")))[0] == 403
    assert await refusal_of(operator.get_agent("nobody")) == (404, "not_found")


async def keys(stage: Stage) -> None:
    operator = stage.operator
    await operator.create_agent(name="reader")
    first = await operator.create_key(agent="reader", scopes=["accounts:read"])
    reader = await stage.join(first.key)
    assert (await reader.get_balance("wallet")).account == "wallet"
    pay = reader.create_transfer(source="wallet", target="shop", amount="1.00", currency="EUR", idempotency_key=fresh())
    assert (await refusal_of(pay))[0] == 403
    await operator.create_key(agent="reader")
    assert await refusal_of(operator.create_key(agent="reader")) == (409, "state_conflict")
    listed = (await operator.list_keys(agent="reader")).items
    assert first.id in [key.id for key in listed]
    assert (await operator.revoke_key(first.id)).revoked_at
    assert await refusal_of(reader.get_balance("wallet")) == (401, "unauthenticated")
    assert (await refusal_of(stage.agent.create_key(agent=AGENT)))[0] == 403


async def jobs(stage: Stage) -> None:
    """The agent and the operator, who are two principals, do a bill that three accounts share."""
    agent, operator = stage.agent, stage.operator
    assert "shared_bill" in [found.name for found in (await agent.list_job_definitions()).items]
    before = Decimal(await stage.available() or 0)
    shares = [WantedShare(source="wallet", target="shop", weight=weight) for weight in (1, 1, 1)]
    job = await agent.create_job(
        definition="shared_bill", amount=Decimal("10.00"), currency="EUR", shares=shares, reference="bill-7",
        purpose="Dinner", idempotency_key="dinner",
    )  # fmt: skip
    assert [share.amount for share in job.shares] == ["3.34", "3.33", "3.33"]
    assert (await agent.list_jobs(definition="shared_bill", status="active")).items == [job]
    assert job.id in [found.id async for found in agent.iterate_jobs()]
    claimed = await agent.claim_step(roles=["price"], lease_seconds=60, wait=5, idempotency_key="price")
    assert claimed == await agent.claim_step(roles=["price"], lease_seconds=60, wait=5, idempotency_key="price")
    assert claimed.token
    renewed = await agent.renew_step(job.id, token=claimed.token, lease_seconds=600)
    assert renewed.step
    assert renewed.step.lease_until
    handed = await agent.hand_over_step(job.id, token=claimed.token, to=AGENT, reason="Later.")
    token = await _claim(agent, job.id)
    failed = await agent.fail_step(job.id, token=token, reason="No prices yet.")
    assert (handed.stage, failed.last_error) == ("initiated", "No prices yet.")
    again = await agent.claim_step(job_id=job.id, wait=20)
    assert again.token
    split = await agent.complete_step(job.id, token=again.token, amount="9.99", idempotency_key=fresh())
    assert [share.amount for share in split.shares] == ["3.33", "3.33", "3.33"]
    assert await refusal_of(agent.claim_step(job_id=job.id)) == (403, "duties_separated")
    token = 0
    for client in (operator, agent):
        token = await _claim(client, job.id)
        await client.complete_step(job.id, token=token, idempotency_key=fresh())
    assert await stage.available() == str(before - Decimal("9.99"))
    stale = agent.complete_step(job.id, token=token, idempotency_key=fresh())
    assert await refusal_of(stale) == (409, "lease_lost")
    for client in (agent, operator):
        last = await client.complete_step(job.id, token=await _claim(client, job.id), idempotency_key=fresh())
    assert (last.status, await stage.available()) == ("done", str(before - Decimal("9.99")))
    kinds = [event.type async for event in agent.iterate_job_events(job.id)]
    assert (kinds[0], kinds[-1], kinds.count("claimed")) == ("created", "completed", 7)
    assert (await agent.list_job_events(job.id, after=1, limit=1, wait=1)).items[0].type == "claimed"
    assert (await agent.get_job(job.id, wait=1, after=last.version)) == last
    report = await agent.get_job_report(job.id)
    assert (report.held, report.captured, report.steps[-1].name) == ("0.00", "9.99", "reconcile")
    other = await agent.create_job(definition="checkout", currency="EUR", shares=shares)
    assert (await agent.cancel_job(other.id, reason="Nobody is hungry.")).status == "compensating"


async def _claim(client: Bursar, job_id: str) -> int:
    claimed = await client.claim_step(job_id=job_id, wait=5)
    assert claimed.token
    return claimed.token


async def service(stage: Stage) -> None:
    assert await stage.agent.healthz() == {"status": "ok"}
    assert await stage.agent.readyz() == {"status": "ready"}
    assert "bursar_requests_total" in await stage.agent.metrics()


ROOMS = (accounts, balances, transfers, batches, reversals, holds, events, agents, keys, jobs, service)
