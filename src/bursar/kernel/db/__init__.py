"""The one door to PostgreSQL: bounded connections, transactions that know their own fate, rows as dataclasses."""

from bursar.kernel.db.columns import once
from bursar.kernel.db.database import Database, Fate, connect, retrying
from bursar.kernel.db.draft import Draft, Stale, Unforeseen
from bursar.kernel.db.failures import (
    Busy,
    CannotConnect,
    CommitLost,
    MayNot,
    NotDurable,
    OutcomeUnknown,
    UpstreamUnavailable,
)
from bursar.kernel.db.listening import Bell, woken
from bursar.kernel.db.tx import Tx

__all__ = [
    "Bell",
    "Busy",
    "CannotConnect",
    "CommitLost",
    "Database",
    "Draft",
    "Fate",
    "MayNot",
    "NotDurable",
    "OutcomeUnknown",
    "Stale",
    "Tx",
    "Unforeseen",
    "UpstreamUnavailable",
    "connect",
    "once",
    "retrying",
    "woken",
]
