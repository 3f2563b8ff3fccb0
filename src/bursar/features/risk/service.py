"""The verbs of rules: draft, put in the shadow, activate, retire, list, and what a trial says."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Literal, NamedTuple
from uuid import UUID

from bursar.core.authority.switches import OperatorNeeded
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.risk import store
from bursar.features.risk.model import EXAMPLES, Outcome
from bursar.features.risk.ruleset import DEFAULT_RULES, read_rules, write_rules
from bursar.features.risk.store import Standing, Status
from bursar.kernel.db import Tx
from bursar.kernel.refusal import Conflict, InvalidArgument, Retry, UnknownObject

_BUILT_IN = write_rules(DEFAULT_RULES)
# From where a version may be brought there. What is retired may come back: that is how one goes back a version.
_FROM: dict[Status, tuple[Status, ...]] = {
    "shadow": ("draft", "retired"),
    "active": ("draft", "shadow", "retired"),
    "retired": ("draft", "shadow", "active"),
}


class RulesStateConflict(Conflict):
    """The version of the rules does not stand where this is possible."""

    retry: ClassVar[Retry] = "never"
    next: ClassVar[str] = "Read where the versions stand with GET /v1/risk/rules."

    def __init__(self, fact: str) -> None:
        """`fact` is the sentence that decided it."""
        super().__init__(fact)
        self.fact = fact

    @property
    def code(self) -> str:
        """A clash of states."""
        return "state_conflict"

    @property
    def detail(self) -> str:
        """The deciding fact."""
        return f"{self.fact} Nothing was changed."


class Stood(NamedTuple):
    """A version where it stands now, and the one that had to make room for it."""

    standing: Standing
    instead_of: int | None


# Where no rules were in force, the mandate alone decided.
Before = Outcome | Literal["none"]


@dataclass(frozen=True, slots=True)
class Move:
    """Payments that rules on trial would have decided in another way; `examples` are the first ones' decisions."""

    old: Before
    new: Outcome
    payments: int
    examples: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a version in the shadow said beside the one in force, if there was one; the most frequent change first."""

    active_version: int | None
    shadow_version: int
    payments: int
    unchanged: int
    changes: Sequence[Move]


def refuse_others(actor: Actor) -> None:
    """Only people say what is risky."""
    if actor.kind != "operator":
        raise OperatorNeeded("Risk rules are the matter of an operator.")


async def draft(tx: Tx, operator_id: UUID, text: str) -> Standing:
    """Keep a new version; it decides nothing yet. A version is never edited, so its number must be new."""
    rules = read_rules(text)
    if rules.version == DEFAULT_RULES.version or not await _insert(tx, rules.version, write_rules(rules), operator_id):
        raise RulesStateConflict(f"There is a version {rules.version} of the rules already.")
    return await find(tx, rules.version)


async def become(tx: Tx, operator_id: UUID, version: int | None, status: Status) -> Stood:
    """Bring a version into the shadow or in force, in place of the one that is there, or retire it.

    It holds for every decision that commits later: those under way are waited for.
    """
    await store.lock_gate(tx)
    found = await find(tx, version)
    if found.status not in _FROM[status]:
        raise RulesStateConflict(f"Version {found.version} of the rules is {_WORDS[found.status]}.")
    if found.drafted_at is None:
        await _insert(tx, found.version, found.rules, operator_id)
    replaced = await store.retire(tx, status, operator_id) if status != "retired" else []
    await store.mark(tx, found.version, status, operator_id)
    return Stood(await find(tx, found.version), replaced[0] if replaced else None)


_WORDS: dict[Status, str] = {
    "draft": "a draft",
    "shadow": "in the shadow",
    "active": "active",
    "retired": "retired",
}


def told(stood: Stood) -> Happening:
    """What the record says of a version that stands somewhere else now."""
    standing = stood.standing
    facts = {"instead_of": stood.instead_of, "rules_hash": standing.rules_hash.hex(), "version": standing.version}
    return Happening(f"risk_rules.{standing.status}", standing.status, facts)


async def _insert(tx: Tx, version: int, text: str, operator_id: UUID) -> bool:
    return await store.insert_draft(tx, version, text, sha256(text.encode()).digest(), operator_id)


async def find(tx: Tx, version: int | None) -> Standing:
    """One version as it stands; the one that comes with Bursar is always there."""
    found = await store.find_version(tx, version) if version else None
    if found is None and version == DEFAULT_RULES.version:
        found = _built_in()
    if found is None:
        raise UnknownObject("version of the risk rules")
    return found


async def list_all(tx: Tx, after: int, limit: int) -> list[Standing]:
    """Versions in order of their numbers."""
    found = await store.list_versions(tx, after, limit)
    first = DEFAULT_RULES.version
    if after < first and all(standing.version != first for standing in found):
        found = sorted([_built_in(), *found], key=lambda standing: standing.version)[:limit]
    return found


def _built_in() -> Standing:
    digest = sha256(_BUILT_IN.encode()).digest()
    return Standing(DEFAULT_RULES.version, _BUILT_IN, digest, "draft", None, None, None)


async def compare(tx: Tx, start: datetime, end: datetime) -> list[Trial]:
    """What versions in the shadow said beside those in force, from `start` until before `end`."""
    if start >= end:
        raise InvalidArgument("end", "must be later than start")
    moved = await store.count_moves(tx, start, end)
    changed = [m.shadow for m in moved if _differs(m.shadow)]
    examples: defaultdict[str, list[UUID]] = defaultdict(list)
    for shadow, decision_id in await store.list_examples(tx, start, end, changed, EXAMPLES) if changed else ():
        examples[shadow].append(decision_id)
    trials: defaultdict[tuple[int, int], list[store.Moved]] = defaultdict(list)
    for m in moved:
        active, _, shadow, _ = m.shadow.split()
        trials[int(shadow), int(active)].append(m)
    return [_trial(*versions, trials[versions], examples) for versions in sorted(trials)]


def _differs(shadow: str) -> bool:
    """Where no rules were in force, being allowed by those on trial changes nothing."""
    _, old, _, new = shadow.split()
    return new != (old if old != "none" else "allow")


def _trial(
    shadow_version: int, active_version: int, moved: Sequence[store.Moved], examples: dict[str, list[UUID]]
) -> Trial:
    changes = [_move(m, examples[m.shadow]) for m in moved if _differs(m.shadow)]
    changes.sort(key=lambda change: -change.payments)
    payments = sum(m.payments for m in moved)
    unchanged = payments - sum(change.payments for change in changes)
    return Trial(active_version or None, shadow_version, payments, unchanged, changes)


def _move(moved: store.Moved, examples: Sequence[UUID]) -> Move:
    _, old, _, new = moved.shadow.split()
    return Move(_outcome(old) if old != "none" else "none", _outcome(new), moved.payments, examples)


def _outcome(text: str) -> Outcome:
    assert text in ("allow", "needs_approval", "step_up", "deny")
    return text
