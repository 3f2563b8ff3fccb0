"""How well rules do: real payments with planted frauds among them, each assessed by what was known before it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from bursar.features.risk.berka import Outgoing, read_outgoing
from bursar.features.risk.history import look_back
from bursar.features.risk.model import Assessment, Decided, Payment
from bursar.features.risk.planting import AUTO_MAX_MINOR, KINDS, Fraud, Kind, plant
from bursar.features.risk.ruleset import RuleSet
from bursar.features.risk.score import assess, near_from_minor


@dataclass(frozen=True, slots=True)
class Caught:
    """The planted frauds of one kind: caught when one of their payments or more was stopped (any outcome but allow)."""

    kind: Kind
    planted: int
    caught: int
    payments: int
    payments_stopped: int


@dataclass(frozen=True, slots=True)
class RealPayments:
    """Real payments, and how many of them were stopped."""

    payments: int
    false_alarms: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What rules made of a file and a seed; `charges` are what the bank took by itself, `paid` is everything else."""

    rules_version: int
    seed: int
    accounts: int
    kinds: Sequence[Caught]
    paid: RealPayments
    charges: RealPayments


class _Judged(NamedTuple):
    fraud: Fraud | None
    is_charge: bool
    assessment: Assessment

    @property
    def stopped(self) -> bool:
        return self.assessment.outcome != "allow"


class _Asked(NamedTuple):
    payment: Payment
    fraud: Fraud | None
    is_charge: bool


def evaluate(file: Path, seed: int, rules: RuleSet) -> Evaluation:
    """Assess every outgoing movement of a Berka file, with frauds planted; each account has an agent of its own."""
    accounts = defaultdict[UUID, list[Outgoing]](list)
    for outgoing in read_outgoing(file, seed):
        accounts[outgoing.payment.source_id].append(outgoing)
    frauds: list[Fraud] = []
    judged: list[_Judged] = []
    for real in accounts.values():
        planted = plant([o.payment for o in real], seed)
        frauds += planted
        judged += _judge(rules, real, planted)
    kinds = [_caught(kind, frauds, judged) for kind in KINDS]
    real_ones = [j for j in judged if not j.fraud]
    paid = _real([j for j in real_ones if not j.is_charge])
    charges = _real([j for j in real_ones if j.is_charge])
    return Evaluation(rules.version, seed, len(accounts), kinds, paid, charges)


def _judge(rules: RuleSet, real: Sequence[Outgoing], frauds: Sequence[Fraud]) -> Iterator[_Judged]:
    """The payments of an account in order of time. People let every real one through, and no fraud that was stopped."""
    asked = [_Asked(o.payment, None, o.is_charge) for o in real]
    asked += [_Asked(payment, fraud, is_charge=False) for fraud in frauds for payment in fraud.payments]
    near_minor = near_from_minor(rules.structuring, AUTO_MAX_MINOR), AUTO_MAX_MINOR
    decided: list[Decided] = []
    for payment, fraud, is_charge in sorted(asked, key=lambda a: a.payment.at):
        source_last_at = next((d.payment.at for d in reversed(decided) if d.let_through), None)
        history = look_back(decided, source_last_at, payment, near_minor)
        judged = _Judged(fraud, is_charge, assess(rules, history, payment, AUTO_MAX_MINOR))
        decided.append(Decided(payment, let_through=not (fraud and judged.stopped)))
        yield judged


def _caught(kind: Kind, frauds: Sequence[Fraud], judged: Sequence[_Judged]) -> Caught:
    payments = [j for j in judged if j.fraud and j.fraud.kind == kind]
    stopped = [j for j in payments if j.stopped]
    planted = sum(f.kind == kind for f in frauds)
    return Caught(kind, planted, len({id(j.fraud) for j in stopped}), len(payments), len(stopped))


def _real(judged: Sequence[_Judged]) -> RealPayments:
    return RealPayments(len(judged), sum(j.stopped for j in judged))
