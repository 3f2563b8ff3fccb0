"""`/v1/contact-rules` and `/v1/reminder-templates`: make a version, list them all."""

from fastapi import APIRouter
from starlette.responses import Response

from bursar.api.door import CallerOf, OptionalIdempotencyKey, json_answer, json_response
from bursar.api.problems import READ_PROBLEMS, WRITE_PROBLEMS
from bursar.api.routes.collection_shapes import read_wanted, show_rules, show_words
from bursar.api.routing import GatedRoute
from bursar.core.events.model import Happening
from bursar.core.identity.model import Actor
from bursar.features.collections import ruling, store
from bursar.features.collections.store import KeptRules, KeptWords
from bursar.features.collections.templates import Words
from bursar.kernel.db import Tx
from bursar.wire import collections as wire

router = APIRouter(tags=["lending"], route_class=GatedRoute)


@router.post("/v1/contact-rules", status_code=201, response_model=wire.ContactRules, responses=WRITE_PROBLEMS)
async def create_contact_rules(
    caller: CallerOf, body: wire.CreateContactRules, key: OptionalIdempotencyKey = None
) -> Response:
    """Make a version of the rules of contact; reminders go by it from now on. Versions are never edited."""
    wanted = read_wanted(body)

    async def work(tx: Tx, actor: Actor) -> tuple[KeptRules, Happening]:
        made = await ruling.make_rules(tx, actor, wanted)
        facts = {"product": made.product, "version": made.version}
        return made, Happening("contact_rules.made", "done", facts)

    ask = caller.ask("create_contact_rules", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_rules(made), 201))


@router.get("/v1/contact-rules", response_model=wire.AllContactRules, responses=READ_PROBLEMS)
async def list_contact_rules(caller: CallerOf) -> Response:
    """Every version of the rules; a product's own count before those of all."""
    async with caller.reading("list_contact_rules") as (tx, _):
        return json_response(wire.AllContactRules(items=[show_rules(kept) for kept in await store.list_rules(tx)]))


@router.post("/v1/reminder-templates", status_code=201, response_model=wire.ReminderTemplate, responses=WRITE_PROBLEMS)
async def create_reminder_template(
    caller: CallerOf, body: wire.CreateReminderTemplate, key: OptionalIdempotencyKey = None
) -> Response:
    """Make a version of a template; reminders have its words from now on. Only facts of the loan have places in it."""
    wanted = Words(body.name, 0, body.subject, body.text)

    async def work(tx: Tx, actor: Actor) -> tuple[KeptWords, Happening]:
        made = await ruling.make_words(tx, actor, wanted)
        facts = {"name": made.words.name, "version": made.words.version}
        return made, Happening("reminder_template.made", "done", facts)

    ask = caller.ask("create_reminder_template", key, body)
    return await caller.act(ask, work, lambda made: json_answer(show_words(made), 201))


@router.get("/v1/reminder-templates", response_model=wire.ReminderTemplates, responses=READ_PROBLEMS)
async def list_reminder_templates(caller: CallerOf) -> Response:
    """Every version of every template, those that come with Bursar too."""
    async with caller.reading("list_reminder_templates") as (tx, _):
        return json_response(wire.ReminderTemplates(items=[show_words(kept) for kept in await ruling.all_words(tx)]))
