"""A day agrees with one of the balances that the bank printed for it, or it is a break: none missed, none made up."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest

from bursar.core.ledger.orders import Move, SendMoney
from bursar.core.ledger.outcomes import Done
from bursar.features.reconciliation.model import Break, compare, read_tolerance
from bursar.features.reconciliation.reading import read_printed
from bursar.kernel.ids import new_id
from bursar.kernel.money import Money
from bursar.kernel.refusal import InvalidArgument
from tests.statements import BERKA, SAMPLE, Office, line
from tests.stories import Story

FIRST, SECOND, THIRD = date(1993, 1, 1), date(1993, 1, 2), date(1993, 1, 5)


def koruna(minor: int) -> Money:
    return Money(minor, "CZK")


@pytest.mark.parametrize(
    ("printed", "held", "tolerance", "nearest"),
    [
        ([500], 500, 0, None),
        ([501], 500, 0, 501),
        ([600], 500, 100, None),
        ([601], 500, 100, 601),
        ([399], 500, 100, 399),
        ([9000, 500, -3], 500, 0, None),
        ([9000, 700, -3], 500, 100, 700),
        ([300, 700], 500, 100, 300),
        ([0], 0, 0, None),
        ([-100], 0, 0, -100),
    ],
)
def test_a_day_agrees_with_any_balance_of_it_within_the_tolerance(
    printed: list[int], held: int, tolerance: int, nearest: int | None
) -> None:
    found = compare({"a": {FIRST: printed}}, {"a": [(FIRST, held)]}, "CZK", tolerance)
    assert found == ([] if nearest is None else [Break("a", FIRST, koruna(nearest), koruna(held))])


def test_a_balance_stays_until_the_next_change_and_is_nothing_before_the_first() -> None:
    printed = {"a": {FIRST: [1], SECOND: [500], THIRD: [500]}, "b": {THIRD: [7]}}
    found = compare(printed, {"a": [(SECOND, 500)]}, "CZK", 0)
    assert [(b.account, b.day, str(b.bank), str(b.ledger), str(b.difference)) for b in found] == [
        ("a", FIRST, "0.01", "0.00", "0.01"),
        ("b", THIRD, "0.07", "0.00", "0.07"),
    ]


def test_breaks_come_in_order_of_days() -> None:
    printed = {"b": {SECOND: [1], FIRST: [1]}, "a": {SECOND: [1]}}
    found = compare(printed, {}, "CZK", 0)
    assert [(b.day, b.account) for b in found] == [(FIRST, "b"), (SECOND, "a"), (SECOND, "b")]


@pytest.mark.parametrize("text", ["-1.00", "1.005", "x", "", "1e2"])
def test_a_tolerance_is_an_amount_or_nothing(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_tolerance(text, "CZK")
    assert refused.value.argument == "tolerance"


def test_a_tolerance_is_read_exactly() -> None:
    assert [read_tolerance(text, "CZK") for text in ("0", "0.00", "1.00", "0.29")] == [0, 0, 100, 29]


async def test_the_two_breaks_of_the_sample_are_found_and_no_other(office: Office) -> None:
    await office.bring(SAMPLE)
    report = await office.compare(SAMPLE)
    assert (report.movements, report.accounts, report.account_days) == (772, 20, 651)
    assert (str(report.credits), str(report.debits)) == ("3195033.30", "2524290.70")
    assert [(b.account, b.day.isoformat(), str(b.bank), str(b.ledger), str(b.difference)) for b in report.breaks] == [
        ("11065", "1994-03-31", "33897.00", "33766.70", "130.30"),
        ("11135", "1994-03-31", "35904.00", "35742.30", "161.70"),
    ]


async def test_without_tolerance_the_bank_disagrees_where_it_rounded(office: Office) -> None:
    await office.bring(SAMPLE)
    found = (await office.compare(SAMPLE, 0)).breaks
    assert len(found) > 2
    assert sum(abs(b.difference.minor) > 100 for b in found) == 2


async def test_a_planted_break_is_found_from_its_day_on(office: Office) -> None:
    header, *lines = SAMPLE.read_bytes().splitlines(keepends=True)
    missing = max(lines, key=lambda text: Decimal(text.split(b";")[5].decode()))
    lines.remove(missing)
    account, day = missing.decode().split(";")[1:3]
    part = office.folder / "part.csv"
    part.write_bytes(header + b"".join(lines))
    await office.bring(part)
    found = (await office.compare(SAMPLE)).breaks
    days = sorted(b.day.strftime("%y%m%d") for b in found if b.account == account)
    printed = read_printed(BytesIO(SAMPLE.read_bytes()), BERKA).balances[account]
    assert days == sorted(d for d in (p.strftime("%y%m%d") for p in printed) if d >= day)
    assert {b.account for b in found} == {account, "11065", "11135"}


async def test_a_forged_balance_is_found_on_its_day_alone(office: Office) -> None:
    lines = [line("1", balance="100.00"), line("2", date="930102", balance="250.00"), line("3", date="930103")]
    forged = office.write(*lines[:2], line("3", date="930103", balance="300.00"))
    await office.bring(forged)
    (found,) = (await office.compare(forged)).breaks
    assert (found.day, str(found.bank), str(found.ledger)) == (SECOND, "250.00", "200.00")


async def test_an_account_that_was_never_imported_breaks_on_all_its_days_with_nothing(office: Office) -> None:
    await office.bring_lines(line("1"))
    report = await office.compare(
        office.write(line("1"), line("2", account="99"), line("3", account="99", date="930102"))
    )
    assert [(b.account, b.day, str(b.ledger)) for b in report.breaks] == [("99", FIRST, "0.00"), ("99", SECOND, "0.00")]
    assert (report.movements, report.accounts, report.account_days) == (1, 1, 3)


async def test_only_the_accounts_and_days_of_the_file_count(office: Office) -> None:
    await office.bring_lines(line("1"), line("2", account="99"), line("3", date="930105", balance="200.00"))
    report = await office.compare(office.write(line("1")))
    assert (report.movements, report.accounts, str(report.credits), report.breaks) == (1, 1, "100.00", [])
    later = await office.compare(office.write(line("3", date="930105", balance="200.00")))
    assert (later.movements, later.breaks) == (1, [])


async def test_an_account_of_another_currency_holds_nothing_that_the_statement_is_about(office: Office) -> None:
    story = await Story.begin(office.database, office.tenant_id)
    await story.tell("1787 opens in EUR")
    await story.tell("world:funding:EUR opens in EUR floor none")
    moves = (Move("world:funding:EUR", "1787", Money(10000, "EUR")),)
    order = SendMoney(new_id(), new_id(), moves, effective_at=datetime(1993, 1, 1, tzinfo=UTC), world=True)
    (outcome,) = await story.carry_out([order])
    assert isinstance(outcome, Done)
    (found,) = (await office.compare(office.write(line("1", balance="100.00")))).breaks
    assert str(found.ledger) == "0.00"


async def test_a_movement_without_a_printed_balance_is_counted_but_not_compared(office: Office) -> None:
    path = office.write(line("1", balance=""), line("2", date="930102", balance="200.00"))
    await office.bring(path)
    report = await office.compare(path)
    assert (report.movements, report.account_days, report.breaks) == (2, 1, [])


async def test_lines_that_cannot_be_read_are_told(office: Office) -> None:
    path = office.write(line("1"), line("2", balance="x"))
    await office.bring(path)
    report = await office.compare(path)
    assert [bad.line for bad in report.bad_lines] == [3]
    assert (report.movements, report.breaks) == (1, [])


async def test_an_empty_statement_agrees_with_everything(office: Office) -> None:
    report = await office.compare(office.write())
    assert (report.movements, report.accounts, report.account_days, report.breaks) == (0, 0, 0, [])


async def test_a_transfer_dated_back_is_a_break_but_no_movement_of_a_statement(office: Office) -> None:
    path = office.write(line("1"), line("2", date="930102", balance="200.00"))
    await office.bring(path)
    story = await Story.begin(office.database, office.tenant_id)
    await story.tell("other opens in CZK floor none")
    moves = (Move("1787", "other", koruna(5000)),)
    (outcome,) = await story.carry_out(
        [SendMoney(new_id(), new_id(), moves, effective_at=datetime(1993, 1, 2, 12, tzinfo=UTC))]
    )
    assert isinstance(outcome, Done)
    report = await office.compare(path)
    assert (report.movements, str(report.credits), str(report.debits)) == (2, "200.00", "0.00")
    assert [(b.day, str(b.bank), str(b.ledger)) for b in report.breaks] == [(SECOND, "200.00", "150.00")]
