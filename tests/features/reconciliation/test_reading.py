"""What a bank may write in a line, and what costs that line its place in the book."""

from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest

from bursar.features.reconciliation.mapping import Mapping, read_mapping
from bursar.features.reconciliation.model import BadLine, Movement, WrongHeader
from bursar.features.reconciliation.reading import chunks, read_printed, read_statement
from bursar.kernel.money import Money
from tests.features.reconciliation.test_mapping import OWN
from tests.statements import BERKA, HEADER, line


def read(content: bytes, mapping: Mapping = BERKA) -> list[Movement | BadLine]:
    return list(read_statement(BytesIO(content), mapping))


def read_one(text: str) -> Movement | BadLine:
    (found,) = read(f"{HEADER}\r\n{text}\r\n".encode())
    return found


def test_a_line_becomes_a_movement() -> None:
    found = read_one("695247;2378;930101;PRIJEM;VKLAD;700.00;-700.50;;;")
    assert found == Movement(
        2, "695247", "2378", date(1993, 1, 1), "credit", Money(70000, "CZK"), "world:cash:CZK", "VKLAD", -70050
    )


@pytest.mark.parametrize(
    ("kind", "operation", "symbol", "direction", "world", "description"),
    [
        ("PRIJEM", "VKLAD", "", "credit", "cash", "VKLAD"),
        ("VYBER", "VYBER", " ", "debit", "cash", "VYBER"),
        ("VYDAJ", "VYBER KARTOU", "", "debit", "cash", "VYBER KARTOU"),
        ("VYDAJ", "VYBER", "SLUZBY", "debit", "fees", "VYBER, SLUZBY"),
        ("PRIJEM", "", "UROK", "credit", "interest", "UROK"),
        ("PRIJEM", " ", "UROK ", "credit", "interest", "UROK"),
        ("VYDAJ", "VYBER", "SANKC. UROK", "debit", "interest", "VYBER, SANKC. UROK"),
        ("VYDAJ", "PREVOD NA UCET", "SIPO", "debit", "banks", "PREVOD NA UCET, SIPO"),
        ("PRIJEM", "PREVOD Z UCTU", "", "credit", "banks", "PREVOD Z UCTU"),
        ("withdrawal in cash", "withdrawal in cash", "payment for statement", "debit", "fees", None),
        ("credit", "", "interest credited", "credit", "interest", None),
        ("withdrawal", "remittance to another bank", "household", "debit", "banks", None),
        ("PRIJEM", "", "", "credit", "other", None),
    ],
)
def test_the_words_of_the_bank_say_where_money_came_from_or_went_to(
    kind: str, operation: str, symbol: str, direction: str, world: str, description: str | None
) -> None:
    found = read_one(line(kind=kind, operation=operation, symbol=symbol))
    assert isinstance(found, Movement)
    assert (found.direction, found.world) == (direction, f"world:{world}:CZK")
    assert {found.source, found.target} == {"1787", found.world}
    assert (found.target == "1787") == (direction == "credit")
    assert description is None or found.description == description


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": ""}, "amount: must be a plain decimal number"),
        ({"amount": "0"}, "amount: must be above 0"),
        ({"amount": "0.00"}, "amount: must be above 0"),
        ({"amount": "-1.00"}, "amount: must be a plain"),
        ({"amount": "+1.00"}, "amount: must be a plain"),
        ({"amount": "1.005"}, "amount: CZK has 2 decimals"),
        ({"amount": "1,00"}, "amount: must be a plain"),
        ({"amount": "1 000.00"}, "amount: must be a plain"),
        ({"amount": "1_000"}, "amount: must be a plain"),
        ({"amount": " 1.00"}, "amount: must be a plain"),
        ({"amount": "1e3"}, "amount: must be a plain"),
        ({"amount": "1e3000"}, "amount: must be a plain"),
        ({"amount": "NaN"}, "amount: must be a plain"),
        ({"amount": "Infinity"}, "amount: must be a plain"),
        ({"amount": "true"}, "amount: must be a plain"),
        ({"amount": "\uff11\uff12"}, "amount: must be a plain"),
        ({"amount": "01.00"}, "amount: must be a plain"),
        ({"amount": "1."}, "amount: must be a plain"),
        ({"amount": ".50"}, "amount: must be a plain"),
        ({"amount": "9" * 15}, "amount: must be above 0 and at most"),
        ({"amount": "9" * 16}, "amount: must be a plain"),
        ({"balance": "x"}, "balance: must be a plain"),
        ({"balance": "--1.00"}, "balance: must be a plain"),
        ({"balance": "1.005"}, "balance: CZK has 2 decimals"),
        ({"date": ""}, "date: must be a date written as %y%m%d"),
        ({"date": "930229"}, "date: must be"),
        ({"date": "931301"}, "date: must be"),
        ({"date": "9311"}, "date: must be"),
        ({"date": "93011"}, "date: must be"),
        ({"date": "1993-01-01"}, "date: must be"),
        ({"date": "\uff1930101"}, "date: must be"),
        ({"kind": ""}, "type: is neither a credit nor a debit"),
        ({"kind": "prijem"}, "type: is neither a credit nor a debit"),
        ({"kind": "STORNO"}, "type: is neither a credit nor a debit"),
        ({"reference": ""}, "reference: must be printable text"),
        ({"reference": "x" * 101}, "reference: must be printable text"),
        ({"reference": "a\0b"}, "reference: must be printable text"),
        ({"reference": "a\u202eb"}, "reference: must be printable text"),
        ({"account": ""}, "account: must be 1 to 64 letters"),
        ({"account": "x" * 65}, "account: must be 1 to 64 letters"),
        ({"account": "a b"}, "account: must be 1 to 64 letters"),
        ({"account": "1787\0"}, "account: must be 1 to 64 letters"),
        ({"account": "world:cash:CZK"}, "account: must be 1 to 64 letters"),
        ({"operation": "a\tb"}, "description: must be printable text"),
        ({"operation": "x" * 501}, "description: must be printable text"),
    ],
)
def test_a_line_with_a_wrong_value_is_left_out_with_its_reason(changed: dict[str, str], reason: str) -> None:
    found = read_one(line(**changed))
    assert isinstance(found, BadLine)
    assert found.line == 2
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"1;1787;930101;PRIJEM;VKLAD;1.00;1.00;;", "line: has 9 columns where the header has 10"),
        (b"1;1787;930101;PRIJEM;VKLAD;1.00;1.00;;;;", "line: has 11 columns where the header has 10"),
        (b"1", "line: has 1 columns where the header has 10"),
        (b"\xff;1787;930101;PRIJEM;VKLAD;1.00;1.00;;;", "line: is not utf-8 text"),
        (b'1;1787;930101;PRIJEM;"VKLAD;1.00;1.00;;;', "line: has a quote that is not closed"),
        (b'1;1787;930101;PRIJEM;"VKLAD"x;1.00;1.00;;;', "line: has a quote that is not closed"),
        (b"1;1787;930101;PRIJEM;" + b"x" * 70_000 + b";1.00;1.00;;;", "line: is longer than 65536 bytes"),
        (b"1;1787;930101;PRIJEM;" + b"x" * 200_000 + b";1.00;1.00;;;", "line: is longer than 65536 bytes"),
    ],
)
def test_a_spoiled_line_spoils_no_other(text: bytes, reason: str) -> None:
    good = line("7").encode()
    first, bad, last = read(b"\r\n".join([HEADER.encode(), good, text, good, b""]))
    assert isinstance(bad, BadLine)
    assert bad.line == 3
    assert bad.reason.startswith(reason)
    assert isinstance(first, Movement)
    assert isinstance(last, Movement)
    assert last == first._replace(line=4)


