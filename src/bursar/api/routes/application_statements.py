"""`/v1/applications/{application_id}/statements`: what an applicant's bank says, which decisions are scored on."""

from collections.abc import Mapping

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.application_shapes import see, show_application
from bursar.api.routes.refs import IdPath
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.lending import filing, scorecard_store, service
from bursar.features.lending.evidence import Statement, statement_of
from bursar.features.lending.trail import told
from bursar.kernel.canonical import Json
from bursar.kernel.db import Tx
from bursar.kernel.ids import read
from bursar.kernel.money import read_amount, show_minor
from bursar.kernel.refusal import InvalidArgument, UnknownObject
from bursar.wire import scorecards as wire
from bursar.wire.lending import Application

router = APIRouter(prefix="/v1/applications/{application_id}/statements", tags=["lending"], route_class=GatedRoute)


@router.post("", status_code=201, response_model=Application, responses=WRITE_PROBLEMS)
async def add_application_statement(
    caller: CallerOf, application_id: IdPath, body: wire.AddStatement, key: OptionalIdempotencyKey = None
) -> Response:
    """File a bank statement, as lines or as a summary by months. The latest counts; what was there before is kept."""

    async def work(tx: Tx, actor: Actor) -> tuple[Application, Happening]:
        found = await service.find(tx, actor, read("app", application_id))
        after = await filing.add_statement(tx, actor, found.id, body.version, _read(body, found.currency))
        return show_application(await see(tx, after)), told("statement", after)

    ask = caller.ask("add_application_statement", key, body, application_id)
    return await caller.act(ask, work, lambda shown: json_answer(shown, 201))


@router.get("", response_model=wire.ApplicationStatement, responses=READ_PROBLEMS)
async def get_application_statement(caller: CallerOf, application_id: IdPath) -> Response:
    """The statement that counts, as it was handed in. The trail says of every one whose it is and what its hash is."""
    async with caller.reading("get_application_statement") as (tx, actor):
        found = await service.find(tx, actor, read("app", application_id))
        statement = await scorecard_store.find_statement(tx, found.id)
    if statement is None:
        raise UnknownObject("statement")
    return json_response(_show(statement, found.currency))


def _read(body: wire.AddStatement, currency: str) -> Statement:
    if (body.lines is None) == (body.summary is None):
        raise InvalidArgument("lines", "is needed, or else a summary; not both")
    if (body.origin == "document") != (body.document is not None):
        raise InvalidArgument("document", "is needed for the origin document, and for no other")
    if body.summary:
        content: Mapping[str, Json] = {"summary": body.summary.model_dump(mode="json")}
    else:
        content = {"lines": [_line(line, currency) for line in body.lines or ()]}
    return statement_of(body.version + 1, body.origin, body.document, content)


def _line(line: wire.StatementLine, currency: str) -> list[Json]:
    if line.change is None and line.balance is None:
        raise InvalidArgument("lines", "need what moved, or the balance after it, or both")
    change, balance = (_minor(text, currency) for text in (line.change, line.balance))
    return [line.day.isoformat(), change, balance, line.kind]


def _minor(text: str | None, currency: str) -> int | None:
    if text is None or not text.strip("-0."):
        return None if text is None else 0
    minor = read_amount(text.removeprefix("-"), currency, "lines").minor
    return -minor if text.startswith("-") else minor


def _show(statement: Statement, currency: str) -> wire.ApplicationStatement:
    facts = orjson.loads(statement.body)
    lines = [
        wire.StatementLine(
            day=day, change=_shown(change, currency), balance=_shown(balance, currency), kind=kind
        )
        for day, change, balance, kind in facts.get("lines", ())
    ]  # fmt: skip
    summary = wire.StatementSummary.model_validate(facts["summary"]) if "summary" in facts else None
    return wire.ApplicationStatement(
        application_version=statement.application_version,
        origin=statement.origin,
        document=statement.document,
        lines=None if summary else lines,
        summary=summary,
        sha256=statement.body_hash.hex(),
    )


def _shown(minor: int | None, currency: str) -> str | None:
    return None if minor is None else show_minor(minor, currency)
