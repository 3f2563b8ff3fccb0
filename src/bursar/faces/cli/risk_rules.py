"""`bursar risk rules` and `bursar risk compare`: at the database, like `bursar mandate`."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bursar.core.authority import approvals
from bursar.core.events import service as events
from bursar.core.events.model import event_of
from bursar.core.identity.model import Actor
from bursar.core.ledger import reading
from bursar.faces.cli.place import opened
from bursar.features.risk import service as risk
from bursar.features.risk.service import Stood, Trial
from bursar.features.risk.store import Standing, Status
from bursar.kernel.db import Tx
from bursar.kernel.ids import new_id, show

_MOST_LISTED = 1_000
_USUAL_PERIOD = timedelta(days=7)
_ACTIONS: dict[Status, str] = {
    "shadow": "shadow_risk_rules",
    "active": "activate_risk_rules",
    "retired": "retire_risk_rules",
}


async def listed(tenant: str | None, data: Path | None) -> list[dict[str, Any]]:
    """The versions and where they stand."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        return [_facts(standing) for standing in await risk.list_all(tx, 0, _MOST_LISTED)]


async def draft(file: Path, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Keep the version that a file holds."""
    text = _read(file)
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        made = Stood(await risk.draft(tx, actor.principal_id, text), None)
        return _recorded(tx, actor, "draft_risk_rules", made)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"bursar: {file}: {error}")


async def become(status: Status, version: int, operator: str, tenant: str | None, data: Path | None) -> dict[str, Any]:
    """Bring a version there."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id) as tx:
        actor = await approvals.acting(tx, operator)
        stood = await risk.become(tx, actor.principal_id, version, status)
        return _recorded(tx, actor, _ACTIONS[status], stood)


async def compare(
    start: datetime | None, end: datetime | None, tenant: str | None, data: Path | None, *, as_json: bool
) -> None:
    """Print what rules on trial said beside those in force."""
    async with opened(data, tenant) as place, place.database.transaction(place.tenant_id, read_only=True) as tx:
        until = _in_utc(end) if end else await reading.clock(tx)
        since = _in_utc(start) if start else until - _USUAL_PERIOD
        trials = await risk.compare(tx, since, until)
    if as_json:
        json.dump([_trial(trial) for trial in trials], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print_trials(trials)


def _in_utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _recorded(tx: Tx, actor: Actor, action: str, stood: Stood) -> dict[str, Any]:
    happening = risk.told(stood)
    told = happening._replace(payload={**happening.payload, "by": "command line"})
    events.record(tx, [event_of(new_id(), actor, "", action, told)])
    return _facts(stood.standing) | {"instead_of": stood.instead_of}


def _facts(standing: Standing) -> dict[str, Any]:
    return {
        "version": standing.version,
        "status": standing.status,
        "changed_at": standing.changed_at.isoformat() if standing.changed_at else None,
        "rules_hash": standing.rules_hash.hex(),
        "rules": json.loads(standing.rules),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "active_version": trial.active_version,
        "shadow_version": trial.shadow_version,
        "payments": trial.payments,
        "unchanged": trial.unchanged,
        "changes": [
            {
                "old": move.old,
                "new": move.new,
                "payments": move.payments,
                "examples": [show("evt", decision_id) for decision_id in move.examples],
            }
            for move in trial.changes
        ],
    }


def _print_trials(trials: list[Trial]) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if not trials:
        console.print("No rules were on trial.")
    for trial in trials:
        beside = f"version {trial.active_version}" if trial.active_version else "no rules"
        console.print(
            f"Version {trial.shadow_version} beside {beside}: {trial.payments:,} payments,"
            f" {trial.unchanged:,} unchanged."
        )
        table = Table("Old", "New", "Payments", "For example")
        for move in trial.changes:
            examples = "\n".join(show("evt", decision_id) for decision_id in move.examples)
            table.add_row(move.old, move.new, f"{move.payments:,}", examples)
        if trial.changes:
            console.print(table)
