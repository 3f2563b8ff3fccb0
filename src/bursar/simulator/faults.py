"""What can be made to go wrong: rules that look at requests and events, strike some, and count both."""

import random
from collections.abc import Collection
from fnmatch import fnmatchcase

from bursar.simulator import delivery_store
from bursar.simulator.errors import Body
from bursar.simulator.store import Store

BEFORE = ("unavailable", "rate_limit", "error_before", "reset_before")
AFTER = ("error_after", "timeout_after", "reset_after", "slow", "malformed", "wrong_amount", "wrong_currency")
WEBHOOK_MODES = ("webhook_duplicate", "webhook_late", "webhook_reorder")
REQUEST_MODES = (*BEFORE, *AFTER)
MODES = (*REQUEST_MODES, *WEBHOOK_MODES)

# How long a mode keeps things back unless the rule says.
_SECONDS = {"slow": 1.0, "timeout_after": 60.0, "webhook_late": 600.0, "webhook_reorder": 60.0}


class BadRule(Exception):
    """A rule that cannot be; the message says why."""


def rule_of(given: Body) -> Body:
    """Read a rule.

    Raises:
        BadRule: its mode is unknown, or another member makes no sense.
    """
    unknown = given.keys() - {"mode", "on", "times", "skip", "probability", "seed", "seconds", "copies"}
    mode = given.get("mode")
    if unknown or mode not in MODES:
        raise BadRule(f"A rule has a mode of {', '.join(MODES)}; {', '.join(sorted(unknown)) or mode} is not known.")
    rule: Body = {
        "mode": mode,
        "on": given.get("on", "*"),
        "times": given.get("times"),
        "skip": given.get("skip", 0),
        "probability": given.get("probability", 1),
        "seed": given.get("seed", 0),
        "seconds": given.get("seconds", _SECONDS.get(mode, 0)),
        "copies": given.get("copies", 1),
    }
    numbers = [rule[name] for name in ("skip", "probability", "seconds", "copies")]
    if not isinstance(rule["on"], str) or not all(
        isinstance(number, int | float) and not isinstance(number, bool) and number >= 0 for number in numbers
    ):
        raise BadRule("`on` is a pattern of operations or events; skip, probability, seconds and copies are 0 or more.")
    if not (rule["times"] is None or (isinstance(rule["times"], int) and rule["times"] >= 0)):
        raise BadRule("`times` is how often the rule strikes, or null for always.")
    return rule


def strike(store: Store, name: str, modes: Collection[str]) -> Body | None:
    """The first rule that strikes at this operation or event; every rule before it has looked and been counted."""
    for rule in delivery_store.faults(store):
        if rule["mode"] in modes and fnmatchcase(name, rule["on"]):
            hit = _strikes(rule)
            delivery_store.count_fault(store, rule["id"], hit=hit)
            if hit:
                return rule
    return None


def _strikes(rule: Body) -> bool:
    """Decided by the seed and by how many came before, so that the same run meets the same faults."""
    if rule["seen"] < rule["skip"] or (rule["times"] is not None and rule["hits"] >= rule["times"]):
        return False
    return random.Random(f"{rule['seed']}:{rule['seen']}").random() < rule["probability"]  # noqa: S311 No secret is drawn.
