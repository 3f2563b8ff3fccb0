"""Rows of the book as the nouns they stand for."""

import json
from datetime import datetime
from uuid import UUID

from bursar.core.ledger.model import (
    Account,
    AccountStatus,
    Balance,
    Entry,
    EntryKind,
    Hold,
    HoldStatus,
    Metadata,
    NormalSide,
)


def _read(metadata: str) -> Metadata:
    return json.loads(metadata) if metadata != "{}" else {}


def written(metadata: Metadata) -> str:
    """Metadata as its column holds it."""
    return json.dumps(dict(metadata)) if metadata else "{}"


def account_row(
    id: UUID,
    number: str,
    name: str,
    currency: str,
    normal_side: NormalSide,
    floor_minor: int | None,
    status: AccountStatus,
    posted: int,
    held: int,
    version: int,
    metadata: str,
    opened_at: datetime,
    upstream: str | None,
) -> Account:
    """One row of `account`, in the order of its columns."""
    balance = Balance(posted, held, version)
    return Account(
        id, number, name, currency, normal_side, floor_minor, status, balance, _read(metadata), opened_at, upstream
    )  # fmt: skip


def entry_row(
    id: UUID,
    kind: EntryKind,
    event_id: UUID,
    reverses_id: UUID | None,
    hold_id: UUID | None,
    description: str | None,
    metadata: str,
    effective_at: datetime,
    recorded_at: datetime,
) -> Entry:
    """One row of `entry`."""
    return Entry(id, kind, event_id, reverses_id, hold_id, description, _read(metadata), effective_at, recorded_at)


def hold_row(
    id: UUID,
    account_id: UUID,
    target_id: UUID | None,
    currency: str,
    amount_minor: int,
    captured_minor: int,
    status: HoldStatus,
    description: str | None,
    metadata: str,
    placed_at: datetime,
    expires_at: datetime | None,
    entry_id: UUID | None,
    approval_id: UUID | None,
    owner_id: UUID | None,
) -> Hold:
    """One row of `hold`."""
    return Hold(
        id, account_id, target_id, currency, amount_minor, captured_minor, status, description, _read(metadata),
        placed_at, expires_at, entry_id, approval_id, owner_id,
    )  # fmt: skip
