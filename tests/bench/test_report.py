"""A report says what was measured: medians, ratios, every error, and which goals were missed."""

import pytest
from rich.table import Table

from bench.costs import Costs
from bench.goals import Goal, ratio
from bench.load import Latency, Measurement
from bench.page import Environment
from bench.report import Report, Round, section_of, summarised

HERE = Environment("A processor", 2, "3.11", "FastAPI 1.0", "PostgreSQL 18.6", "on", "on")


def measured(rate: float, errors: int = 0, ms: float = 10.0) -> Measurement:
    latency = Latency(ms, 2 * ms, 3 * ms, 4 * ms)
    return Measurement(rate, 100, 100 + errors, errors, 0.1, {201: 100}, {}, latency, [])


def cells(table: Table) -> list[list[str]]:
    return [list(map(str, row)) for row in zip(*(column.cells for column in table.columns), strict=True)]


def shown(rounds: list[Round], *against: str) -> list[list[list[str]]]:
    report = Report(HERE, 1.0, summarised(rounds), [], None, rounds)
    return [cells(table) for table in section_of(report, against).tables]


def test_a_side_shows_medians_the_longest_wait_of_all_and_every_error() -> None:
    rounds = [
        Round("any", "one", measured(100, errors=1), Costs(1, 10, 5, 700)),
        Round("any", "one", measured(900, errors=2, ms=30), Costs(3, 30, 7, 900)),
        Round("any", "one", measured(200, ms=20), None),
    ]
    (rates, costs) = shown(rounds)
    assert rates == [["any", "one", "200", "20.0", "40.0", "60.0", "120.0", "3"]]
    assert costs == [["any", "one", "2", "20", "6", "800"]]


def test_a_rate_is_held_against_others_of_its_workload_if_they_are_there() -> None:
    rounds = [
        Round("any", "slow", measured(50), None),
        Round("any", "fast", measured(200), None),
        Round("other", "fast", measured(400), None),
    ]
    rates, costs = shown(rounds, "slow")
    assert [row[:4] for row in rates] == [
        ["any", "slow", "50", "1.00"],
        ["", "fast", "200", "4.00"],
        ["other", "fast", "400", "–"],
    ]
    assert costs[0] == ["any", "slow", "–", "–", "–", "–"]


def test_a_side_that_never_answered_has_no_latencies() -> None:
    silent = Measurement(0.0, 0, 2, 2, 0.1, {}, {"unanswered": 2}, None, [])
    (row,), _ = shown([Round("any", "silent", silent, None)], "silent")
    assert row == ["any", "silent", "0", "–", "–", "–", "–", "–", "2"]


@pytest.mark.parametrize(
    ("goal", "cells_of_it"),
    [
        (Goal("rate", 1.0, 1.0), ["rate", "1.00 ×", "≥ 1.00 ×", "reached"]),
        (Goal("rate", 0.999, 1.0, "{:.3f}"), ["rate", "0.999", "≥ 1.000", "**not reached**"]),
        (Goal("wait", 15.0, 15.0, "{:.1f} ms", at_most=True), ["wait", "15.0 ms", "≤ 15.0 ms", "reached"]),
        (Goal("wait", 15.1, 15.0, "{:.1f} ms", at_most=True), ["wait", "15.1 ms", "≤ 15.0 ms", "**not reached**"]),
        (Goal("rate", None, 1.0), ["rate", "–", "≥ 1.00 ×", "**not reached**"]),
    ],
)
def test_a_goal_is_reached_or_not(goal: Goal, cells_of_it: list[str]) -> None:
    section = section_of(Report(HERE, 1.0, {}, [goal], None, []))
    assert cells(section.tables[-1]) == [cells_of_it]


def test_there_is_no_ratio_to_what_is_not_there() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(3.0, 0.0) is ratio(None, 1.0) is ratio(1.0, None) is None
