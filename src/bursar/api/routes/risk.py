"""`/v1/risk`: versions of the rules, what a trial says, and why a payment has its score."""

import re
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from bursar.api.door import Caller, CallerOf, OptionalIdempotencyKey, json_answer, json_response, refuse_cursor
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.refs import Cursor, IdPath, Limit
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.features.risk import explaining
from bursar.features.risk import service as risk
from bursar.features.risk.explaining import Explained
from bursar.features.risk.model import Assessment
from bursar.features.risk.service import Stood, Trial
from bursar.features.risk.store import Standing, Status
from bursar.kernel.db import Tx
from bursar.kernel.ids import read, show
from bursar.wire import risk as wire
from bursar.wire.fields import Page, Time

router = APIRouter(prefix="/v1/risk", tags=["risk"], route_class=GatedRoute)

_USUAL_PERIOD = timedelta(days=7)
_VERSION = re.compile(r"[1-9][0-9]{0,6}")


@router.get("/rules", response_model=Page[wire.RiskVersion], responses=READ_PROBLEMS)
async def list_risk_rules(caller: CallerOf, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every version of the rules and where it stands, in order of their numbers. Operators only."""
    after = _version(cursor) if cursor is not None else 0
    if after is None:
        raise refuse_cursor()
    async with caller.reading("list_risk_rules") as (tx, _):
        found = await risk.list_all(tx, after, limit + 1)
    items = [_show(standing) for standing in found[:limit]]
    more = str(items[-1].version) if len(found) > limit else None
    return json_response(Page[wire.RiskVersion](items=items, next_cursor=more))


@router.post("/rules", status_code=201, response_model=wire.RiskVersion, responses=WRITE_PROBLEMS)
async def draft_risk_rules(caller: CallerOf, body: wire.RiskRules, key: OptionalIdempotencyKey = None) -> Response:
    """Keep a new version of the rules; it decides nothing yet. A version is never edited: its number must be new."""

    async def work(tx: Tx, actor: Actor) -> tuple[Stood, Happening]:
        risk.refuse_others(actor)
        made = Stood(await risk.draft(tx, actor.principal_id, body.model_dump_json()), None)
        return made, risk.told(made)

    ask = caller.ask("draft_risk_rules", key, body)
    return await caller.act(ask, work, lambda made: json_answer(_show(made.standing), 201))


@router.post("/rules/{version}/shadow", response_model=wire.RiskVersion, responses=WRITE_PROBLEMS)
async def shadow_risk_rules(caller: CallerOf, version: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Try a version: every payment is assessed by it too, and nothing else changes. It replaces the one on trial."""
    return await _become(caller, "shadow_risk_rules", version, key, "shadow")


@router.post("/rules/{version}/activate", response_model=wire.RiskVersion, responses=WRITE_PROBLEMS)
async def activate_risk_rules(caller: CallerOf, version: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Put a version in force in place of the one that is: every payment that commits after the answer obeys it."""
    return await _become(caller, "activate_risk_rules", version, key, "active")


@router.post("/rules/{version}/retire", response_model=wire.RiskVersion, responses=WRITE_PROBLEMS)
async def retire_risk_rules(caller: CallerOf, version: IdPath, key: OptionalIdempotencyKey = None) -> Response:
    """Take a version out of force or off trial. With none in force no score is known."""
    return await _become(caller, "retire_risk_rules", version, key, "retired")


@router.get("/comparison", response_model=wire.RiskComparison, responses=READ_PROBLEMS)
async def compare_risk_rules(
    caller: CallerOf,
    start: Annotated[Time | None, Query(description="First moment included. Default: a week before the end.")] = None,
    end: Annotated[Time | None, Query(description="First moment not included. Default: now.")] = None,
) -> Response:
    """What versions in the shadow said beside those in force, payment by payment. Operators only."""
    async with caller.reading("compare_risk_rules") as (tx, _):
        until = end or await reading.clock(tx)
        since = start or until - _USUAL_PERIOD
        trials = await risk.compare(tx, since, until)
    return json_response(wire.RiskComparison(start=since, end=until, trials=[_show_trial(t) for t in trials]))


@router.get("/assessments/{event_id}", response_model=wire.RiskAssessment, responses=READ_PROBLEMS)
async def get_risk_assessment(caller: CallerOf, event_id: IdPath) -> Response:
    """Why the decision of this event has its score: what each feature measured, and what it added. Operators only."""
    async with caller.reading("get_risk_assessment") as (tx, _):
        return json_response(show_assessment(await explaining.explain(tx, read("evt", event_id))))


async def _become(caller: Caller, action: str, version: str, key: str | None, status: Status) -> Response:
    async def work(tx: Tx, actor: Actor) -> tuple[Stood, Happening]:
        risk.refuse_others(actor)
        stood = await risk.become(tx, actor.principal_id, _version(version), status)
        return stood, risk.told(stood)

    ask = caller.ask(action, key, None, version)
    return await caller.act(ask, work, lambda stood: json_answer(_show(stood.standing)))


def _version(text: str) -> int | None:
    return int(text) if _VERSION.fullmatch(text) else None


def _show(standing: Standing) -> wire.RiskVersion:
    return wire.RiskVersion(
        version=standing.version,
        status=standing.status,
        rules=wire.RiskRules.model_validate(orjson.loads(standing.rules)),
        rules_hash=standing.rules_hash.hex(),
        drafted_at=standing.drafted_at,
        changed_at=standing.changed_at,
        changed_by=show("prn", standing.changed_by) if standing.changed_by else None,
    )


def _show_trial(trial: Trial) -> wire.RiskTrial:
    return wire.RiskTrial(
        active_version=trial.active_version,
        shadow_version=trial.shadow_version,
        payments=trial.payments,
        unchanged=trial.unchanged,
        changes=[
            wire.RiskMove(
                old=m.old, new=m.new, payments=m.payments, examples=[show("evt", event_id) for event_id in m.examples]
            )
            for m in trial.changes
        ],
    )


def show_assessment(explained: Explained) -> wire.RiskAssessment:
    """An assessment as the wire shows it."""
    return wire.RiskAssessment(
        decision_id=show("evt", explained.decision_id),
        decided_at=explained.at,
        active=_show_scored(explained.active) if explained.active else None,
        shadow=_show_scored(explained.shadow) if explained.shadow else None,
    )


def _show_scored(assessment: Assessment) -> wire.RiskScored:
    return wire.RiskScored(
        rules_version=assessment.rules_version,
        score=assessment.score,
        outcome=assessment.outcome,
        contributions=[
            wire.RiskContribution(feature=c.feature, value=c.value, points=c.points, text=c.text)
            for c in assessment.contributions
        ],
    )
