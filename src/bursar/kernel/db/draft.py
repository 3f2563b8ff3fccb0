"""What a transaction is to write, decided before it begins: one statement that checks what was relied on."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, LiteralString, NamedTuple, NoReturn
from uuid import UUID

from bursar.kernel.db.tx import Tx, numbered

# What `stale()` raises.
STALE_STATE = "BU001"


class Unforeseen(Exception):
    """Only a transaction can tell: nothing was asked of the database, nothing written."""


class Stale(Exception):
    """A fact that was relied on has changed, or another was first: the statement has had no effect."""


class _Part(NamedTuple):
    """A statement with its number of arguments; where its rows are counted, the last one is how many there must be."""

    sql: str
    args: int
    is_counted: bool


class Draft(Tx):
    """Takes what is to be written, as a transaction does, and asks nothing: whoever must ask finds it `Unforeseen`."""

    __slots__ = ("_args", "_parts")

    def __init__(self, tenant_id: UUID) -> None:
        """An empty one."""
        super().__init__(None, tenant_id)
        self._parts: list[_Part] = []
        self._args: list[object] = []

    def later(self, sql: LiteralString, *args: object) -> None:
        """An INSERT or UPDATE that is written if all that must hold does."""
        self._add(sql, args, is_counted=False)

    def must(self, sql: LiteralString, *args: object, rows: int) -> None:
        """A statement that has to return so many rows, or all of this comes to nothing.

        They are asked in this order, after the locks are had. `gate.tenant_id` in its text is the tenant's, known when
        row security is set.
        """
        self._add(sql, (*args, rows), is_counted=True)

    def _add(self, sql: str, args: Sequence[object], *, is_counted: bool) -> None:
        self._parts.append(_Part(sql, len(args), is_counted))
        self._args += args

    async def send(self) -> None:
        """There is no transaction yet that anything could be sent in."""

    async def _ready(self) -> NoReturn:
        raise Unforeseen

    def statement(self, locks: Sequence[int]) -> tuple[str, list[Any]]:
        """All of it as one statement with its arguments; its one value is the database's clock.

        `locks` are advisory locks, taken in this order before anything is looked at.
        """
        return _text(tuple(self._parts)), [str(self.tenant), self.tenant, locks, *self._args]


# Whoever waits long does so in a transaction, which can tell for what.
_GATE = """gate AS MATERIALIZED (
    SELECT $2::uuid AS tenant_id, set_config('app.tenant_id', $1, true), set_config('lock_timeout', '500ms', true),
           (SELECT count(*) FROM (SELECT pg_advisory_xact_lock(k) FROM unnest($3::bigint[]) k) l) AS locks)"""


@lru_cache(maxsize=64)
def _text(parts: tuple[_Part, ...]) -> str:
    """The order in which the conditions are asked is that of the CASE; what nobody counts is written after them.

    The numbers are arguments, so that batches of any size share a plan.
    """
    first = 3
    texts = numbered(((part.sql, part.args) for part in parts), before=first)
    ends = accumulate((part.args for part in parts), initial=first)
    next(ends)
    whens = [
        f"WHEN (SELECT count(*) FROM s{i}) <> ${end}::int THEN stale()"  # noqa: S608 -- numbers of our own
        for i, (part, end) in enumerate(zip(parts, ends, strict=True))
        if part.is_counted
    ]
    named = ", ".join([_GATE, *(f"s{i} AS ({text})" for i, text in enumerate(texts))])
    conditions = " ".join(["WHEN (SELECT locks FROM gate) IS NULL THEN stale()", *whens])
    return f"WITH {named} SELECT CASE {conditions} ELSE clock_timestamp() END"


@lru_cache(maxsize=64)
def asking(sql: str, args: int) -> str:
    """A SELECT, with the number of its arguments, as one that sets row security for itself; the tenant goes first."""
    (text,) = numbered([(sql, args)], before=1)
    gate = "SELECT $1::uuid AS tenant_id, set_config('app.tenant_id', $1::uuid::text, true)"
    return f"WITH gate AS MATERIALIZED ({gate}) {text}"
