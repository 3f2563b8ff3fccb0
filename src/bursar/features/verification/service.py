"""The verbs of verification: ask every query, and replay what no query can ask, in one snapshot."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import LiteralString, NamedTuple, cast

from bursar.features.verification.model import Invariant, Replay, Violation, read_invariants
from bursar.kernel.db import Tx

_FILES = (
    "invariants.sql",
    "invariants_of_schema.sql",
    "invariants_of_authority.sql",
    "invariants_of_jobs.sql",
    "invariants_of_notifications.sql",
    "invariants_of_payments.sql",
    "invariants_of_lending.sql",
    "invariants_of_loans.sql",
    "invariants_of_collections.sql",
)
MOST_ROWS_A_QUERY = 20


class _Counted(NamedTuple):
    name: str
    rows: int


@cache
def invariants() -> Sequence[Invariant]:
    """All invariants, in the order of their files."""
    folder = files("bursar.features.verification")
    texts = [(folder / name).read_text(encoding="utf-8") for name in _FILES]
    return tuple(invariant for text in texts for invariant in read_invariants(text))


def _nobody(_: int, __: Invariant) -> None:
    """Nobody waits to be told."""


async def verify(
    tx: Tx, most_rows: int = MOST_ROWS_A_QUERY, told: Callable[[int, Invariant], None] = _nobody
) -> list[Violation]:
    """Ask every invariant; `tx` reads only, as bursar_verify, and sees all tenants. At most `most_rows` for each.

    `told` is called before each with its place, from 1 on: over a large book some take minutes.
    """
    await _make_ready(tx)
    found: list[Violation] = []
    for number, invariant in enumerate(invariants(), 1):
        told(number, invariant)
        found += await _broken(tx, invariant, most_rows)
    return found


async def replayed(
    tx: Tx, replays: Sequence[Replay], told: Callable[[Replay, int], None], most_rows: int = MOST_ROWS_A_QUERY
) -> list[Violation]:
    """Make everything again that `replays` name; `told` is called with how many of each were looked at so far."""
    await _make_ready(tx)
    found: list[Violation] = []
    for replay in replays:
        looked_at, rows = 0, list[str]()
        async for batch in replay.batches(tx):
            looked_at += batch.looked_at
            rows += batch.different[: most_rows - len(rows)]
            told(replay, looked_at)
        found += [Violation(replay.name, replay.claim, row) for row in rows]
    return found


async def count_rows(tx: Tx) -> dict[str, int]:
    """How many rows of each kind the snapshot holds, of all tenants."""
    counted = await tx.rows(
        _Counted,
        """SELECT 'tenants', count(*) FROM tenant
           UNION ALL SELECT 'accounts', count(*) FROM account
           UNION ALL SELECT 'entries', count(*) FROM entry
           UNION ALL SELECT 'postings', count(*) FROM posting
           UNION ALL SELECT 'holds', count(*) FROM hold
           UNION ALL SELECT 'events', count(*) FROM event
           UNION ALL SELECT 'answers', count(*) FROM answer""",
    )
    return {kind.name: kind.rows for kind in counted}


async def _make_ready(tx: Tx) -> None:
    """Undo for this transaction what suits the short statements of the service: these read whole tables."""
    await tx.run("SET LOCAL enable_seqscan = on")
    await tx.run("SET LOCAL work_mem = '64MB'")
    # To try all orders of eight or nine tables takes longer than most queries; they are written in a good one.
    await tx.run("SET LOCAL join_collapse_limit = 4")


async def _broken(tx: Tx, invariant: Invariant, most_rows: int) -> list[Violation]:
    # The text is our own file's, shipped in the package, with no value in it.
    sql = cast(LiteralString, f"SELECT to_jsonb(b)::text FROM ({invariant.sql}) AS b LIMIT $1")  # noqa: S608 - see above
    return [Violation(invariant.name, invariant.claim, row) for row in await tx.rows(str, sql, most_rows)]
