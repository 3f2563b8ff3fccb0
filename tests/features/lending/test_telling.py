"""What became of a loan, as whoever may see it is told: its repayments, its statement, page by page and as CSV."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

from tests.api.tenants import bearing
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import accepted, borrowed, today

PARTS = ("principal", "interest", "fees", "penalties")


async def repaid(lender: Lender) -> str:
    """A loan of 90 days ago with three repayments, of which the second was reversed."""
    loan = await borrowed(lender, on=today() - timedelta(days=90))
    account = {"account": lender.tenant.side}
    for days, amount in ((60, "150.00"), (30, "90.00"), (0, "20.00")):
        body = {**account, "amount": amount, "on": str(today() - timedelta(days=days))}
        await lender.ok("operator", f"/loans/{loan['id']}/repay", body)
    await lender.ok("operator", f"/loans/{loan['id']}/reverse", {"repayment": 3, "reason": "It bounced."})
    return loan["id"]


async def test_repayments_are_listed_with_what_each_paid(lender: Lender) -> None:
    path = f"/loans/{await repaid(lender)}/repayments"
    first, second, third = (await lender.get(path))["items"]
    assert [(each["seq"], each["amount"], each["reversed"]) for each in (first, second, third)] == [
        (2, "150.00", False), (3, "90.00", True), (4, "20.00", False),
    ]  # fmt: skip
    for each in (first, third):
        assert sum(Decimal(each[part]) for part in (*PARTS, "credit", "recovered")) == Decimal(each["amount"])
        assert each["transfer_id"].startswith("tr_")
    assert {second[part] for part in (*PARTS, "credit", "recovered")} == {"0.00"}
    page = await lender.get(f"{path}?limit=2")
    assert (page["items"], page["next_cursor"]) == ([first, second], "3")
    assert await lender.get(f"{path}?cursor=3") == {"items": [third], "next_cursor": None}


async def test_a_statement_sums_up_and_ends_where_the_loan_stands(lender: Lender) -> None:
    loan_id = await repaid(lender)
    loan = await lender.get(f"/loans/{loan_id}")
    whole = await lender.get(f"/loans/{loan_id}/statement")
    owed = sum(Decimal(loan[part]) for part in PARTS) - Decimal(loan["credit"])
    assert (whole["opening_balance"], Decimal(whole["closing_balance"])) == ("0.00", owed)
    assert (whole["first_day"], whole["last_day"]) == (loan["disbursed_on"], loan["day"])
    balance = Decimal(0)
    for line in whole["lines"]:
        balance += sum(Decimal(line[part]) for part in PARTS) - Decimal(line["credit"])
        assert Decimal(line["balance"]) == balance
    assert [line["type"] for line in whole["lines"] if line["seq"]] == [
        "disbursed", "repaid", "repaid", "repaid", "reversed",
    ]  # fmt: skip
    assert [line["seq"] for line in whole["lines"] if line["undone"]] == [3]
    paged, cursor = list[object](), ""
    while cursor is not None:
        page = await lender.get(f"/loans/{loan_id}/statement?limit=2{cursor and f'&cursor={cursor}'}")
        paged, cursor = paged + page["lines"], page["next_cursor"]
        assert page["closing_balance"] == whole["closing_balance"]
    assert paged == whole["lines"]


async def test_one_period_closes_where_the_next_opens(lender: Lender) -> None:
    path = f"/loans/{await repaid(lender)}/statement"
    for days in (1, 20, 60, 61, 89):
        last = today() - timedelta(days=days)
        before = await lender.get(f"{path}?last={last}")
        after = await lender.get(f"{path}?first={last + timedelta(days=1)}")
        assert before["closing_balance"] == after["opening_balance"]
    # What lies ahead is not known.
    ahead = await lender.get(f"{path}?last={today() + timedelta(days=9)}")
    assert ahead == await lender.get(path)


async def test_a_statement_is_csv_for_whoever_accepts_that(lender: Lender) -> None:
    path = f"/loans/{await repaid(lender)}/statement"
    told = await lender.get(path)
    headers = {**bearing(lender.keys["operator"]), "Accept": "text/csv, */*;q=0.1"}
    answer = await lender.client.get(f"/v1{path}?limit=1", headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    opening, *lines, closing = csv.DictReader(StringIO(answer.text))
    assert (opening["type"], opening["balance"]) == ("opening", told["opening_balance"])
    assert (closing["type"], closing["balance"]) == ("closing", told["closing_balance"])
    assert [(line["on"], line["principal"], line["balance"]) for line in lines] == [
        (line["on"], line["principal"], line["balance"]) for line in told["lines"]
    ]


async def test_who_may_not_see_a_loan_is_told_nothing_of_it_and_what_makes_no_sense_is_refused(lender: Lender) -> None:
    loan_id = await repaid(lender)
    pending = (await accepted(lender, "ann"))["id"]

    async def asked(path: str, who: str = "operator") -> str:
        answer = await lender.client.get(f"/v1/loans/{path}", headers=bearing(lender.keys[who]))
        return refused(answer, 404 if "first" not in path and "cursor" not in path else 422, answer.json()["code"])

    for path in (f"{loan_id}/statement", f"{loan_id}/repayments", "nothing/statement"):
        await asked(path, "bob")
    assert "statement" in await asked(f"{pending}/statement")
    assert (await lender.get(f"/loans/{pending}/repayments"))["items"] == []
    assert "on which the statement ends" in await asked(f"{loan_id}/statement?first={today() + timedelta(days=1)}")
    for cursor in ("x", "2026-02-30.1", "0", "2026-01-01"):
        await asked(f"{loan_id}/statement?cursor={cursor}")
    await asked(f"{loan_id}/repayments?cursor=0")