def quoted(text: str) -> str:
    return ";".join(f'"{cell}"' for cell in text.split(";"))


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\r\n{line()}\r\n",
        f"{HEADER}\n{line()}\n",
        f"{HEADER}\n{line()}",
        f"{HEADER}\r\n{line()}\r\n\r\n",
        f"{HEADER}\r\n{line()}\r\n\r\n  \r\n\t\n\n",
        f"\ufeff{HEADER}\r\n{line()}\r\n",
        f"{quoted(HEADER)}\r\n{quoted(line())}\r\n",
        f"\ufeff{quoted(HEADER)}\n{quoted(line())}",
    ],
)
def test_line_ends_marks_quotes_and_blank_lines_do_not_matter(content: str) -> None:
    (found,) = read(content.encode())
    assert found == read_one(line())


def test_blank_lines_count_when_lines_are_numbered() -> None:
    found = read(f"{HEADER}\n\n\n{line()}\n\n{line(amount='x')}\n".encode())
    assert [m.line for m in found] == [4, 6]


def test_columns_may_stand_in_any_order_among_others() -> None:
    names, cells = HEADER.split(";"), line().split(";")
    content = f"note;{';'.join(reversed(names))}\nx;{';'.join(reversed(cells))}\n"
    assert read(content.encode()) == [read_one(line())]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("", "trans_id, account_id, date"),
        (HEADER.replace("amount", "Amount"), "once: amount."),
        (HEADER.replace("amount;balance", "amount;amount"), "once: amount, balance."),
        (line(), "trans_id"),
        ('"' + HEADER, "trans_id"),
    ],
)
def test_a_file_of_another_shape_is_refused_as_a_whole(header: str, missing: str) -> None:
    with pytest.raises(WrongHeader) as refused:
        read(f"{header}\r\n{line()}\r\n".encode())
    assert missing in refused.value.detail


