"""`bursar mandate`: mandates from the command line, at the database like `bursar key`."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bursar.core.authority import mandate_store, mandates
from bursar.core.authority.mandate import Mandate
from bursar.core.authority.mandates import Draft
from bursar.core.authority.replaying import Change, backtest
from bursar.core.events import service as events
from bursar.core.events.model import Happening, event_of
from bursar.core.identity import service as identity
from bursar.core.identity.model import Principal
from bursar.faces.cli.place import opened
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, read, show
from bursar.kernel.refusal import InvalidArgument
from bursar.wire.mandates import DraftMandate

Verb = Callable[[Tx, UUID, UUID | None], Awaitable[Mandate]]
VERBS: dict[str, Verb] = {"activate": mandates.activate, "revoke": mandates.revoke}
_HAPPENED = {"activate": "mandate.activated", "revoke": "mandate.revoked"}


async def draft(file: Path, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Write the mandate that a JSON file describes, as `POST /v1/mandates` takes it."""
    wanted = _read(file)
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        granter = await _operator(tx, operator)
        made = await mandates.draft(tx, granter.id, await _draft(tx, wanted))
        _record(tx, granter, "draft_mandate", "mandate.drafted", made)
        return _facts(made)


async def become(verb: str, mandate_id: str, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Activate or revoke a mandate."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        granter = await _operator(tx, operator)
        changed = await VERBS[verb](tx, granter.id, read("mnd", mandate_id))
        _record(tx, granter, f"{verb}_mandate", _HAPPENED[verb], changed)
        return _facts(changed)


async def listed(agent: str | None, tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """Mandates as they stand, of one agent if asked."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        of = (await identity.find_agent(tx, agent)).id if agent else None
        return [_facts(mandate) for mandate in await mandate_store.list_mandates(tx, of, None, 10_000)]


async def tried(file: Path, agent: str, tenant: str | None, data: Path | None, *, as_json: bool) -> int:
    """Try the mandate that a file describes on an agent's past decisions, and print what would have been otherwise."""
    wanted = _read(file)
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        found = await identity.find_agent(tx, agent)
        past = await mandate_store.list_decisions(tx, found.id)
        drafted = mandates.imagined(await _draft(tx, wanted), found.id)
    shown = past if as_json else list(track(past, "Reading the past", console=Console(stderr=True), transient=True))
    _print_changes(backtest(drafted, shown), len(past), as_json=as_json)
    return 0


def _read(file: Path) -> DraftMandate:
    try:
        return DraftMandate.model_validate_json(file.read_bytes())
    except OSError as error:
        sys.exit(f"bursar: {file}: {error.strerror or error}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(step) for step in first["loc"]) or "the file"
        raise InvalidArgument(at, first["msg"]) from None


async def _draft(tx: Tx, wanted: DraftMandate) -> Draft:
    agent = await identity.find_agent(tx, wanted.agent) if wanted.agent is not None else None
    parent_id = read("mnd", wanted.parent) if wanted.parent is not None else None
    if wanted.parent is not None and parent_id is None:
        raise InvalidArgument("parent", "is not the id of a mandate")
    terms = wanted.terms.model_dump(mode="json")
    agent_id = agent.id if agent else None
    return Draft(wanted.name, agent_id, wanted.team, parent_id, wanted.not_before, wanted.expires_at, terms)


async def _operator(tx: Tx, name: str) -> Principal:
    found = await identity.find_principal_named(tx, name)
    if found is None or found.kind != "operator":
        raise InvalidArgument(
            "operator", "names no operator of this tenant; make one with `bursar key create --operator`"
        )
    return found


def _record(tx: Tx, by: Principal, action: str, kind: str, mandate: Mandate) -> None:
    terms: dict[str, Any] = json.loads(mandate.text)
    payload = {"by": "command line", "name": mandate.name, "operator": by.name, "terms": terms}
    happening = Happening(kind, mandate.status, payload | {"version": mandate.version}, show("mnd", mandate.id))
    events.record(tx, [event_of(new_id(), None, "", action, happening)])


def _facts(mandate: Mandate) -> dict[str, Any]:
    return {
        "id": show("mnd", mandate.id),
        "name": mandate.name,
        "status": mandate.status,
        "version": mandate.version,
        "agent_id": show("prn", mandate.agent_id) if mandate.agent_id else None,
        "team": mandate.team,
        "terms": json.loads(mandate.text),
    }


def _print_changes(changes: list[Change], in_all: int, *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "id": show("evt", change.decision_id),
                "at": change.at.isoformat(),
                "amount": str(change.payment.money),
                "currency": change.payment.money.currency,
                "was": change.was,
                "would_be": change.verdict.outcome,
                "why": [result.fact for result in change.verdict.results if result.said == change.verdict.outcome],
            }
            for change in changes
        ]
        json.dump({"decisions": in_all, "changed": rows}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("At", "Amount", "Was", "Would be", "Why")
    for change in changes:
        money = change.payment.money
        why = next((r.fact for r in change.verdict.results if r.said == change.verdict.outcome and r.fact), "")
        amount = f"{money} {money.currency}"
        table.add_row(f"{change.at:%Y-%m-%d %H:%M:%S}", amount, change.was, change.verdict.outcome, why)
    console = Console(highlight=False, markup=False)
    if changes:
        console.print(table)
    console.print(f"{len(changes):,} of {in_all:,} decisions would have been otherwise.")
