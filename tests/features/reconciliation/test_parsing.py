"""Statements in every format: what is read, and that nothing hostile is more than a refusal with a reason."""

import random
from datetime import date
from typing import Any

import pytest

from bursar.features.reconciliation import lines
from bursar.features.reconciliation.csv_statement import read_mapping
from bursar.features.reconciliation.lines import Format, Statement, StatementLine, identities
from bursar.features.reconciliation.parsing import read_statements
from bursar.kernel.refusal import InvalidArgument
from tests.features.reconciliation.bank_files import CSV, CSV_MAPPING, MT940, camt

SECOND, THIRD = date(2026, 3, 2), date(2026, 3, 3)
BILLION = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d>&b;</d>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><d>&a;</d>"""


def read(
    content: bytes | str, format: Format = "csv", mapping: Any = CSV_MAPPING, account: str | None = "B1"
) -> Statement:
    raw = content.encode() if isinstance(content, str) else content
    (statement,) = read_statements(raw, format, read_mapping(mapping) if format == "csv" else None, account)
    return statement


def refused(content: bytes | str, format: Format = "csv", mapping: Any = CSV_MAPPING) -> str:
    with pytest.raises(InvalidArgument) as refusal:
        read(content, format, mapping)
    return refusal.value.detail


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
def test_camt053_of_any_version_with_a_batch_as_its_parts_and_nothing_pending(version: str) -> None:
    statement = read(camt(version), "camt053")
    assert (statement.account, statement.currency, statement.number) == ("DE02120300000000202051", "EUR", "S-2026-03")
    assert (statement.opening_minor, statement.closing_minor) == (100000, 80990)
    assert statement.lines == [
        StatementLine(1, SECOND, -25010, "INV-1", "B-1", "DE99", "Rent March"),
        StatementLine(2, THIRD, 2000, "P-1", "B-2"),
        StatementLine(2, THIRD, 4000, "P-2", "B-2"),
    ]


def test_a_batch_whose_parts_do_not_add_up_stays_one_line() -> None:
    statement = read(camt().replace(b">20.00<", b">21.00<"), "camt053")
    assert [line.change_minor for line in statement.lines] == [-25010, 6000]


def test_mt940() -> None:
    statement = read(MT940, "mt940")
    assert (statement.account, statement.currency) == ("DE02120300000000202051", "EUR")
    assert (statement.opening_minor, statement.closing_minor) == (100000, 80990)
    assert statement.lines == [
        StatementLine(5, SECOND, -25010, "INV-1", "B-1", "DE99", "Rent March"),
        StatementLine(7, THIRD, 6000, "NONREF", None, None, "plain text"),
    ]
    assert read(MT940.replace("\n", "\r\n"), "mt940") == statement


def test_csv_by_mapping() -> None:
    statement = read(CSV)
    assert (statement.account, statement.opening_minor, statement.closing_minor) == ("B1", 100000, -19010)
    assert statement.lines == [
        StatementLine(2, SECOND, -125010, "INV-1", None, "Baker", "Rent March"),
        StatementLine(3, THIRD, 6000, None, None, "Müller & Co", "Refund"),
    ]


@pytest.mark.parametrize(
    ("columns", "more", "rows", "changes"),
    [
        ({"amount": "A"}, {}, "A\n1.50\n-2\n", [150, -200]),
        ({"amount": "A"}, {"reversed": True}, "A\n1.50\n-2\n", [-150, 200]),
        ({"credit": "C", "debit": "D"}, {}, "C,D\n1.50,\n,2.00\n", [150, -200]),
        ({"amount": "A", "direction": "T"}, {"outgoing": ["D"]}, "A,T\n1.50,K\n2.00,D\n", [150, -200]),
        ({"amount": "A"}, {}, 'A\n"1,234,567.89"\n', [123456789]),
        ({"amount": "A"}, {"only": {"T": ["x"]}}, "A,T\n1,x\n2,y\n", [100]),
    ],
)
def test_the_ways_in_which_banks_write_amounts(
    columns: dict[str, Any], more: dict[str, Any], rows: str, changes: list[int]
) -> None:
    header, *others = rows.splitlines()
    text = "\n".join([f"Day,{header}", *(f"2026-03-02,{row}" for row in others)])
    mapping = {"currency": "EUR", "columns": {"date": "Day", **columns}, **more}
    assert [line.change_minor for line in read(text, mapping=mapping).lines] == changes


def test_minor_units_are_those_of_the_currency() -> None:
    text, columns = "D,A\n2026-03-02,1250\n", {"date": "D", "amount": "A"}
    assert read(text, mapping={"currency": "JPY", "columns": columns}).lines[0].change_minor == 1250
    assert read(text, mapping={"currency": "BHD", "columns": columns}).lines[0].change_minor == 1250000
    assert "more decimals" in refused("D,A\n2026-03-02,1.5\n", mapping={"currency": "JPY", "columns": columns})


@pytest.mark.parametrize(
    ("content", "format", "reason"),
    [
        (BILLION, "camt053", "declares a DTD or entities"),
        (OUTSIDE, "camt053", "declares a DTD or entities"),
        (camt()[:-60], "camt053", "is not well-formed XML"),
        (b"\xff\xfe\x00", "camt053", "content: "),
        (b'<?xml version="1.0" encoding="x-nobody"?><a/>', "camt053", "content: "),
        (b"<a/>", "camt053", "has no BkToCstmrStmt"),
        (camt(closing="809.91"), "camt053", "the lines come to 809.90 where the closing balance is 809.91 EUR"),
        (camt().replace(b"250.10", b"NaN"), "camt053", "entry 1 has an amount that is no decimal number"),
        (camt().replace(b"250.10", b"250.101"), "camt053", "more decimals or digits than EUR takes"),
        (camt().replace(b'Ccy="EUR">60', b'Ccy="USD">60'), "camt053", "entry 2 is not in the statement's currency"),
        (camt().replace(b"<Dt>2026-03-02", b"<Dt>2026-13-02"), "camt053", "entry 1 has no date of booking"),
        (camt().replace(b"Rent", "Re\u202ent".encode()), "camt053", "characters that cannot be printed"),
        (MT940[:MT940.index(":62F:")], "mt940", "line 1: a statement lacks its account (:25:) or a balance"),
        (MT940.replace("809,90", "809,91"), "mt940", "the lines come to 809.90"),
        (MT940.replace("260302", "261399", 1), "mt940", "line 1: a field is not of its form"),
        ("nothing", "mt940", "no line begins with :20:"),
        (MT940.replace("plain", "p" * 5000), "mt940", "line 8: is longer than 4000 characters"),
        (CSV.replace("Payee", "Payer"), "csv", "line 1: the header must have the columns for counterparty once each"),
        (CSV.replace("60,00;", "60,0x;"), "csv", "line 3: an amount is not a decimal number"),
        (CSV.replace("60,00;", "\uff11\uff12;"), "csv", "line 3: an amount is not a decimal number"),
        (CSV.replace("03.03.2026", "2026-03-03"), "csv", "line 3: the date is not written as date_format says"),
        (CSV.replace("60,00;", "0,00;"), "csv", "line 3: the amount is zero"),
        (CSV.replace("Refund;", ""), "csv", "line 3: has 5 columns where the header has 6"),
        (CSV.replace(";Rent", ';"Rent'), "csv", "is not CSV of this mapping"),
        (CSV.encode("utf-16"), "csv", "is not utf-8 text"),
        (CSV.encode("latin-1"), "csv", "line 3: is not utf-8 text"),
        (CSV + "\x00", "csv", "has a NUL character"),
        (CSV.replace("-190,10", "-190,11"), "csv", "the lines come to -190.10"),
        ("", "csv", "the header must have"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_reason(content: bytes | str, format: Format, reason: str) -> None:
    assert reason in refused(content, format)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "XXX1"}, "currency"),
        ({"columns": {"date": "D"}}, "needs the column amount, or both"),
        ({"delimiter": '"'}, "the same character"),
        ({"outgoing": ["D"]}, "needs both a column direction"),
        ({"nobody": 1}, "nobody"),
    ],
)
def test_a_mapping_that_says_too_little_or_too_much_is_refused(change: dict[str, Any], reason: str) -> None:
    assert reason in refused(CSV, mapping={**CSV_MAPPING, **change})


def test_what_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_LINES", 1)
    assert "more than 1 lines" in refused(CSV + "04.03.2026;1,00;;;;-189,10\n")
    for format in ("csv", "mt940", "camt053"):
        assert "larger than" in refused(b" " * (lines.MOST_BYTES + 1), format)


@pytest.mark.parametrize("format", ["csv", "mt940", "camt053"])
def test_two_thousand_mutilated_files_are_read_or_refused_and_nothing_else(format: Format) -> None:
    dice = random.Random(7)
    whole = {"csv": CSV.encode(), "mt940": MT940.encode(), "camt053": camt()}[format]
    mapping = read_mapping(CSV_MAPPING) if format == "csv" else None
    outcomes = {"read": 0, "refused": 0}
    for _ in range(2_000):
        broken = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            start = dice.randrange(len(broken))
            broken[start : start + dice.choice((0, 1, 1, 5, 40))] = dice.randbytes(dice.choice((0, 1, 1, 3)))
        try:
            read_statements(bytes(broken), format, mapping, "B1")
            outcomes["read"] += 1
        except InvalidArgument:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 500


def test_a_line_is_known_by_what_the_bank_says_of_it_and_by_how_often() -> None:
    once, twice = read(CSV), read(CSV + CSV.splitlines()[1].replace("-250,10", "-1.440,20") + "\n")
    assert len(set(identities(twice))) == 3
    assert identities(twice)[:2] == identities(once)
