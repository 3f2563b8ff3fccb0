"""An assessment made again from what was kept of it: to explain a decision, and to show that it would be the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from bursar.features.risk import service, store
from bursar.features.risk.keeping import Kept, Scored, read_kept, scored_of
from bursar.features.risk.model import Assessment, Payment
from bursar.features.risk.ruleset import RuleSet, read_rules
from bursar.features.risk.score import assess
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.refusal import UnknownObject


class Explained(NamedTuple):
    """What the rules in force said to a payment, and those in the shadow; None where there were none."""

    decision_id: UUID
    at: datetime
    active: Assessment | None
    shadow: Assessment | None


async def explain(tx: Tx, decision_id: UUID | None) -> Explained:
    """Why a decision has its score; refuses where no risk rules were asked."""
    explained = await find(tx, decision_id) if decision_id else None
    if explained is None:
        raise UnknownObject("risk assessment")
    return explained


async def find(tx: Tx, decision_id: UUID) -> Explained | None:
    """The same; None where no risk rules were asked."""
    found = await store.find_assessed(tx, decision_id)
    inputs: Mapping[str, Any] = orjson.loads(found.inputs) if found else {}
    if "approval" in inputs:  # What people approved was scored when it was asked for.
        asked_id = await store.find_asked(tx, read("apr", inputs["approval"]))
        return await find(tx, asked_id) if asked_id else None
    if found is None or "assessed" not in inputs:
        return None
    kept, payment = read_kept(inputs["assessed"]), _payment_of(inputs, found.source_id, found.target_id)
    active = await _again(tx, kept, kept.active, payment)
    return Explained(decision_id, payment.at, active, await _again(tx, kept, kept.shadow, payment))


def assess_again(rules: RuleSet, kept: Kept, said: Scored, payment: Payment) -> Assessment:
    """The same rules on the very history; the same result is promised."""
    history = kept.history._replace(near_threshold=said.near_threshold)
    again = assess(rules, history, payment, kept.auto_max_minor)
    assert scored_of(again, history) == said, "an assessment is the same whenever it is made"
    return again


async def _again(tx: Tx, kept: Kept, said: Scored | None, payment: Payment) -> Assessment | None:
    if said is None:
        return None
    rules = read_rules((await service.find(tx, said.version)).rules)
    return assess_again(rules, kept, said, payment)


def _payment_of(inputs: Mapping[str, Any], source_id: UUID | None, target_id: UUID | None) -> Payment:
    assert source_id
    at = datetime.fromisoformat(inputs["now"])
    return Payment(at, source_id, target_id, inputs["currency"], inputs["amount_minor"])
