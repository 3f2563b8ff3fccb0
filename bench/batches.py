"""Transfers in batches, over HTTP and in process."""

from pathlib import Path
from typing import Final

from bench.comparing import describe, measure_rounds, over_http, postgres
from bench.goals import Goal, ratio
from bench.inprocess import in_process
from bench.load import Mode
from bench.mandates import EVERY_RULE, agents_under
from bench.report import Report, Summary, summarised
from bench.services import running_bursar, violations
from bench.workloads import ANY_TWO

# Enough that the service always has a batch to read, to decide and to write.
CONNECTIONS: Final = 4
# By how the batch is sent: its mode, if it goes over HTTP, and the least it should come to.
WAYS: Final[dict[str, tuple[Mode | None, float]]] = {
    "HTTP, each": ("each", 20_000),
    "HTTP, all or nothing": ("all_or_nothing", 20_000),
    "in process": (None, 35_000),
}


def measure_batches(scratch: Path, rounds: int, seconds: float) -> Report:
    """Every way, as an operator and as an agent."""
    with postgres(scratch) as (place, url):
        with running_bursar(place, scratch) as operator:
            askers = {"operator": operator, "agent": agents_under(EVERY_RULE, operator, place)}
            sides = {
                f"{way}, {who}": over_http(endpoint, CONNECTIONS, mode) if mode else in_process(url, endpoint.key or "")
                for way, (mode, _) in WAYS.items()
                for who, endpoint in askers.items()
            }
            measured = list(measure_rounds({ANY_TWO: sides}, url, rounds, seconds))
        seen = summarised(measured)
        return Report(describe(url), seconds, seen, goals(seen[ANY_TWO]), violations(place), measured)


def goals(seen: dict[str, Summary]) -> list[Goal]:
    """What each way is to come to in a second, and what of it is to be left under a mandate."""
    found: list[Goal] = []
    for way, (_, least) in WAYS.items():
        operator, agent = seen[f"{way}, operator"].rate, seen[f"{way}, agent"].rate
        found.append(Goal(f"{way}, transfers per second", operator, least, "{:,.0f}"))
        found.append(Goal(f"{way}, agent ÷ operator", ratio(agent, operator), 0.8))
    return found
