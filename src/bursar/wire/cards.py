"""Numbers of cards are never taken: text that holds what looks like one is refused wherever payments take text."""

import re

_RUNS = re.compile(r"\d(?:[ \-./_]?\d)*")
_GROUP = re.compile(r"\d+")
# An id in hexadecimal may by chance hold so many digits in a row.
_ID = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9A-Za-z])")


def refuse_card_number(text: str) -> str:
    """Refuse text with 13 to 19 digits that pass the check of ISO/IEC 7812 (Luhn), with separators or without.

    Digits of a run count as groups: a number may be one group, or several that stand together.
    """
    for run in _RUNS.findall(_ID.sub("x", text)):
        groups = _GROUP.findall(run)
        for first in range(len(groups)):
            for last in range(first + 1, min(first + 19, len(groups)) + 1):
                if _is_card_number("".join(groups[first:last])):
                    raise ValueError("looks like the number of a card; send the provider's own reference instead")
    return text


def _is_card_number(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    values = [int(digit) for digit in reversed(digits)]
    doubled = sum(sum(divmod(2 * value, 10)) for value in values[1::2])
    return (sum(values[::2]) + doubled) % 10 == 0
