"""Risk in live decisions: what authority calls for a batch, and the score of each of its payments."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TypeVar
from uuid import UUID

from bursar.core.authority.assessing import NOT_ASSESSED, Assessed, Question, Scorer
from bursar.core.authority.facts import Risk
from bursar.features.risk import store
from bursar.features.risk.keeping import Kept, Scored, scored_of, write_kept
from bursar.features.risk.model import MOST_COUNTED, NO_HISTORY, Assessment, History, Payment
from bursar.features.risk.ruleset import RuleSet, read_rules
from bursar.features.risk.score import assess as score
from bursar.features.risk.score import near_from_minor
from bursar.features.risk.store import Found, Wanted
from bursar.kernel.db import Tx

# Parsed once for each text; few tenants of a process have rules of their own, and texts are short.
_read = lru_cache(maxsize=256)(read_rules)
Key = TypeVar("Key")
_Band = tuple[UUID, str, int, int]


async def assess(tx: Tx, ask: Callable[[], Sequence[Question]]) -> Scorer | None:
    """Read the rules in force and what is known of these payments; without rules nothing is known, nor kept.

    Whoever calls has shared the tenant's gate, so rules that are activated hold for everything that commits later.
    """
    found = {status: _read(text) for status, text in await store.list_in_force(tx)}
    if not found:
        return None
    questions = ask()
    batch = _Batch(found.get("active"), found.get("shadow"), questions)
    batch.learn(await store.look_up(tx, questions[0].at, batch.wanted))
    return batch.score


def band_of(rules: RuleSet, auto_max_minor: int | None) -> tuple[int, int] | None:
    """The least and the most amount that these rules take for just under the threshold."""
    return (near_from_minor(rules.structuring, auto_max_minor), auto_max_minor) if auto_max_minor is not None else None


class _Batch:
    """What is known of a batch's payments: looked up by agent, payee, source and band, in places counted from 1."""

    def __init__(self, active: RuleSet | None, shadow: RuleSet | None, questions: Sequence[Question]) -> None:
        self._active, self._shadow = active, shadow
        bands = {band for q in questions for rules in (active, shadow) if rules for band in _bands_near(rules, q)}
        self.wanted = Wanted(
            list({q.agent_id for q in questions}),
            list({(q.agent_id, q.target_id) for q in questions if q.target_id}),
            list({q.source_id for q in questions}),
            list(bands),
        )
        self._agents, self._payees = _places(self.wanted.agents), _places(self.wanted.payees)
        self._sources, self._bands = _places(self.wanted.sources), _places(self.wanted.bands)
        self._found: defaultdict[tuple[str, int, str], list[Found]] = defaultdict(list)
        self._habits: dict[UUID, History] = {}

    def learn(self, found: Sequence[Found]) -> None:
        """Take in what was found."""
        for one in found:
            self._found[one.kind, one.place, one.currency].append(one)
        self._habits = {agent_id: self._habits_at(place) for agent_id, place in self._agents.items()}

    def _habits_at(self, place: int) -> History:
        """What is known of an agent, whatever the payment."""
        hours = {one.numbers[0]: one.numbers[1] for one in self._found["hour", place, ""]}
        return NO_HISTORY._replace(
            payments=sum(hours.values()),
            busiest_hour=self._number("busiest", place),
            hours=tuple(hours.get(hour, 0) for hour in range(24)),
            last_hour=self._number("asked", place),
            habits_since=min((one.at for one in self._found["hour", place, ""] if one.at), default=None),
        )

    def _number(self, kind: str, place: int) -> int:
        return sum(one.numbers[0] for one in self._found[kind, place, ""])

    def _time(self, kind: str, place: int) -> datetime | None:
        return next((one.at for one in self._found[kind, place, ""]), None)

    def score(self, question: Question, earlier: Sequence[Question]) -> Assessed:
        """What the rules say to one payment; pure. What was asked earlier in the batch counts for the moment only."""
        at, auto_max = question.at, question.auto_max_minor
        payment = Payment(at, question.source_id, question.target_id, question.currency, question.amount_minor)
        history = self._history(question, earlier)
        active = self._by(self._active, history, payment, question, earlier)
        shadow = self._by(self._shadow, history, payment, question, earlier)
        if active is None and shadow is None:
            return NOT_ASSESSED
        kept = Kept(history, auto_max, active[1] if active else None, shadow[1] if shadow else None)
        return Assessed(risk_of(active[0]) if active else None, write_kept(kept), _beside(kept))

    def _by(
        self, rules: RuleSet | None, history: History, payment: Payment, question: Question, earlier: Sequence[Question]
    ) -> tuple[Assessment, Scored] | None:
        if rules is None:
            return None
        counted = history._replace(near_threshold=self._count_near(rules, question, earlier))
        assessment = score(rules, counted, payment, question.auto_max_minor)
        return assessment, scored_of(assessment, counted)

    def _history(self, question: Question, earlier: Sequence[Question]) -> History:
        agent_id, target_id = question.agent_id, question.target_id
        habits = self._habits[agent_id]
        amounts = self._found["amounts", self._agents[agent_id], question.currency]
        known, usual_most = amounts[0].numbers if amounts else (0, 0)
        since = self._time("payee", self._payees[agent_id, target_id]) if target_id else None
        return habits._replace(
            payments_in_currency=known,
            usual_most_minor=usual_most,
            last_hour=_counted(habits.last_hour + len(earlier), question),
            payee_since=since,
            source_last_at=self._time("source", self._sources[question.source_id]),
        )

    def _count_near(self, rules: RuleSet, question: Question, earlier: Sequence[Question]) -> int:
        band = band_of(rules, question.auto_max_minor)
        if band is None or not band[0] <= question.amount_minor <= band[1]:
            return 0
        least, most = band
        alike = (q for q in earlier if q.currency == question.currency and least <= q.amount_minor <= most)
        in_batch = sum(1 for _ in islice(alike, MOST_COUNTED))
        place = self._bands[question.agent_id, question.currency, least, most]
        return _counted(self._number("near", place) + in_batch, question)


def _places(wanted: Sequence[Key]) -> dict[Key, int]:
    return {key: place for place, key in enumerate(wanted, 1)}


def _bands_near(rules: RuleSet, question: Question) -> list[_Band]:
    """The band to count in; a reversal may come to less than it seemed when the batch was looked up."""
    band = band_of(rules, question.auto_max_minor)
    return [(question.agent_id, question.currency, *band)] if band and question.amount_minor >= band[0] else []


def _counted(before: int, question: Question) -> int:
    """How many came before: a capture's hold is among them, and is the same payment."""
    return min(before if question.is_new else max(before - 1, 0), MOST_COUNTED)


def risk_of(assessment: Assessment) -> Risk:
    """The score with what weighed most, in words."""
    heaviest = max(assessment.contributions, key=lambda c: c.points)
    why = heaviest.text if heaviest.points else "nothing departs from what is usual"
    return Risk(assessment.score, assessment.outcome, why)


def _beside(kept: Kept) -> str | None:
    if kept.shadow is None:
        return None
    active = f"{kept.active.version} {kept.active.outcome}" if kept.active else "0 none"
    return f"{active} {kept.shadow.version} {kept.shadow.outcome}"
