"""The store's tables of deliveries and faults."""

import json
import sqlite3
from typing import Any

from bursar.simulator.errors import Body
from bursar.simulator.store import Store


def add_delivery(
    store: Store, event: str, endpoint: str, at: float, *, since: float, held: bool = False, fault: str | None = None
) -> None:
    """Have an event sent to an endpoint; a held one waits for another to go before it."""
    store.connection.execute(
        "INSERT INTO delivery (event, endpoint, at, since, state, fault) VALUES (?, ?, ?, ?, ?, ?)",
        (event, endpoint, at, since, "held" if held else "waiting", fault),
    )


def next_deliveries(store: Store, until: float) -> list[sqlite3.Row]:
    """The first delivery of each endpoint whose time has come, in the order of their times."""
    return store.connection.execute(
        "SELECT * FROM delivery WHERE seq IN ("
        " SELECT (SELECT seq FROM delivery AS one WHERE one.endpoint = d.endpoint AND one.state IN ('waiting', 'held')"
        "         AND one.at <= ? ORDER BY at, seq LIMIT 1)"
        " FROM (SELECT DISTINCT endpoint FROM delivery WHERE state IN ('waiting', 'held') AND at <= ?) AS d)"
        " ORDER BY at, seq",
        (until, until),
    ).fetchall()


def next_delivery_at(store: Store) -> float | None:
    """When the next delivery is to be tried."""
    return store.connection.execute("SELECT min(at) FROM delivery WHERE state IN ('waiting', 'held')").fetchone()[0]


def tried(store: Store, number: int, state: str, status: int | None, at: float) -> None:
    """Write down how a try went, and when the next one is if there is to be one."""
    store.connection.execute(
        "UPDATE delivery SET state = ?, status = ?, tries = tries + 1, at = ? WHERE seq = ?",
        (state, status, at, number),
    )


def release(store: Store, endpoint: str, at: float) -> None:
    """Let what was held back for this endpoint go: something else has gone before it."""
    store.connection.execute(
        "UPDATE delivery SET state = 'waiting', at = min(at, ?) WHERE endpoint = ? AND state = 'held'", (at, endpoint)
    )


def is_held(store: Store, number: int) -> bool:
    """Whether a delivery still waits for another to go before it."""
    return store.connection.execute("SELECT state FROM delivery WHERE seq = ?", (number,)).fetchone()[0] == "held"


def open_deliveries(store: Store, event: str) -> int:
    """How many deliveries of an event have not come to an end."""
    return store.connection.execute(
        "SELECT count(*) FROM delivery WHERE event = ? AND state IN ('waiting', 'held')", (event,)
    ).fetchone()[0]


def drop_deliveries(store: Store, endpoint: str) -> None:
    """Give up what an endpoint that is gone was still to get."""
    store.connection.execute(
        "UPDATE delivery SET state = 'dropped' WHERE endpoint = ? AND state IN ('waiting', 'held')", (endpoint,)
    )


def deliveries(store: Store) -> list[Body]:
    """All deliveries, oldest first."""
    rows = store.connection.execute("SELECT * FROM delivery ORDER BY seq").fetchall()
    return [dict(row) for row in rows]


def add_fault(store: Store, rule: Body) -> int:
    """Add a rule; its number."""
    number = store.connection.execute("INSERT INTO fault (body) VALUES (?)", (json.dumps(rule),)).lastrowid
    assert number is not None
    return number


def faults(store: Store) -> list[Body]:
    """All rules, oldest first, with how often each one looked and struck."""
    rows = store.connection.execute("SELECT * FROM fault ORDER BY seq").fetchall()
    return [{"id": row["seq"], **json.loads(row["body"]), "seen": row["seen"], "hits": row["hits"]} for row in rows]


def count_fault(store: Store, number: int, *, hit: bool) -> None:
    """A rule has looked at a request or an event, and has struck or not."""
    store.connection.execute("UPDATE fault SET seen = seen + 1, hits = hits + ? WHERE seq = ?", (int(hit), number))


def remove_fault(store: Store, number: int | None) -> int:
    """Remove one rule, or all; how many there were."""
    statement: tuple[str, tuple[Any, ...]] = (
        ("DELETE FROM fault", ()) if number is None else ("DELETE FROM fault WHERE seq = ?", (number,))
    )
    return store.connection.execute(*statement).rowcount
