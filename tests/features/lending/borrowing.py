"""Loans for tests: agreed, paid out, and held against the general ledger."""

from datetime import UTC, date, datetime
from typing import Any

import psycopg

from bursar.features.lending.booking import number_of
from bursar.features.lending.catalog import Product
from bursar.features.lending.keeping import event_of
from bursar.features.lending.loan import Loan
from bursar.features.lending.postings import balances_of
from bursar.features.lending.replay import replay
from tests.features.lending.applying import Lender


def today() -> date:
    """The business day."""
    return datetime.now(UTC).date()


async def accepted(lender: Lender, who: str, seen_by: str | None = None, **wish: Any) -> Any:
    """A loan that is agreed and not paid out, as the operator sees it; `seen_by` is the key of whoever took it in."""
    found = await lender.submitted(seen_by or who, **{k: v for k, v in wish.items() if v is not None})
    approved = await lender.decide(who, found, "approved", reason="A regular income.")
    assert approved.is_success, approved.text
    path = f"/applications/{found['id']}"
    offered = await lender.ok(who, f"{path}/offer", {"version": approved.json()["version"]})
    taken = {"version": offered["version"], "terms_hash": offered["offer"]["terms_hash"]}
    return await lender.get(f"/loans/{(await lender.ok('operator', f'{path}/accept', taken))['loan_id']}")


async def borrowed(lender: Lender, on: date | None = None, who: str = "ann", **wish: Any) -> Any:
    """A loan that was paid out, on that day."""
    loan = await accepted(lender, who, **wish)
    body = {"account": lender.tenant.side} | ({"on": str(on)} if on else {})
    return await lender.ok("operator", f"/loans/{loan['id']}/disburse", body)


async def rich(lender: Lender) -> None:
    """The borrower can pay whatever there is to pay."""
    move = {"source": lender.tenant.main, "target": lender.tenant.side, "amount": "9000", "currency": "USD"}
    await lender.ok("operator", "/transfers", move)


async def balance(lender: Lender, number: str) -> int:
    """What an account has, in minor units."""
    found = await lender.get(f"/accounts/{number}/balance")
    return int(found["posted"].replace(".", ""))


async def book_of(lender: Lender, product: str) -> dict[str, int]:
    """What the accounts of a product's loans have, but for those without anything."""
    found = {name: await balance(lender, number_of(product, "USD", name)) for name in ("principal", "funding")}
    return {name: minor for name, minor in found.items() if minor}


def in_order(database_url: str) -> None:
    """Every loan is what its facts make of it, and together they are what the general ledger says."""
    with psycopg.connect(database_url, options="-c search_path=bursar") as connection:
        loans = connection.execute(
            """SELECT l.*, p.plan, p.closed, t.terms FROM loan l
               JOIN loan_plan p ON (p.tenant_id, p.loan_id) = (l.tenant_id, l.id)
               JOIN loan_product t ON (t.tenant_id, t.code, t.version) = (l.tenant_id, l.product, l.product_version)"""
        ).fetchall()
        sums: dict[tuple[Any, str], int] = {}
        for tenant_id, *columns, plan, closed, text in loans:
            loan, product = Loan(*columns), Product(columns[2], columns[3], text)
            facts = connection.execute(
                "SELECT type, happened_on, seq, body FROM loan_fact WHERE tenant_id = %s AND loan_id = %s ORDER BY seq",
                [tenant_id, loan.id],
            ).fetchall()
            assert loan.day
            known = loan.known(plan, closed)
            assert known == replay(loan.terms(product), [event_of(*fact) for fact in facts], loan.day)
            assert loan == loan.at(known)
            for account, minor in balances_of(known.flows).items():
                number = number_of(loan.product, loan.currency, account)
                sums[tenant_id, number] = sums.get((tenant_id, number), 0) + minor
        booked = connection.execute(
            """SELECT tenant_id, number, CASE normal_side WHEN 'debit' THEN posted_minor ELSE -posted_minor END
               FROM account WHERE number LIKE 'world:loans:%'"""
        ).fetchall()
        assert {(tenant, number): minor for tenant, number, minor in booked if minor} == {
            key: minor for key, minor in sums.items() if minor
        }
