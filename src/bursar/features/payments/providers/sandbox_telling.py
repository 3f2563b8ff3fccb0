"""How the sandbox's provider says how things stand: reports from its books, and events as signed JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from bursar.features.payments.ports import (
    BalanceTransaction,
    Effect,
    EventMalformed,
    ProviderEvent,
    Report,
)
from bursar.features.payments.providers import sandbox_store as store
from bursar.features.payments.providers.magic import magic_of
from bursar.features.payments.providers.sandbox_store import Made, Transaction
from bursar.kernel.db import Tx

_ACTION_URL = "https://sandbox.invalid/authenticate/"


async def report_of(tx: Tx, key: str) -> Report | None:
    """How a call stands, by its key."""
    made = await store.find(tx, key)
    if made is None:
        return None
    if made.kind in ("refund", "payout"):
        parent = await store.find(tx, made.parent) if made.parent else None
        rows = await store.list_transactions_of(tx, made.parent or made.key)
        mine = tuple(effect_of(row) for row in rows if row.about == made.reference)
        return _report(made, made, mine, parent.reference if parent else None)
    charge = await store.find(tx, made.parent) if made.parent else made
    assert charge
    return _report(made, charge, tuple(effect_of(r) for r in await store.list_transactions_of(tx, charge.key)), None)


def _report(asked: Made, subject: Made, effects: tuple[Effect, ...], payment: str | None) -> Report:
    off = magic_of(subject.method).off_by_minor if subject.kind in ("charge", "payout") else 0
    url = _ACTION_URL + subject.reference if subject.standing == "requires_action" else None
    kind: Any = asked.kind
    standing: Any = subject.standing
    return Report(
        asked.key, kind, subject.reference, standing, subject.amount_minor + off, subject.currency, effects,
        subject.failure, url, complete=True, payment=payment,
    )  # fmt: skip


def effect_of(row: Transaction) -> Effect:
    """A row of the books as the effect that it is."""
    kind: Any = row.kind
    return Effect(row.reference, kind, row.amount_minor, row.currency, row.fee_minor, row.key, row.about, row.at)


def row_of(row: Transaction) -> BalanceTransaction:
    """A row of the books as the port shows it."""
    return BalanceTransaction(
        row.reference, row.kind, row.net_minor, row.fee_minor, row.currency, row.at, effect_of(row)
    )  # fmt: skip


def event_body(event_id: str, kind: str, tenant: str, report: Report, at: datetime) -> str:
    """An event as it is sent."""
    effects = [{**effect._asdict(), "at": effect.at.isoformat() if effect.at else None} for effect in report.effects]
    shown = {**report._asdict(), "effects": effects}
    return orjson.dumps(
        {"account": tenant, "created": at.isoformat(), "id": event_id, "report": shown, "type": kind}
    ).decode()  # fmt: skip


def read_event(body: bytes) -> ProviderEvent:
    """An event as it came; the signature has been looked at."""
    try:
        event = orjson.loads(body)
        report = _read_report(event["report"]) if event.get("report") else None
        at = datetime.fromisoformat(event["created"])
        texts = (event["id"], event["type"], event["account"])
        if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts):
            raise EventMalformed("a name is no text")
        return ProviderEvent(event["id"], event["type"], at, event["account"], report)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventMalformed(type(error).__name__) from error


def _read_report(shown: Mapping[str, Any]) -> Report:
    effects: list[dict[str, Any]] = [
        {**effect, "at": datetime.fromisoformat(effect["at"]) if effect["at"] else None} for effect in shown["effects"]
    ]
    fields: dict[str, Any] = {**shown, "effects": tuple(Effect(**effect) for effect in effects)}
    return Report(**fields)