def test_an_empty_file_is_refused_and_a_header_alone_is_an_empty_statement() -> None:
    with pytest.raises(WrongHeader):
        read(b"")
    assert read(HEADER.encode()) == []
    assert read_printed(BytesIO(HEADER.encode()), BERKA).balances == {}


def test_another_bank_is_read_by_its_own_mapping() -> None:
    content = "no,iban,on,way,sum,after,bank\n'1',CZ65,31.12.1998,out,'1.5',,A\n2,CZ65,01.01.1999,in,2,0.5,Ž\n"
    debit, credit = read(content.encode("cp1250"), read_mapping(OWN))
    assert isinstance(debit, Movement)
    assert isinstance(credit, Movement)
    assert (debit.day, debit.money, debit.balance_minor) == (date(1998, 12, 31), Money(150, "EUR"), None)
    assert (debit.world, credit.world) == ("world:banks:EUR", "world:other:EUR")
    assert credit.balance_minor == 50


def test_a_line_for_which_no_world_account_is_left_is_left_out() -> None:
    strict = read_mapping(OWN.replace(', {name = "other"}', ""))
    (found,) = read(b"no,iban,on,way,sum,after,bank\n1,CZ65,31.12.1998,out,1,,C\n", strict)
    assert isinstance(found, BadLine)
    assert found.reason == "line: fits no world account of this mapping"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_chunks_hold_every_line_once_and_no_reference_twice(size: int) -> None:
    references = ["1", "2", "1", "3", "3", "4", "5", "6"]
    lines = read("\n".join([HEADER, *(line(r) for r in references), line(amount="x")]).encode())
    cut = list(chunks(lines, size))
    assert [m.reference for chunk in cut for m in chunk.movements] == references
    assert sum(len(chunk.bad_lines) for chunk in cut) == 1
    for chunk in cut:
        assert len({m.reference for m in chunk.movements}) == len(chunk.movements) <= size


@pytest.mark.parametrize(("text", "minor"), [("0", 0), ("0.00", 0), ("-0.00", 0), ("-0.01", -1), ("12.5", 1250)])
def test_a_balance_may_be_nothing_or_below(text: str, minor: int) -> None:
    found = read_one(line(balance=text))
    assert isinstance(found, Movement)
    assert found.balance_minor == minor


class Endless(BytesIO):
    """A file that has another line for as long as anybody reads."""

    def __init__(self, write: Callable[[int], bytes]) -> None:
        super().__init__()
        self.lines_read = 0
        self._write = write

    def readline(self, size: int | None = -1, /) -> bytes:
        self.lines_read += 1
        return self._write(self.lines_read)


def test_a_statement_is_read_only_as_far_as_somebody_looks() -> None:
    file = Endless(lambda n: f"{HEADER}\n".encode() if n == 1 else f"{line(str(n))}\n".encode())
    found = chunks(read_statement(file, BERKA), 10)
    assert len(next(found).movements) == 10
    assert file.lines_read <= 12
