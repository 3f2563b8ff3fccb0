"""Loans and their portfolio from the command line: as tables to read, as CSV and as JSON."""

import csv
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from bursar.faces.cli import loans, tables
from bursar.faces.cli.place import tenant_id_of
from bursar.kernel.db import Database
from bursar.kernel.ids import new_id
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from tests.api.serving import client_of, served
from tests.api.tenants import enrol
from tests.features.lending.applying import Lender, lender_of
from tests.features.lending.borrowing import accepted, borrowed, today


@pytest.fixture
async def lender(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Lender]:
    monkeypatch.setenv("BURSAR_DATABASE_URL", database_url)
    async with served(database) as app, client_of(app) as client:
        yield await lender_of(database, client, await enrol(database, client, "main", tenant_id_of("main")))


async def test_loans_are_listed_and_shown_as_at_the_door(lender: Lender, capsys: pytest.CaptureFixture[str]) -> None:
    loan = await borrowed(lender)
    pending = await accepted(lender, "ann")
    found = await loans.listed("active", None, None, None)
    assert [each.model_dump(mode="json") for each in found] == [loan]
    assert [each.id for each in await loans.listed(None, None, None, None)] == [loan["id"], pending["id"]]
    assert (await loans.shown(loan["id"], None, None)).model_dump(mode="json") == loan
    schedule = (await loans.schedule(loan["id"], None, None)).model_dump(mode="json")
    assert schedule == await lender.get(f"/loans/{loan['id']}/schedule")
    tables.print_one(found[0], "table")
    assert f"next due {loan['next_due']}" in " ".join(capsys.readouterr().out.split())
    tables.print_list(await loans.schedule(loan["id"], None, None), "rows", "table")
    shown = capsys.readouterr().out
    assert schedule["rows"][0]["total"] in shown
    # Nothing is charged for lateness yet.
    assert "penalty" in shown
    assert f"payoff: {schedule['payoff']}" in shown
    for of in (loans.schedule(pending["id"], None, None), loans.shown(f"loan_{new_id().hex}", None, None)):
        with pytest.raises(UnknownObject):
            await of
    (product, *_) = await loans.products(None, None)
    assert product.code in {loan["product"], pending["product"]}


async def test_a_statement_is_printed_with_its_opening_and_its_closing(
    lender: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    loan = await borrowed(lender, today() - timedelta(days=40))
    body = {"account": lender.tenant.side, "amount": "120.00"}
    await lender.ok("operator", f"/loans/{loan['id']}/repay", body)
    told = await lender.get(f"/loans/{loan['id']}/statement")
    found = await loans.statement(loan["id"], None, None, None, None)
    capsys.readouterr()
    tables.print_list(found, "lines", "csv")
    opening, *lines, closing = csv.DictReader(StringIO(capsys.readouterr().out))
    assert (opening["type"], closing["type"], closing["balance"]) == ("opening", "closing", told["closing_balance"])
    assert [line["balance"] for line in lines] == [line["balance"] for line in told["lines"]]
    tables.print_list(found, "lines", "table")
    assert f"closing balance: {told['closing_balance']}" in capsys.readouterr().out
    part = await loans.statement(loan["id"], today(), None, None, None)
    assert part.lines[0].balance == part.opening_balance != "0.00"


async def test_a_loan_is_paid_back_once_by_whoever_the_key_is_of(
    lender: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    loan = await borrowed(lender)

    async def repay(once: str, key: str, amount: str = "100.00") -> tuple[int, Any]:
        code = await loans.repay(loan["id"], lender.tenant.side, amount, None, None, once, lender.keys[key], None)
        return code, json.loads(capsys.readouterr().out)

    capsys.readouterr()
    code, told = await repay("first", "ann")
    assert (code, told["credit"]) == (0, "100.00")
    assert await repay("first", "ann") == (code, told)
    code, told = await repay("second", "bob")
    assert (code, told["code"], told["money_moved"]) == (1, "not_found", "no")
    code, told = await repay("third", "ann", "999999.00")
    assert (code, told["code"]) == (1, "insufficient_funds")
    with pytest.raises(InvalidArgument, match="amount"):
        await repay("fourth", "ann", "a lot")
    with pytest.raises(InvalidArgument, match="once"):
        await repay("a b", "ann")
    assert (await lender.get(f"/loans/{loan['id']}"))["credit"] == "100.00"


async def test_the_portfolio_is_printed_in_three_forms(lender: Lender, capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_list(await loans.portfolio("outstanding", None, None, None), "rows", "table")
    assert "There are none." in capsys.readouterr().out
    await borrowed(lender)
    for which in ("outstanding", "vintages", "cash-flows"):
        told = await lender.get(f"/loan-portfolio/{which}")
        found = await loans.portfolio(which, None, None, None)
        capsys.readouterr()
        tables.print_list(found, "rows", "json")
        assert json.loads(capsys.readouterr().out) == told
        tables.print_list(found, "rows", "csv")
        rows = list(csv.DictReader(StringIO(capsys.readouterr().out)))
        assert rows == [{name: str(value) for name, value in row.items()} for row in told["rows"]]
        tables.print_list(found, "rows", "table")
        assert told["rows"][0]["product"] in capsys.readouterr().out
    with pytest.raises(InvalidArgument, match="future"):
        await loans.portfolio("vintages", today() + timedelta(days=1), None, None)
