"""What looks like the number of a card is refused, and what only happens to hold digits is not."""

import pytest

from bursar.wire.cards import refuse_card_number

NUMBERS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "card 5555555555554444.",
    "378282246310005",
]
# The first two hold 16 digits in a row that pass the check, by chance.
OTHERS = [
    "pm_ab4242424242424242cdef0123abcdef", "ab424242-4242-4242-4242-42abcdef0123", "4242424242424241", "0" * 16,
    "invoice 2026-11-21 / 1000023", "pm_card_visa",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_what_looks_like_the_number_of_a_card_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number of a card"):
        refuse_card_number(text)


@pytest.mark.parametrize("text", OTHERS)
def test_ids_and_other_digits_pass(text: str) -> None:
    assert refuse_card_number(text) == text
