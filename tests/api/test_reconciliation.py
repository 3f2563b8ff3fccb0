"""`/v1/reconciliation` over HTTP: filed once, compared three ways, each break a case, settled once by people."""

import asyncio
import base64
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from bursar.features.reconciliation.lines import Statement
from bursar.features.reconciliation.planted import plant
from bursar.kernel.money import show_minor
from tests.api.tenants import Tenant, bearing
from tests.features.reconciliation.bank_files import MT940, camt
from tests.features.reconciliation.standing_orders import SAMPLE, payments_of, statements_of

PATH = "/v1/reconciliation"
COLUMNS = {"date": "day", "amount": "amount", "reference": "ref", "counterparty": ["who"]}
MAPPING = {"currency": "USD", "columns": COLUMNS}
PERIOD = {"currency": "USD", "first_day": "2026-03-01", "last_day": "2026-03-31"}


class Desk:
    """An operator who reconciles the account `bank` with what the bank prints of `B1`."""

    def __init__(self, client: httpx2.AsyncClient, tenant: Tenant) -> None:
        self.client = client
        self.tenant = tenant

    async def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> httpx2.Response:
        return await self.client.post(path, json=body, headers=bearing(self.tenant.operator, key))

    async def made(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self.post(path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def listed(self, path: str, **query: Any) -> list[Any]:
        answer = await self.client.get(path, params=query, headers=bearing(self.tenant.agent))
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def open(self, number: str, currency: str = "USD") -> None:
        account = {"number": number, "name": "An account", "currency": currency, "floor": "none"}
        await self.made("/v1/accounts", account)

    async def pay(self, day: str, amount: str, reference: str, source: str = "bank", target: str = "world:out") -> str:
        body = {
            "source": source, "target": target, "amount": amount, "currency": "USD",
            "effective_at": f"{day}T12:00:00Z", "metadata": {"reference": reference},
        }  # fmt: skip
        return (await self.made("/v1/transfers", body))["id"]

    async def file(self, *rows: str, source: str = "mybank") -> Any:
        content = "\n".join(["day,amount,ref,who", *rows]).encode()
        body = {"source": source, "format": "csv", "content": base64.b64encode(content).decode(), "account": "B1"}
        return await self.made(f"{PATH}/statements", {**body, "mapping": MAPPING})

    async def run(self, **more: Any) -> Any:
        scope = {**PERIOD, "account": "bank", "source": "mybank", "bank_account": "B1"}
        return await self.made(f"{PATH}/runs", {**scope, **more})

    async def breaks(self, **query: Any) -> list[Any]:
        return await self.listed(f"{PATH}/breaks", **query)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, tenant: Tenant) -> Desk:
    desk = Desk(client, tenant)
    for number in ("bank", "world:out", "fees", "clearing", "world:customers"):
        await desk.open(number)
    return desk


async def test_a_file_is_filed_once_and_a_longer_one_adds_what_is_new(desk: Desk) -> None:
    rows = ["2026-03-02,-12.00,A,Baker", "2026-03-02,-12.00,A,Baker", "2026-03-03,5.00,,"]
    assert (await desk.file(*rows))["new"] == 3
    assert await desk.file(*rows) == {"statements": 1, "lines": 3, "new": 0, "accounts": ["B1"]}
    assert (await desk.file(*rows, "2026-03-04,1.00,,"))["new"] == 1
    assert (await desk.file(*rows, source="other"))["new"] == 3
    assert [s["lines"] for s in await desk.listed(f"{PATH}/statements", source="mybank")] == [3, 4]


@pytest.mark.parametrize(("format", "content"), [("camt053", camt()), ("mt940", MT940.encode())])
async def test_each_format_is_filed_with_its_balances(desk: Desk, format: str, content: bytes) -> None:
    body = {"source": "mybank", "format": format, "content": base64.b64encode(content).decode()}
    assert (await desk.made(f"{PATH}/statements", body))["accounts"] == ["DE02120300000000202051"]
    (filed,) = await desk.listed(f"{PATH}/statements")
    assert (filed["opening_balance"], filed["closing_balance"], filed["currency"]) == ("1000.00", "809.90", "EUR")


async def test_a_bad_file_is_refused_as_a_whole_with_its_line(desk: Desk) -> None:
    content = base64.b64encode(b"day,amount,ref,who\n2026-03-02,-12.00,A,B\n2026-03-02,x,A,B\n").decode()
    body = {"source": "mybank", "format": "csv", "content": content, "account": "B1", "mapping": MAPPING}
    answer = await desk.post(f"{PATH}/statements", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_argument")
    assert answer.json()["detail"] == "content: line 3: an amount is not a decimal number"
    assert await desk.listed(f"{PATH}/statements") == []


async def test_breaks_become_cases_with_an_owner_and_are_cleared_when_both_sides_agree(desk: Desk) -> None:
    transfer = await desk.pay("2026-03-02", "12.00", "INV-1")
    await desk.pay("2026-03-05", "30.00", "INV-2")
    await desk.file("2026-03-03,-12.00,inv 1,Baker", "2026-03-09,-7.50,FEE,Bank")
    run = await desk.run(owner="operator")
    assert (run["matched"], run["broken"], run["cleared"]) == (1, 2, 0)
    (match,) = await desk.listed(f"{PATH}/runs/{run['id']}/matches")
    assert (match["how"], match["why"], match["items"]["left"]) == (
        "reference", "The same reference INV1 and amount.", [f"{transfer}.0"],
    )  # fmt: skip
    found = await desk.breaks(run=run["id"])
    assert [(b["kind"], b["difference"], b["state"]) for b in found] == [
        ("missing_at_bank", "30.00", "open"), ("missing_in_ledger", "-7.50", "open"),
    ]  # fmt: skip
    cases = await desk.listed("/v1/cases", state="open", kind="reconciliation_break", owner="operator")
    assert [case["id"] for case in cases] == [b["case_id"] for b in found]
    assert [case["subject"] for case in cases] == [{"kind": "break", "id": b["id"]} for b in found]
    await desk.file("2026-03-06,-30.00,INV-2,Butcher")
    again = await desk.run()
    assert (again["matched"], again["broken"], again["cleared"]) == (2, 1, 1)
    assert [b["id"] for b in await desk.breaks(break_state="cleared")] == [found[0]["id"]]
    assert [b["id"] for b in await desk.breaks(break_state="open")] == [found[1]["id"]]
    assert [case["id"] for case in await desk.listed("/v1/cases", state="resolved")] == [found[0]["case_id"]]
    assert len(await desk.listed("/v1/cases")) == 2


async def test_what_is_accepted_is_looked_at_no_more(desk: Desk) -> None:
    await desk.file("2026-03-09,-7.50,FEE,Bank")
    await desk.run()
    (found,) = await desk.breaks()
    body = {"reason": "too_small", "note": "Not worth it."}
    accepted = await desk.made(f"{PATH}/breaks/{found['id']}/accept", body)
    assert (accepted["state"], accepted["reason"], accepted["transfer_id"]) == ("accepted", "too_small", None)
    assert (await desk.listed("/v1/cases"))[0]["state"] == "resolved"
    again = await desk.run()
    assert (again["broken"], again["settled"]) == (0, 1)
    twice = await desk.post(f"{PATH}/breaks/{found['id']}/accept", body)
    assert (twice.status_code, twice.json()["code"]) == (409, "state_conflict")


async def test_what_the_ledger_lacks_is_posted_once_with_its_reason(desk: Desk) -> None:
    await desk.file("2026-03-09,-7.50,FEE,Bank")
    await desk.run()
    (found,) = await desk.breaks()
    path, body = f"{PATH}/breaks/{found['id']}/post", {"reason": "bank_fee", "counter": "fees"}
    answers = await asyncio.gather(*(desk.post(path, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    (posted,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert (posted["source"], posted["target"], posted["amount"]) == ("bank", "fees", "7.50")
    assert posted["metadata"] == {"break": found["id"], "reason": "bank_fee"}
    assert posted["effective_at"].startswith("2026-03-09")
    settled = (await desk.breaks())[0]
    assert (settled["state"], settled["reason"], settled["transfer_id"]) == ("posted", "bank_fee", posted["id"])
    again = await desk.run()
    assert (again["matched"], again["broken"], again["settled"]) == (0, 0, 2)
    balance = await desk.client.get("/v1/accounts/bank/balance", headers=bearing(desk.tenant.agent))
    assert balance.json()["posted"] == "-7.50"


async def test_a_posting_is_replayed_under_its_key_and_refused_for_what_was_settled_otherwise(desk: Desk) -> None:
    await desk.file("2026-03-09,-7.50,FEE,Bank", "2026-03-10,9.00,GIFT,Aunt")
    await desk.run()
    first, second = await desk.breaks()
    body = {"reason": "bank_fee", "counter": "fees"}
    posted = await desk.post(f"{PATH}/breaks/{first['id']}/post", body, "the-key")
    replayed = await desk.post(f"{PATH}/breaks/{first['id']}/post", body, "the-key")
    assert (posted.status_code, posted.content) == (201, replayed.content)
    assert replayed.headers["Idempotent-Replayed"] == "true"
    await desk.made(f"{PATH}/breaks/{second['id']}/accept", {"reason": "known", "note": "She always does."})
    refused = await desk.post(f"{PATH}/breaks/{second['id']}/post", body)
    assert (refused.status_code, refused.json()["code"], refused.json()["money_moved"]) == (409, "state_conflict", "no")


async def test_an_amount_that_differs_is_posted_to_the_cent(desk: Desk) -> None:
    await desk.pay("2026-03-02", "12.00", "INV-1")
    await desk.file("2026-03-02,-12.35,INV-1,Baker")
    await desk.run()
    (found,) = await desk.breaks()
    assert (found["kind"], found["difference"]) == ("amount_differs", "-0.35")
    posted = await desk.made(f"{PATH}/breaks/{found['id']}/post", {"reason": "rounding", "counter": "fees"})
    assert (posted["source"], posted["amount"]) == ("bank", "0.35")
    assert (await desk.run())["settled"] == 3


async def test_the_ledger_the_provider_and_the_bank_are_compared_three_ways(desk: Desk) -> None:
    """Two charges with fees and their payout, which the bank prints a day later; one more payout never arrives."""
    for reference, amount, fee in (("pay_1", "100.00", "3.20"), ("pay_2", "50.00", "1.75")):
        await desk.pay("2026-03-02", amount, reference, "world:customers", "clearing")
        await desk.pay("2026-03-02", fee, reference, "clearing", "fees")
    await desk.pay("2026-03-04", "145.05", "po_1", "clearing", "bank")
    csv = """id,kind,day,currency,amount,fee,reference
txn_1,charge,2026-03-02,USD,100.00,3.20,pay_1
txn_2,charge,2026-03-02,USD,50.00,1.75,pay_2
txn_3,payout,2026-03-04,USD,-145.05,0,po_1
txn_4,payout,2026-03-05,USD,-9.00,0,po_2
"""
    body = {"provider": "acme", "content": base64.b64encode(csv.encode()).decode()}
    assert (await desk.made(f"{PATH}/provider-transactions", body))["new"] == 4
    assert (await desk.made(f"{PATH}/provider-transactions", body))["new"] == 0
    await desk.file("2026-03-05,145.05,po_1,ACME PAYMENTS")
    run = await desk.run(provider="acme", clearing="clearing")
    found = await desk.breaks(run=run["id"])
    assert [(b["leg"], b["kind"], b["difference"]) for b in found] == [
        ("ledger_provider", "missing_in_ledger", "-9.00"), ("provider_bank", "missing_at_bank", "-9.00"),
    ]  # fmt: skip
    matches = await desk.listed(f"{PATH}/runs/{run['id']}/matches")
    assert Counter((m["leg"], m["how"]) for m in matches) == {
        ("ledger_bank", "reference"): 1, ("ledger_provider", "references_together"): 2,
        ("ledger_provider", "reference"): 1, ("provider_bank", "reference"): 1,
    }  # fmt: skip
    path = f"{PATH}/breaks/{found[1]['id']}/post"
    answer = await desk.post(path, {"reason": "lost", "counter": "fees"})
    assert (answer.status_code, answer.json()["code"]) == (409, "state_conflict")


async def test_an_agent_reads_and_changes_nothing(desk: Desk) -> None:
    await desk.file("2026-03-09,-7.50,FEE,Bank")
    run = await desk.run()
    (found,) = await desk.breaks(run=run["id"])
    for path, body in (
        (f"{PATH}/runs", {**PERIOD, "account": "bank", "source": "mybank", "bank_account": "B1"}),
        (f"{PATH}/breaks/{found['id']}/accept", {"reason": "known", "note": "Let me."}),
        (f"{PATH}/breaks/{found['id']}/post", {"reason": "known", "counter": "fees"}),
    ):
        answer = await desk.client.post(path, json=body, headers=bearing(desk.tenant.agent))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    assert (await desk.breaks())[0]["state"] == "open"


@pytest.mark.parametrize(
    ("more", "argument"),
    [
        ({"last_day": "2026-02-01"}, "last_day"),
        ({"last_day": "2028-02-01"}, "last_day"),
        ({"source": None}, "bank_account"),
        ({"source": None, "bank_account": None}, "account"),
        ({"currency": "EUR"}, "currency"),
        ({"days": 10, "far_days": 5}, "far_days"),
        ({"first_day": "2026-02-30"}, "first_day"),
    ],
)
async def test_what_cannot_be_compared_is_refused(desk: Desk, more: dict[str, Any], argument: str) -> None:
    scope = {**PERIOD, "account": "bank", "source": "mybank", "bank_account": "B1", **more}
    answer = await desk.post(f"{PATH}/runs", scope)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(argument)


async def test_of_standing_orders_exactly_what_was_planted_is_found(desk: Desk) -> None:
    """Real orders as payments in the ledger, the bank's own lines with differences in them as its file."""
    statements = statements_of(SAMPLE / "berka.csv")
    payments = list(payments_of(SAMPLE / "orders.csv", statements))
    planting = plant(statements, 7, 2)
    await desk.open("world:banks", "CZK")
    for account in sorted({p.account for p in payments}):
        await desk.open(f"berka-{account}", "CZK")
    transfers = [
        {
            "source": f"berka-{p.account}", "target": "world:banks", "amount": show_minor(-p.change_minor, "CZK"),
            "currency": "CZK", "effective_at": f"{p.day}T00:00:00Z",
            "metadata": {"counterparty": p.payee, "order": p.order},
        }
        for p in payments
    ]  # fmt: skip
    assert (await desk.made("/v1/transfers/batch", {"mode": "each", "transfers": transfers}))["posted"] == 78
    found: Counter[tuple[str, str, str]] = Counter()
    for statement in planting.statements:
        await file_again(desk, statement)
        run = await desk.made(f"{PATH}/runs", {
            "currency": "CZK", "first_day": "1993-04-01", "last_day": "1994-04-15", "counterparty_decides": True,
            "account": f"berka-{statement.account}", "source": "berka", "bank_account": statement.account,
        })  # fmt: skip
        found.update([(b["kind"], statement.account, b["difference"]) for b in await desk.breaks(run=run["id"])])
    wanted = [(p.kind, p.account, show_minor(p.bank_minor - p.ledger_minor, "CZK")) for p in planting.expected]
    assert len(wanted) == 10
    assert found == Counter(wanted)
    assert len(await desk.listed("/v1/cases", state="open", kind="reconciliation_break")) == 10


async def file_again(desk: Desk, statement: Statement) -> None:
    """A statement as a bank's CSV."""
    rows = [
        f"{line.day},{show_minor(line.change_minor, 'CZK')},{line.bank_reference or ''},{line.counterparty or ''}"
        for line in statement.lines
    ]
    content = "\n".join(["day,amount,id,who", *rows]).encode()
    columns = {"date": "day", "amount": "amount", "bank_reference": "id", "counterparty": ["who"]}
    body = {"source": "berka", "format": "csv", "account": statement.account, "mapping": {
        "currency": "CZK", "columns": columns,
    }}  # fmt: skip
    await desk.made(f"{PATH}/statements", {**body, "content": base64.b64encode(content).decode()})
