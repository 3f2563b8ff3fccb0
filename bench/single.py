"""Transfers one at a time: Bursar beside a route that does nothing and a tutorial's service, and what mandates cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench.comparing import Side, describe, measure_rounds, over_http, postgres
from bench.goals import Goal, ratio
from bench.mandates import MANDATES, agents_under
from bench.report import Report, Summaries, summarised
from bench.services import running_baseline, running_bursar, running_empty, violations
from bench.workloads import ANY_TWO, COMPARED, HOT, TWENTY

EMPTY: Final = "empty route"
BASELINE: Final = "tutorial"
OPERATOR: Final = "Bursar, operator"
AGENT: Final = "Bursar, agent"
EVERY_RULE: Final = "1 agent, every rule"


def measure_transfers(scratch: Path, rounds: int, seconds: float) -> Report:
    """Every side under every workload."""
    with postgres(scratch) as (data, url):
        with (
            running_empty(scratch) as empty,
            running_baseline(url, scratch) as plain,
            running_bursar(data, scratch) as ours,
        ):
            sides = {
                EMPTY: over_http(empty),
                BASELINE: over_http(plain),
                OPERATOR: over_http(ours),
                AGENT: over_http(agents_under(EVERY_RULE, ours, data)),
            }
            measured = list(measure_rounds(dict.fromkeys(COMPARED, sides), url, rounds, seconds))
        seen = summarised(measured)
        return Report(describe(url), seconds, seen, goals(seen), violations(data), measured)


def measure_mandates(scratch: Path, rounds: int, seconds: float) -> Report:
    """An operator, whom no mandate limits, beside agents under the widest mandate and under one of every rule."""
    with postgres(scratch) as (data, url):
        with running_bursar(data, scratch) as operator:
            agents = {name: over_http(agents_under(name, operator, data)) for name in MANDATES}
            plan: dict[str, Mapping[str, Side]] = {ANY_TWO: {"operator": over_http(operator)} | agents}
            measured = list(measure_rounds(plan, url, rounds, seconds))
        return Report(describe(url), seconds, summarised(measured), [], violations(data), measured)


def goals(seen: Summaries) -> list[Goal]:
    """What the sides are to reach beside each other."""
    any_two, hot, twenty = seen[ANY_TWO], seen[HOT], seen[TWENTY]
    found = [
        Goal("1,000 accounts, ÷ empty route", ratio(any_two[OPERATOR].rate, any_two[EMPTY].rate), 1.0),
        Goal("1,000 accounts, ÷ tutorial", ratio(any_two[OPERATOR].rate, any_two[BASELINE].rate), 6.0),
        Goal("one hot account, ÷ 1,000 accounts", ratio(hot[OPERATOR].rate, any_two[OPERATOR].rate), 0.9),
        Goal("one hot account, ÷ tutorial", ratio(hot[OPERATOR].rate, hot[BASELINE].rate), 8.0),
        Goal("20 accounts, ÷ tutorial", ratio(twenty[OPERATOR].rate, twenty[BASELINE].rate), 20.0),
        Goal("20 accounts, errors", twenty[OPERATOR].errors + twenty[AGENT].errors, 0, "{:,.0f}", at_most=True),
    ]
    for workload, sides in seen.items():
        found.append(Goal(f"{workload}, agent ÷ operator", ratio(sides[AGENT].rate, sides[OPERATOR].rate), 0.8))
    for side in (OPERATOR, AGENT):
        latency = any_two[side].latency
        spread = latency and ratio(latency.p99, latency.p50)
        found.append(Goal(f"1,000 accounts, {side}, p99 ÷ p50", spread, 2.5, at_most=True))
    return found
