"""Tables with thousands of rows of others, and of a tenant's own past, beside the few that a payment is about."""

from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from tests.api.hot_roads import Roads

MANY = 4_000

# So many of each from `first` to `last`; every second is about the account and the agent themselves, long ago.
_ROWS = """
    CREATE TEMPORARY TABLE one ON COMMIT DROP AS
        SELECT %(tenant)s::uuid AS tenant_id, gen_random_uuid() AS id, n,
               CASE n %% 2 WHEN 0 THEN %(account)s::uuid ELSE gen_random_uuid() END AS account_id,
               CASE n %% 2 WHEN 0 THEN %(agent)s::uuid ELSE gen_random_uuid() END AS agent_id,
               CASE n %% 2 WHEN 0 THEN %(mandate)s::uuid ELSE gen_random_uuid() END AS mandate_id,
               now() - interval '1 year' - n * interval '1 hour' AS at
        FROM generate_series(%(first)s, %(last)s) n;
    INSERT INTO tenant (tenant_id, name) SELECT id, id::text FROM one;
    INSERT INTO rulebook (tenant_id, version) SELECT id, 1 FROM one;
    INSERT INTO principal (tenant_id, id, kind, name) SELECT tenant_id, id, 'agent', 'agent-' || n FROM one;
    INSERT INTO api_key (tenant_id, id, principal_id, secret_hash, scopes)
        SELECT tenant_id, n, id, sha256('x'), '{}' FROM one;
    INSERT INTO mandate (tenant_id, id, version, name, agent_id, status, terms, granted_by)
        SELECT tenant_id, id, 1, 'of one', id, 'active', '{}', id FROM one;
    INSERT INTO account (tenant_id, id, number, name, currency, normal_side)
        SELECT tenant_id, id, 'other-' || n, '', 'USD', 'credit' FROM one;
    INSERT INTO counterparty (tenant_id, id, account_id, name, created_by) SELECT tenant_id, id, id, '', id FROM one;
    INSERT INTO event (tenant_id, id, type, action, body) SELECT tenant_id, id, 'x', 'x', '{}' FROM one;
    INSERT INTO answer (tenant_id, id, principal_id, action, key, request_hash, status, body, event_id)
        SELECT tenant_id, id, agent_id, 'x', n::text, sha256('x'), 200, '', id FROM one;
    INSERT INTO decision (tenant_id, id, agent_id, action, outcome, codes, source_id, target_id, currency,
                          amount_minor, hold_id, inputs, inputs_hash, results, uses, decided_at, fingerprint)
        SELECT tenant_id, id, agent_id, 'create_transfer', 'allow', '', account_id, id, 'USD', 1, id, '', sha256('x'),
               '[["status"],[]]', '', at, id FROM one;
    INSERT INTO limit_usage (tenant_id, mandate_id, window_key, payee_id, bucket, amount_minor, uses)
        SELECT tenant_id, mandate_id, 'velocity', '00000000-0000-0000-0000-000000000000', at, 1, 1 FROM one;
    INSERT INTO entry (tenant_id, id, kind, event_id, reverses_id, effective_at, recorded_at)
        SELECT tenant_id, id, 'reversal', id, id, at, at FROM one;
    INSERT INTO posting (tenant_id, entry_id, seq, source_id, target_id, currency, amount_minor, source_version,
                         source_balance, target_version, target_balance, effective_at)
        SELECT tenant_id, id, 1, account_id, id, 'USD', 1, -n, 0, 1, 0, at FROM one;
    INSERT INTO hold (tenant_id, id, account_id, currency, amount_minor, status, expires_at, owner_id)
        SELECT tenant_id, id, account_id, 'USD', 1, 'voided', at, agent_id FROM one;
    INSERT INTO approval (tenant_id, id, decision_id, maker_id, status, payload, payload_hash, needs, hold_id,
                          created_at, expires_at)
        SELECT tenant_id, id, id, agent_id, 'rejected', '', sha256('x'), '', id, at, at FROM one;
    INSERT INTO risk_rules SELECT tenant_id, 1 + n, '', sha256(''), id, at FROM one;
    INSERT INTO risk_stage SELECT tenant_id, 1 + n, 'retired', id, at FROM one;
"""
# All that was filled in, and nothing of what payments have written.
_AWAY = """
    DELETE FROM rulebook r USING tenant t WHERE t.tenant_id = r.tenant_id AND t.name = t.tenant_id::text;
    DELETE FROM tenant WHERE name = tenant_id::text;
    DELETE FROM principal WHERE name LIKE 'agent-%';
    DELETE FROM api_key WHERE secret_hash = sha256('x');
    DELETE FROM mandate WHERE name = 'of one';
    DELETE FROM account WHERE number LIKE 'other-%';
    DELETE FROM counterparty WHERE name = '';
    DELETE FROM event WHERE type = 'x';
    DELETE FROM answer WHERE action = 'x';
    DELETE FROM decision WHERE inputs = '';
    DELETE FROM limit_usage WHERE bucket < now() - interval '1 year';
    DELETE FROM entry WHERE id = reverses_id;
    DELETE FROM posting WHERE source_version < 0;
    DELETE FROM hold WHERE expires_at < now() - interval '1 year';
    DELETE FROM approval WHERE payload = '';
    DELETE FROM risk_rules WHERE version > 1;
    DELETE FROM risk_stage WHERE version > 1;
"""


class Crowded:
    """The tables, as the superuser has them, to whom no constraint applies."""

    def __init__(self, owner: psycopg.Connection, roads: Roads) -> None:
        self._owner = owner
        find = owner.execute("SELECT id, agent_id FROM mandate WHERE name = 'of clerk'").fetchall()
        ((mandate, agent),) = find
        account = owner.execute("SELECT id FROM account WHERE number = %s", [roads.tenant.main]).fetchone()
        assert account
        self._ours = {"tenant": roads.tenant.id, "account": account[0], "agent": agent, "mandate": mandate}

    def fill(self, first: int, last: int) -> None:
        with self._owner.transaction():
            psycopg.ClientCursor(self._owner).execute(_ROWS, self._ours | {"first": first, "last": last})

    def empty(self) -> None:
        self._owner.execute(_AWAY)

    def count(self) -> None:
        """Have the planner know how many rows there are."""
        self._owner.execute("ANALYZE")

    def read(self) -> dict[str, int]:
        """How many rows each index has given, and each table without one."""
        self._owner.execute("SELECT pg_stat_force_next_flush()")
        by_index = "SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes"
        by_none = "SELECT relname, seq_tup_read FROM pg_stat_user_tables"
        return dict(self._owner.execute(f"{by_index} UNION ALL {by_none}").fetchall())

    def small(self, names: Iterable[str]) -> Mapping[str, int]:
        """Of the tables of these indexes, those with so few rows that reading all of one would not be seen."""
        tables = self._owner.execute(
            "SELECT DISTINCT tablename FROM pg_indexes WHERE indexname = ANY(%s)", [list(names)]
        ).fetchall()
        sizes = {table: self._size(table) for (table,) in tables}
        return {table: size for table, size in sizes.items() if size < MANY}

    def _size(self, table: str) -> int:
        found = self._owner.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert found
        return found[0]
