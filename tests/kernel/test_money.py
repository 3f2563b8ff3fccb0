"""Money is read exactly or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.kernel.money import (
    EXPONENTS,
    MAX_MINOR,
    Money,
    exponent_of,
    plain,
    read_amount,
    refuse_not_positive,
    show_minor,
)
from bursar.kernel.refusal import InvalidArgument

READ = {
    ("125.50", "USD"): 12550,
    ("125.5", "USD"): 12550,
    ("125", "USD"): 12500,
    ("0.01", "USD"): 1,
    ("0.10", "USD"): 10,
    ("10000000000000.00", "USD"): MAX_MINOR,
    ("1", "JPY"): 1,
    ("999999999999999", "JPY"): MAX_MINOR - 1,
    ("1.234", "BHD"): 1234,
    ("1.2", "BHD"): 1200,
    ("0.0001", "CLF"): 1,
}
REFUSED = [
    "", " ", "0", "0.0", "0.00", "00", "-1", "+1", "-0", "01", "00.10", "1.", ".5", ".", "1.001", "0.001", "1.0000",
    "1e3", "1E3", "1e3000", "1_000", "1,000", "1,5", " 1", "1 ", "1\n", "\t1", "1\0", "0x10", "0b1", "NaN", "nan",
    "Infinity", "-Infinity", "inf", "True", "true", "None", "null", "\uff11\uff12", "\u0661\u0662", "1\u066b5",
    "\xb2", "\xbd", "\u216b", "\u4e00", "$1", "1 USD", "1\u200b", "\ufeff1", "--1", "1-", "1.2.3", "10000000000000.01",
    "1000000000000000", "999999999999999", "8" * 40, "9" * 5000, "0" * 5000, "1." + "0" * 5000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "currency"), READ, ids=str)
def test_an_amount_is_read_to_the_last_minor_unit(text: str, currency: str) -> None:
    assert read_amount(text, currency) == Money(READ[text, currency], currency)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:30])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_amount(text, "USD", "orders.3.amount")
    assert refused.value.argument == "orders.3.amount"
    # What the caller sent is not repeated to them, or to a log.
    assert len(text) < 7 or text not in refused.value.detail


@pytest.mark.parametrize(("text", "currency"), [("1.0", "JPY"), ("0.5", "JPY"), ("1.2345", "BHD"), ("1.2300", "BHD")])
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{currency} has {EXPONENTS[currency]} decimals"):
        read_amount(text, currency)


@pytest.mark.parametrize("code", ["", "usd", "US", "USDX", "XAU", "XXX", "XTS", "ÜSD", "USD ", "\0"])
def test_a_currency_is_one_that_iso_4217_gives_decimals(code: str) -> None:
    with pytest.raises(InvalidArgument):
        exponent_of(code)


def test_exponents_are_those_of_iso_4217_and_not_of_habit() -> None:
    wanted = {
        "USD": 2,
        "EUR": 2,
        "CZK": 2,
        "JPY": 0,
        "KRW": 0,
        "ISK": 0,
        "HUF": 2,
        "BHD": 3,
        "KWD": 3,
        "TND": 3,
        "CLF": 4,
    }
    assert {code: exponent_of(code) for code in wanted} == wanted


@given(st.integers(1, MAX_MINOR), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_shown_is_read_back(minor: int, currency: str) -> None:
    text = str(Money(minor, currency))
    assert Decimal(text).scaleb(EXPONENTS[currency]) == minor
    if len(text.partition(".")[0]) <= 15:
        assert read_amount(text, currency) == Money(minor, currency)


@given(st.text(max_size=12) | st.from_regex(r"\A[-+]?[0-9]{0,17}\.?[0-9]{0,6}\Z"))
def test_any_text_is_either_read_as_python_reads_it_or_refused(text: str) -> None:
    try:
        money = read_amount(text, "USD")
    except InvalidArgument:
        return
    assert Decimal(text) * 100 == money.minor > 0


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(0, "USD", "0.00"), (-1, "USD", "-0.01"), (-12550, "USD", "-125.50"), (5, "BHD", "0.005"), (-7, "JPY", "-7")],
)
def test_balances_are_shown_with_all_their_decimals(minor: int, currency: str, text: str) -> None:
    assert show_minor(minor, currency) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1e3"), "1000"),
        (Decimal("1.00"), "1"),
        (Decimal("0.1"), "0.1"),
        (-1, "-1"),
    ],
)  # fmt: skip
def test_a_json_number_is_the_text_it_stands_for(number: int | Decimal, text: str) -> None:
    assert plain(number) == text


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1e3000", "1e-3000", "1e21", "9" * 41])
def test_a_json_number_beyond_all_money_is_refused_without_being_written_out(number: str) -> None:
    with pytest.raises(InvalidArgument):
        plain(Decimal(number))


@pytest.mark.parametrize("text", ["0", "0.00", "-1", "", "1e3", "NaN", "1.00000", "01"])
def test_what_is_no_amount_in_any_currency_is_refused_before_the_currency_is_known(text: str) -> None:
    with pytest.raises(InvalidArgument):
        refuse_not_positive(text)
