"""All that a tenant has, so that a test can say that nothing of it changed."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from tests.api.tenants import Tenant

Rows = Mapping[str, tuple[int, str]]


class Books:
    """Every row of a tenant, table by table, as one fingerprint each."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        tables = connection.execute(
            """SELECT table_name FROM information_schema.columns JOIN information_schema.tables
               USING (table_schema, table_name)
               WHERE table_schema = 'bursar' AND column_name = 'tenant_id' AND table_type = 'BASE TABLE' ORDER BY 1"""
        ).fetchall()
        self._tables = [str(name) for (name,) in tables]
        assert len(self._tables) >= 8

    def of(self, tenant: Tenant) -> Rows:
        """What the tenant has now: how many rows of each table, and a hash of them."""
        return {table: self._fingerprint(table, tenant) for table in self._tables}

    def _fingerprint(self, table: str, tenant: Tenant) -> tuple[int, str]:
        query = sql.SQL(
            "SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM bursar.{} t"
            " WHERE tenant_id = %s"
        ).format(sql.Identifier(table))
        row = self._connection.execute(query, [tenant.id]).fetchone()
        assert row
        return row[0], row[1]


def without_events(rows: Rows) -> Rows:
    """All but the record, which tells of refusals too."""
    return {table: row for table, row in rows.items() if table != "event"}
