"""Whatever stands in the place of an amount: it is read exactly or refused, and money moves only as it was read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import httpx2
import pytest

from bursar.kernel.db import Database
from tests.api.operations import Operation, Place, fields, is_amount, takes_numbers
from tests.api.stock import Stock
from tests.api.tenants import Tenant, bearing

# JSON texts and the US dollars they stand for.
TEXTS = {
    '"1"': "1.00", '"1.0"': "1.00", '"1.00"': "1.00", '"1.5"': "1.50", '"0.01"': "0.01", '"0.10"': "0.10",
    '"125.50"': "125.50", '"499.99"': "499.99", '"\\u0031"': "1.00",
}  # fmt: skip
NUMBERS = {
    "1": "1.00", "1.0": "1.00", "1.50": "1.50", "0.01": "0.01", "1e2": "100.00", "1.5E1": "15.00", "1e-2": "0.01",
    "0.10000000000000000000": "0.10", "1.1": "1.10", "2.3": "2.30", "0.29": "0.29", "100e-2": "1.00",
}  # fmt: skip
HUGE_NUMBERS = ["1e400", "1e3000", "1e-3000", "1e99999999999999999999", "-1e99999999999999999999", "1" + "0" * 5000]
REFUSED = [
    "null", "true", "false", "[]", "{}", '[1]', '["1"]', '{"amount": 1}', '""', '" "', '" 1"', '"1 "', '"1\\n"',
    '"\\t1"', '"+1"', '"-1"', '"-0"', '"-0.01"', '"0"', '"0.0"', '"0.00"', '"00"', '"01"', '"1."', '".5"', '"."',
    '"1,5"', '"1,000"', '"1_000"', '"1 000"', '"1\'000"', '"0x10"', '"0b1"', '"1e2"', '"1E2"', '"1e3000"', '"NaN"',
    '"nan"', '"Infinity"', '"-Infinity"', '"inf"', '"\uff11\uff12"', '"١٢"', '"१"', '"²"', '"½"', '"Ⅻ"', '"1\\u0000"',
    '"\\ud800"', '"1\\u200b"', '"\\ufeff1"', '"\\u202e1"', '"$1"', '"1 USD"', '"1.001"', '"1.0000"', '"1.00001"',
    '"0.001"', '"0.009"', '"1000000000000000"', '"10000000000000.01"', '"99999999999999999999"', f'"{"9" * 5000}"',
    f'"1.{"0" * 5000}"', '"1.5.0"', '"--1"', '"1-"', '"None"', '"true"', "0", "0.0", "0e0", "-0", "-0.0", "-1",
    "-0.01", "1.001", "0.001", "1e-3", "9007199254740993", "9007199254740993.0", "9223372036854775807",
    "18446744073709551616", "1000000000000000000", "1e13", "10000000000000.01", *HUGE_NUMBERS,
]  # fmt: skip
NOT_JSON = [
    "NaN",
    "Infinity",
    "-Infinity",
    "+1",
    "01",
    ".5",
    "1.",
    "0x10",
    "1_000",
    "\uff11\uff12",
    "'1'",
    "1e",
    "--1",
    "",
]
# The same with a currency of no decimals and of three.
YEN = {'"1"': "1", '"12"': "12", '"1.0"': None, '"0.5"': None, '"1.00"': None, "1.0": "1", "1.5": None, "1e1": "10"}
DINARS = {'"1.001"': "1.001", '"1.0"': "1.000", '"0.0001"': None, '"1.0010"': None, "1.001": "1.001", "0.0001": None}


@dataclass(frozen=True, slots=True)
class Measure:
    """Sums over all books, in minor units: what was posted, held, captured, granted as credit, and priced in jobs."""

    posted: int
    held: int
    captured: int
    granted: int
    priced: int
    attempted: int
    promised: int

    def since(self, earlier: "Measure") -> set[int]:
        """By what amounts the sums grew."""
        return {
            self.posted - earlier.posted, self.held - earlier.held, self.captured - earlier.captured,
            self.granted - earlier.granted, self.priced - earlier.priced,
            self.attempted - earlier.attempted, self.promised - earlier.promised,
        }  # fmt: skip


class Bench:
    """Tries amounts in the place of one field and says what became of each."""

    def __init__(self, books: Database, client: httpx2.AsyncClient, tenant: Tenant) -> None:
        self._books = books
        self._client = client
        self._tenant = tenant

    async def outcome(self, operation: Operation, at: Place, literal: str, currency: str = "USD") -> str | None:
        """The one amount that the books changed by, in major units; None when the request was refused."""
        request = (await Stock(self._client, self._tenant, currency).request(operation)).with_literal(at, literal)
        before = await self._measure()
        answer = await request.send(self._client, bearing(self._tenant.operator))
        assert answer.status_code < 500, (operation.id, literal, answer.text)
        changes = (await self._measure()).since(before) - {0}
        if not answer.is_success or self._is_batch_refused(answer):
            assert not changes, (operation.id, literal)
            return None
        assert len(changes) == 1, (operation.id, literal, changes)
        (minor,) = changes
        return str(Decimal(minor).scaleb(-{"USD": 2, "JPY": 0, "BHD": 3}[currency]))

    @staticmethod
    def _is_batch_refused(answer: httpx2.Response) -> bool:
        return answer.json().get("refused") == 1

    async def _measure(self) -> Measure:
        async with self._books.transaction(read_only=True) as tx:
            found = await tx.row(
                Measure,
                # What a provider keeps of a payment is posted besides, and what borrowers owe.
                """SELECT (SELECT coalesce(sum(p.amount_minor), 0)::bigint
                           FROM posting p JOIN entry e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
                           WHERE e.kind <> 'payment' AND NOT e.metadata ? 'loan_product'),
                          (SELECT coalesce(sum(amount_minor), 0)::bigint FROM hold),
                          (SELECT coalesce(sum(captured_minor), 0)::bigint FROM hold),
                          (SELECT coalesce(-sum(floor_minor), 0)::bigint FROM account),
                          (SELECT coalesce(sum(amount_minor), 0)::bigint FROM job_share),
                          (SELECT coalesce(sum(amount_minor), 0)::bigint FROM payment_attempt),
                          (SELECT coalesce(sum(amount_minor), 0)::bigint FROM loan_promise)""",
            )
        assert found
        return found


@pytest.fixture
async def bench(verify_database: Database, client: httpx2.AsyncClient, tenant: Tenant) -> Bench:
    return Bench(verify_database, client, tenant)


# These speak of amounts and move none: no book tells how one was read.
SPEAK_ONLY = {
    "draft_mandate", "change_mandate", "request_mandate_change", "check_transfer",
    "create_loan_product", "create_application", "change_application", "quick_apply",
    "waive_loan",
}  # fmt: skip


# What sounds so in the import of a statement are names of columns; cents are whole numbers; a balance may be negative.
_NO_AMOUNTS = {*SPEAK_ONLY, "import_bank_statement", "create_agent_payment", "add_application_statement"}


def amount_fields(operations: list[Operation], *, moving: bool = True) -> list[tuple[Operation, Place, bool]]:
    """Every field of every request that takes an amount, and whether it may be a number."""
    return [
        (operation, at, takes_numbers(schema))
        for operation in operations
        if operation.body and (operation.id not in SPEAK_ONLY) == moving
        for at, schema in fields(operation.body)
        if is_amount(schema)
    ]


async def test_every_field_that_sounds_like_an_amount_is_known_as_one(operations: list[Operation]) -> None:
    known = {(operation.id, at) for operation, at, _ in amount_fields(operations)}
    sounding = {
        (operation.id, at)
        for operation in operations
        if operation.body and operation.id not in _NO_AMOUNTS
        for at, _ in fields(operation.body)
        if re.search("amount|limit|balance|price|total|fee", str(at[-1]))
    }
    assert known == sounding
    assert len(known) >= 8


async def test_amounts_are_read_exactly_in_every_field(bench: Bench, operations: list[Operation]) -> None:
    for operation, at, numbers in amount_fields(operations):
        for literal, dollars in TEXTS.items():
            assert await bench.outcome(operation, at, literal) == dollars, (operation.id, literal)
        for literal, dollars in NUMBERS.items():
            assert await bench.outcome(operation, at, literal) == (dollars if numbers else None), (
                operation.id,
                literal,
            )


NULL_IS_NONE = {
    ("capture_hold", "null"),
    ("reverse_transfer", "null"),
    ("create_job", "null"),
    ("capture_payment", "null"),
    ("refund_payment", "null"),
    # Whoever pays may have so much; no account of ours is asked.
    ("quick_payment", "1e13"),
}


async def refuse_all(bench: Bench, operation: Operation, at: Place, literals: Sequence[str]) -> None:
    for literal in literals:
        if (operation.id, literal) not in NULL_IS_NONE:
            assert await bench.outcome(operation, at, literal) is None, (operation.id, literal)


async def test_what_is_no_amount_moves_nothing_in_any_field(bench: Bench, operations: list[Operation]) -> None:
    """Each field meets a fifth of what is no amount, and all of it meets a fifth of the fields; all in the soak."""
    for turn, (operation, at, _) in enumerate(amount_fields(operations)):
        await refuse_all(bench, operation, at, [*REFUSED, *NOT_JSON][turn % 5 :: 5])


@pytest.mark.soak
async def test_nothing_that_is_no_amount_moves_anything_in_any_field(bench: Bench, operations: list[Operation]) -> None:
    for operation, at, _ in amount_fields(operations):
        await refuse_all(bench, operation, at, [*REFUSED, *NOT_JSON])


async def test_what_is_no_amount_is_refused_where_amounts_are_only_spoken_of(
    client: httpx2.AsyncClient, tenant: Tenant, operations: list[Operation]
) -> None:
    found = amount_fields(operations, moving=False)
    assert {operation.id for operation, _, _ in found} == SPEAK_ONLY
    for operation, at, _ in found:
        request = await Stock(client, tenant).request(operation)
        for literal in [*REFUSED, *NOT_JSON]:
            if literal != "null":
                answer = await request.with_literal(at, literal).send(client, bearing(tenant.operator))
                assert answer.status_code == 422, (operation.id, at, literal, answer.text)


async def test_an_amount_has_no_more_decimals_than_its_currency(bench: Bench, operations: list[Operation]) -> None:
    for operation, at, numbers in amount_fields(operations):
        for currency, table in (("JPY", YEN), ("BHD", DINARS)):
            for literal, amount in table.items():
                wanted = amount if numbers or literal.startswith('"') else None
                assert await bench.outcome(operation, at, literal, currency) == wanted, (operation.id, literal)
