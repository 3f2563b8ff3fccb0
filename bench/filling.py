"""Fills a database as if everybody had paid everybody for a long time: accounts, entries, postings and their events.

All accounts are payees that the tenant knows.

Nothing is summed up: versions and balances follow from an entry's place. First the tenant's funding account pays each
account once. Then come rounds, in each of which every account pays one other and is paid by one other the same amount;
who is paid is the payer some places further on, so it is known which of the two an account does first.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.services import FUNDS
from bench.workloads import PREFIX

CHUNK: Final = 50_000
OPENING_MINOR: Final = int(FUNDS * 100)
PAID_MINOR: Final = 100
# The entries are spread over the days before now.
DAYS: Final = 30
TABLES: Final = "account, counterparty, entry, posting, event"

FUNCTIONS: Final = """
-- Grows with time, as the service's own ids do; what is made of the same number is told apart by its kind.
CREATE FUNCTION pg_temp.id_of(kind text, ms bigint, n bigint) RETURNS uuid IMMUTABLE RETURN (
    lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || 'a' || substr(md5(kind || n), 1, 15)
)::uuid;
-- The account at this place of a round: neighbours there are strangers by number.
CREATE FUNCTION pg_temp.account_at(place bigint, accounts bigint, ms bigint) RETURNS uuid IMMUTABLE
RETURN pg_temp.id_of('account', ms, place * 1000003 % accounts);
"""

ACCOUNTS: Final = """
INSERT INTO account (tenant_id, id, number, name, currency, normal_side, floor_minor, posted_minor, version)
SELECT %(tenant_id)s, pg_temp.id_of('account', %(start)s, n), number, number, 'USD', 'credit', 0, %(opening)s,
    1 + 2 * (%(entries)s / %(accounts)s - 1)
FROM (
    SELECT n, %(prefix)s || lpad(n::text, greatest(5, length(n::text)), '0') AS number
    FROM generate_series(0::bigint, %(accounts)s - 1) AS n
) AS a
"""

PAYEES: Final = """
INSERT INTO counterparty (tenant_id, id, account_id, name, created_by)
SELECT tenant_id, pg_temp.id_of('payee', %(start)s, row_number() OVER (ORDER BY id)), id, number, %(actor_id)s
FROM account WHERE tenant_id = %(tenant_id)s AND starts_with(number, %(prefix)s)
"""

ENTRIES: Final = """
WITH place AS (
    SELECT n, n / %(accounts)s - 1 AS round, n %% %(accounts)s AS i, %(start)s + n * %(span)s / %(entries)s AS ms
    FROM generate_series(%(low)s::bigint, %(high)s - 1) AS n
),
shifted AS (SELECT *, 1 + (round + 1) * 7919 %% (%(accounts)s - 1) AS shift FROM place),
made AS MATERIALIZED (
    SELECT
        round < 0 AS opens, i, round, shift, to_timestamp(ms / 1000.0) AS at,
        pg_temp.id_of('entry', ms, n) AS entry_id, pg_temp.id_of('event', ms, n) AS event_id,
        CASE WHEN round < 0 THEN %(funding)s ELSE pg_temp.account_at(i, %(accounts)s, %(start)s) END AS source_id,
        pg_temp.account_at(
            CASE WHEN round < 0 THEN i ELSE (i + shift) %% %(accounts)s END, %(accounts)s, %(start)s
        ) AS target_id
    FROM shifted
),
entries AS (
    INSERT INTO entry (tenant_id, id, kind, event_id, effective_at, recorded_at)
    SELECT %(tenant_id)s, entry_id, 'transfer', event_id, at, at FROM made
),
postings AS (
    INSERT INTO posting (
        tenant_id, entry_id, seq, source_id, target_id, currency, amount_minor,
        source_version, source_balance, target_version, target_balance, effective_at
    )
    SELECT
        %(tenant_id)s, entry_id, 0, source_id, target_id, 'USD', CASE WHEN opens THEN %(opening)s ELSE %(paid)s END,
        CASE WHEN opens THEN %(version)s + 1 + i ELSE 2 * round + CASE WHEN i < shift THEN 2 ELSE 3 END END,
        CASE WHEN opens THEN %(balance)s - %(opening)s * (i + 1)
            ELSE %(opening)s - CASE WHEN i < shift THEN %(paid)s ELSE 0 END END,
        CASE WHEN opens THEN 1 ELSE 2 * round + CASE WHEN i + shift < %(accounts)s THEN 2 ELSE 3 END END,
        CASE WHEN opens THEN %(opening)s
            ELSE %(opening)s + CASE WHEN i + shift < %(accounts)s THEN %(paid)s ELSE 0 END END,
        at
    FROM made
)
INSERT INTO event (tenant_id, id, type, actor_id, action, object, body, recorded_at)
SELECT
    %(tenant_id)s, event_id, %(type)s, %(actor_id)s, %(action)s, 'tr_' || replace(entry_id::text, '-', ''),
    replace(%(body)s, %(object)s, 'tr_' || replace(entry_id::text, '-', '')), at
FROM made
"""

FUNDED: Final = """
UPDATE account SET posted_minor = posted_minor - %(opening)s * %(accounts)s, version = version + %(accounts)s
WHERE tenant_id = %(tenant_id)s AND id = %(funding)s
"""


class Pattern(NamedTuple):
    """A transfer that was really made from the funding account: its event is what all others look like."""

    tenant_id: object
    funding: object
    version: int
    balance: int
    type: str
    actor_id: object
    action: str
    object: str
    body: str


def fill(url: str, accounts: int, entries: int, told: Callable[[int], None]) -> int:
    """Write so many accounts, and entries to the next multiple of them; returns how many entries there are.

    The database holds one transfer. `told` is called with how many entries are written.
    """
    entries = accounts * max(entries // accounts, 1)
    with psycopg.connect(url, autocommit=True, options="-c search_path=bursar -c synchronous_commit=off") as connection:
        # No row is checked against others: verification does that for all of them at the end.
        connection.execute("SET session_replication_role = replica")
        connection.execute(FUNCTIONS)
        values = _pattern(connection)._asdict() | {
            "accounts": accounts, "entries": entries, "opening": OPENING_MINOR, "paid": PAID_MINOR, "prefix": PREFIX,
            "start": int((time.time() - DAYS * 86_400) * 1_000), "span": DAYS * 86_400_000,
        }  # fmt: skip
        connection.execute(ACCOUNTS, values)
        connection.execute(PAYEES, values)
        for low in range(0, entries, CHUNK):
            high = min(low + CHUNK, entries)
            connection.execute(ENTRIES, values | {"low": low, "high": high})
            told(high)
        connection.execute(FUNDED, values)
        connection.execute(f"VACUUM (ANALYZE) {TABLES}")
    return entries


def _pattern(connection: Connection[TupleRow]) -> Pattern:
    row = connection.execute(
        """SELECT p.tenant_id, a.id, a.version, a.posted_minor, v.type, v.actor_id, v.action, v.object, v.body
           FROM posting AS p
           INNER JOIN account AS a ON p.tenant_id = a.tenant_id AND p.source_id = a.id
           INNER JOIN entry AS e ON p.tenant_id = e.tenant_id AND p.entry_id = e.id
           INNER JOIN event AS v ON e.tenant_id = v.tenant_id AND e.event_id = v.id"""
    ).fetchone()
    assert row
    return Pattern(*row)
