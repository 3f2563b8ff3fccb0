"""Rows as the arguments of `unnest`: what is the same in all of them goes once, as the driver looks at each element."""

from collections.abc import Sequence
from typing import Any


def once(column: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """A column as an array and a value for `coalesce(array's, value)`: no array if all of its rows say the same.

    `unnest` fills up what is shorter with NULL, so another column must have its full length, and be in the array of
    every row: an id, say.
    """
    first = column[0]
    return ([], first) if column.count(first) == len(column) else (column, None)
