"""What is to be reached, beside what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that should be at least its target or, with `at_most`, at most; None was not to be had.

    `shown` is how both are written.
    """

    what: str
    value: float | None
    target: float
    shown: str = "{:.2f} ×"
    at_most: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the figure is there, and good enough."""
        if self.value is None:
            return False
        return self.value <= self.target if self.at_most else self.value >= self.target


def ratio(one: float | None, other: float | None) -> float | None:
    """How many times the other the one is; None when one of them is not there."""
    return one / other if one is not None and other else None


def as_table(goals: Sequence[Goal]) -> Table:
    """A line for each."""
    table = Table(title="To reach", box=box.SIMPLE_HEAD)
    table.add_column("what")
    for heading in ("measured", "target"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for goal in goals:
        measured = "–" if goal.value is None else goal.shown.format(goal.value)
        target = f"{'≤' if goal.at_most else '≥'} {goal.shown.format(goal.target)}"
        table.add_row(goal.what, measured, target, "reached" if goal.is_reached else "**not reached**")
    return table
