"""The portfolio is what the loans are and what the general ledger says, now and on every day that was."""

import csv
import random
from collections import Counter
from datetime import date, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest

from bursar import worker
from bursar.features.lending import nightly
from bursar.features.lending.booking import number_of
from bursar.features.lending.portfolio_store import Outstanding, list_outstanding, list_vintages
from bursar.kernel.db import Database
from tests.api.tenants import bearing
from tests.features.lending.applying import Lender, refused
from tests.features.lending.borrowing import balance, borrowed, in_order, rich, today

DAYS = 400
PARTS = ("principal", "interest", "fees", "penalties")
EARNED = PARTS[1:]
CHARGES = {
    "disbursement_fee": {"ppm": 10_000}, "installment_fee": {"fixed": "1.00"}, "late_fee": {"fixed": "5.00"},
    "grace_days": 3, "penalty_rate_ppm": 120_000,
}  # fmt: skip
PROVISIONS = {"current": 10_000, "days_1_30": 50_000, "days_over_90": 900_000}


def minor(text: str) -> int:
    return int(text.replace(".", ""))


async def report(lender: Lender, which: str, day: date | None = None) -> list[dict[str, Any]]:
    found = await lender.get(f"/loan-portfolio/{which}{f'?day={day}' if day else ''}")
    assert found["day"] == str(day or today())
    return found["rows"]


def fate(chance: random.Random, loan: dict[str, Any], account: str) -> tuple[str, dict[str, Any]]:
    """What happens to a loan, on any day since it was paid out."""
    lived = (today() - date.fromisoformat(loan["disbursed_on"])).days
    on, why = {"on": str(today() - timedelta(days=chance.randint(0, lived)))}, {"reason": "So it was."}
    paid = {"account": account, "amount": f"{chance.choice([30, 120, 250, 700])}.{chance.randint(10, 99)}"}
    return chance.choice(
        [
            *[("repay", paid | on)] * 6,
            ("repay", paid | on | {"keeps": chance.choice(["installment", "term"])}),
            ("reverse", {"repayment": chance.randint(2, 4)} | why),
            ("waive", {"part": chance.choice(["penalty", "fee", "interest"]), "amount": "7.00"} | why | on),
            ("reschedule", {"installments": chance.randint(6, 12)} | why | on),
            ("pause", why | on),
            ("charge-off" if chance.random() < 0.4 else "resume", why | on),
        ]
    )


async def lived(lender: Lender, workers: Database, seed: int, loans: int = 8, facts: int = 50) -> list[str]:
    """A book after 400 days in which anything happened; the codes of its products."""
    chance = random.Random(seed)
    more = {"provisions": PROVISIONS, "policy": {}}
    products = [await lender.product(charges=CHARGES, **more), await lender.product(method="equal_principal", **more)]
    await rich(lender)
    made = [
        await borrowed(lender, today() - timedelta(days=chance.randint(0, DAYS)), product=chance.choice(products))
        for _ in range(loans)
    ]
    for n in range(facts):
        if n % 20 == 0:
            await worker.pass_nights(workers)
        loan = chance.choice(made)
        verb, body = fate(chance, loan, lender.tenant.side)
        answer = await lender.post("operator", f"/loans/{loan['id']}/{verb}", body)
        assert answer.status_code in (200, 404, 409, 422), answer.text
    await worker.pass_nights(workers)
    return products


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_400_days_of_anything_the_portfolio_is_what_the_general_ledger_says(
    lender: Lender, workers: Database, database_url: str, seed: int
) -> None:
    products = await lived(lender, workers, seed)
    rows = await report(lender, "outstanding")
    assert len({row["bucket"] for row in rows}) > 1
    for product in products:
        of_it = [row for row in rows if row["product"] == product]
        for part in PARTS:
            booked = await balance(lender, number_of(product, "USD", part))
            assert sum(minor(row[part]) for row in of_it) == booked, (product, part)
    assert all(minor(row["total"]) == sum(minor(row[part]) for part in PARTS) for row in rows)
    in_order(database_url)
    flows = await report(lender, "cash-flows")
    for product in products:
        of_it = [row for row in flows if row["product"] == product]
        moved = Counter(
            {name: sum(minor(row[name]) for row in of_it) for name in ("disbursed", "received", "returned")}
        )
        funding = await balance(lender, number_of(product, "USD", "funding"))
        assert funding == moved["disbursed"] - moved["received"] + moved["returned"]
    assert await due_by_month(lender) == {
        (row["product"], row["month"]): (minor(row["due"]), minor(row["unpaid"])) for row in flows if minor(row["due"])
    }
    # The loans of all months are all loans.
    vintages = await report(lender, "vintages")
    latest = {(row["product"], row["month"]): row for row in vintages}
    assert {row["day"] for row in latest.values()} == {str(today())}
    for product in products:
        of_it = [row for row in latest.values() if row["product"] == product]
        owed = sum(minor(row["principal"]) for row in rows if row["product"] == product)
        assert sum(minor(row["outstanding"]) for row in of_it) == owed
    assert sum(row["loans"] for row in latest.values()) == len((await lender.get("/loans"))["items"])


