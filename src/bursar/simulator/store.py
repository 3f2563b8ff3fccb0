"""The provider's own store: one SQLite file, which nothing else reads or writes."""

import fcntl
import json
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bursar.simulator.errors import Body

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_of_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_of_charge ON object (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS object_of_payment ON object (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS object_of_source ON object (kind, json_extract(body, '$.source'));
CREATE TABLE IF NOT EXISTS kept_answer (
    key TEXT PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS due (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS due_at ON due (at, seq);
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, at REAL NOT NULL,
    since REAL NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, status INTEGER, fault TEXT
);
CREATE INDEX IF NOT EXISTS delivery_open ON delivery (at, seq) WHERE state IN ('waiting', 'held');
CREATE INDEX IF NOT EXISTS delivery_of_event ON delivery (event);
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS request (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at INTEGER NOT NULL, operation TEXT NOT NULL,
    path TEXT NOT NULL, key TEXT, status INTEGER, fault TEXT, replayed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class InUse(Exception):
    """Another simulator works on this store."""


class Store:
    """Objects as JSON in the order they were made, and what hangs on them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = (directory / "simulator.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise InUse(f"Another simulator works on {directory}.") from None
        self.connection = sqlite3.connect(directory / "simulator.sqlite3", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file and let another simulator have it."""
        self.connection.close()
        self._lock.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of it or nothing; nothing waits inside, so one at a time is enough."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def attempt(self) -> Generator[None]:
        """A part of a transaction that is undone alone when it raises."""
        self.connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO attempt")
            self.connection.execute("RELEASE attempt")
            raise
        self.connection.execute("RELEASE attempt")

    def insert(self, kind: str, body: Body) -> None:
        """Add an object; its body holds its id."""
        self.connection.execute(
            "INSERT INTO object (id, kind, body) VALUES (?, ?, ?)", (body["id"], kind, json.dumps(body))
        )

    def update(self, body: Body) -> None:
        """Write an object anew."""
        self.connection.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))

    def delete(self, object_id: str) -> None:
        """Forget an object."""
        self.connection.execute("DELETE FROM object WHERE id = ?", (object_id,))

    def get(self, object_id: str, kind: str | None = None) -> Body | None:
        """The object of this id, if there is one of this kind."""
        row = self.connection.execute(
            "SELECT body FROM object WHERE id = ? AND kind = coalesce(?, kind)", (object_id, kind)
        ).fetchone()
        return json.loads(row["body"]) if row else None

    def place(self, object_id: str) -> int | None:
        """Where an object stands in the order in which objects were made."""
        row = self.connection.execute("SELECT seq FROM object WHERE id = ?", (object_id,)).fetchone()
        return row["seq"] if row else None

    def page(
        self,
        kind: str,
        *,
        where: Mapping[str, Any] | None = None,
        created: Mapping[str, int] | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 1_000_000,
    ) -> list[Body]:
        """Objects of a kind, newest first; with `after` the ones next to it, still newest first."""
        parts = ["kind = ?"]
        values: list[Any] = [kind]
        for name, value in (where or {}).items():
            parts.append(f"json_extract(body, '$.{name}') = ?")
            values.append(value)
        for word, moment in (created or {}).items():
            parts.append(f"json_extract(body, '$.created') {_COMPARISONS[word]} ?")
            values.append(moment)
        if before is not None:
            parts.append("seq < ?")
            values.append(before)
        if after is not None:
            parts.append("seq > ?")
            values.append(after)
        order = "DESC" if after is None else "ASC"
        rows = self.connection.execute(
            # Names come from the tables of the code, values go as parameters.
            f"SELECT body FROM object WHERE {' AND '.join(parts)} ORDER BY seq {order} LIMIT ?",  # noqa: S608 -- see above
            (*values, limit),
        ).fetchall()
        found = [json.loads(row["body"]) for row in rows]
        return found if after is None else found[::-1]

    def reset(self) -> None:
        """Forget everything."""
        for table in ("object", "kept_answer", "due", "delivery", "fault", "request", "setting"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 The names stand here.

    def plan(self, at: int, action: str, object_id: str) -> None:
        """Have something done to an object when its time has come."""
        self.connection.execute("INSERT INTO due (at, action, object) VALUES (?, ?, ?)", (at, action, object_id))

    def next_due(self) -> tuple[int, int, str, str] | None:
        """What is to be done next: its number, its time, the action and the object."""
        row = self.connection.execute("SELECT seq, at, action, object FROM due ORDER BY at, seq LIMIT 1").fetchone()
        return tuple(row) if row else None

    def done(self, number: int) -> None:
        """Strike what was due off the list."""
        self.connection.execute("DELETE FROM due WHERE seq = ?", (number,))

    def kept(self, key: str) -> sqlite3.Row | None:
        """The answer that is kept under an idempotency key."""
        return self.connection.execute("SELECT * FROM kept_answer WHERE key = ?", (key,)).fetchone()

    def keep(self, key: str, path: str, digest: str, status: int, body: str, request: str, at: int) -> None:
        """Keep an answer under its key."""
        self.connection.execute(
            "INSERT INTO kept_answer VALUES (?, ?, ?, ?, ?, ?, ?)", (key, path, digest, status, body, request, at)
        )

    def forget_answers(self, before: int) -> None:
        """Forget the answers that are older than that."""
        self.connection.execute("DELETE FROM kept_answer WHERE at <= ?", (before,))

    def log(self, *row: Any) -> None:
        """Write down a request: id, time, operation, path, key, status, fault, whether it was a replay."""
        self.connection.execute(
            "INSERT INTO request (id, at, operation, path, key, status, fault, replayed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )

    def requests(self) -> list[Body]:
        """All requests, oldest first."""
        rows = self.connection.execute("SELECT * FROM request ORDER BY seq").fetchall()
        return [{**dict(row), "replayed": bool(row["replayed"])} for row in rows]

    def setting(self, name: str) -> Any:
        """A setting that was changed, or None."""
        row = self.connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return json.loads(row["value"]) if row else None

    def set(self, name: str, value: Any) -> None:
        """Change a setting."""
        self.connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))


_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