async def due_by_month(lender: Lender) -> dict[tuple[str, str], tuple[int, int]]:
    """What falls due and what of it is unpaid, by the schedule of each loan."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for loan in (await lender.get("/loans"))["items"]:
        for row in (await lender.get(f"/loans/{loan['id']}/schedule"))["rows"]:
            key = loan["product"], row["due"][:7]
            due, unpaid = found.get(key, (0, 0))
            found[key] = due + minor(row["total"]), unpaid + minor(row["unpaid"])
    return {key: sums for key, sums in found.items() if sums[0]}


async def test_a_past_day_is_told_as_it_was_known_then(lender: Lender, workers: Database, database_url: str) -> None:
    product = await lender.product(charges=CHARGES, provisions=PROVISIONS)
    began = today() - timedelta(days=210)
    stood: dict[date, list[Outstanding]] = {}
    for n in (0, 1, 31, 33, 45, 60, 75, 100, 130, 131, 200):
        day = began + timedelta(days=n)
        async with workers.transaction(lender.tenant.id) as tx:
            await nightly.pass_nights(tx, day, 10)
            stood[day] = await list_outstanding(tx, None)
        if n in (0, 31, 75):
            await borrowed(lender, day, product=product, amount=f"{1200 - n}.00")
    async with workers.transaction(lender.tenant.id) as tx:
        for day, rows in stood.items():
            assert await list_outstanding(tx, day) == rows
            assert booked_by(database_url, product, day) == {
                part: sum(getattr(row, part) for row in rows) for part in EARNED
            }
            # The rows of that day of all months say the same.
            months = [row for row in await list_vintages(tx, day, now=False) if row.day == day]
            assert sum(row.outstanding for row in months) == sum(row.principal for row in rows)
            late = {row.bucket: row.principal for row in rows}
            assert sum(row.over_90 for row in months) == late.get("90+", 0)
            over_30 = sum(late.get(bucket, 0) for bucket in ("31-60", "61-90", "90+"))
            assert sum(row.over_30 for row in months) == over_30
    assert {row.bucket for rows in stood.values() for row in rows} == {"current", "1-30", "31-60", "61-90", "90+"}


def booked_by(database_url: str, product: str, day: date) -> dict[str, int]:
    """What the general ledger has on the product's accounts at the opening of a day, but for what is paid out today."""
    with psycopg.connect(database_url, options="-c search_path=bursar -c timezone=UTC") as connection:
        found = connection.execute(
            """SELECT a.number, coalesce(sum(p.amount_minor * CASE WHEN p.source_id = a.id THEN 1 ELSE -1 END), 0)
               FROM account a
               LEFT JOIN (
                   posting p JOIN entry e ON e.id = p.entry_id AND e.effective_at <= %s::date
               ) ON a.id IN (p.source_id, p.target_id)
               WHERE a.number LIKE %s GROUP BY a.number""",
            [day, f"world:loans:{product}:%"],
        ).fetchall()
    booked = {number.rpartition(":")[2]: int(minor) for number, minor in found}
    return {part: booked[part] for part in EARNED}


async def test_what_becomes_known_later_does_not_change_a_past_report(lender: Lender, workers: Database) -> None:
    loan = await borrowed(lender, today() - timedelta(days=100))
    await worker.pass_nights(workers)
    past = today() - timedelta(days=40)
    before, now = await report(lender, "outstanding", past), await report(lender, "outstanding")
    assert [row["bucket"] for row in before] == ["1-30"]
    body = {"account": lender.tenant.side, "amount": "300.00", "on": str(today() - timedelta(days=60))}
    await lender.ok("operator", f"/loans/{loan['id']}/repay", body)
    assert await report(lender, "outstanding", past) == before
    assert await report(lender, "outstanding") != now
    assert await report(lender, "outstanding", today()) == await report(lender, "outstanding")


async def test_a_charge_off_is_told_of_the_month_in_which_the_loan_was_paid_out(
    lender: Lender, workers: Database
) -> None:
    product, began = await lender.product(), today() - timedelta(days=200)
    lost, kept = [await borrowed(lender, began, product=product) for _ in range(2)]
    await worker.pass_nights(workers)
    on = today() - timedelta(days=50)
    await lender.ok("operator", f"/loans/{lost['id']}/charge-off", {"reason": "Gone.", "on": str(on)})
    rows = await report(lender, "vintages")
    assert {(row["month"], row["loans"], row["disbursed"]) for row in rows} == {(f"{began:%Y-%m}", 2, "2400.00")}
    assert [row["months_on_book"] for row in rows] == list(range(len(rows)))
    assert {row["charged_off"] for row in rows if row["day"] >= str(on)} == {"1200.00"}
    assert {row["charged_off"] for row in rows if row["day"] < str(on)} == {"0.00"}
    assert rows[0]["day"] == str((began.replace(day=1) + timedelta(days=32)).replace(day=1))
    last = rows[-1]
    assert (last["day"], last["outstanding"]) == (str(today()), "1200.00")
    assert (last["over_30_ppm"], last["over_90_ppm"]) == (1_000_000, 1_000_000)
    assert (await lender.get(f"/loans/{kept['id']}"))["bucket"] == "90+"


async def test_the_portfolio_is_csv_for_whoever_accepts_that_and_is_not_for_agents(lender: Lender) -> None:
    await borrowed(lender)
    for which in ("outstanding", "vintages", "cash-flows"):
        told = await report(lender, which)
        path = f"/v1/loan-portfolio/{which}"
        headers = {**bearing(lender.keys["operator"]), "Accept": "text/csv"}
        answer = await lender.client.get(path, headers=headers)
        assert answer.headers["content-type"].startswith("text/csv")
        assert [dict(row) for row in csv.DictReader(StringIO(answer.text))] == [
            {name: str(value) for name, value in row.items()} for row in told
        ]
        refused(await lender.client.get(path, headers=bearing(lender.keys["ann"])), 403, "scope_missing")
    tomorrow = today() + timedelta(days=1)
    answer = await lender.client.get(
        f"/v1/loan-portfolio/outstanding?day={tomorrow}", headers=bearing(lender.keys["operator"])
    )
    assert "future" in refused(answer, 422, "invalid_argument")
