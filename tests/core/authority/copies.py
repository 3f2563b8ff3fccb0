"""Worlds of tests copied, to try the same many times from the same start."""

from typing import Any

import psycopg
from psycopg import sql

from bursar.kernel.ids import new_id
from tests.core.authority.interleavings import World

_COLUMNS = """SELECT table_name, array_agg(column_name::text) FROM information_schema.columns
    WHERE table_schema = 'bursar' AND is_generated = 'NEVER'
      AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'bursar')
    GROUP BY 1 HAVING bool_or(column_name = 'tenant_id') ORDER BY 1"""


class Copies:
    """Tenants with the same rows under the same ids as another: every key begins with the tenant."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """`connection` is the superuser's; it checks no foreign keys from now on."""
        self._connection = connection
        connection.execute("SET session_replication_role = replica; SET enable_seqscan = off")
        self._statements = [self._statement(table, columns) for table, columns in connection.execute(_COLUMNS)]

    @staticmethod
    def _statement(table: str, columns: list[str]) -> sql.Composed:
        given = {"tenant_id": sql.SQL("%(new)s")} | ({"name": sql.SQL("%(name)s")} if table == "tenant" else {})
        return sql.SQL("INSERT INTO bursar.{} ({}) SELECT {} FROM bursar.{} WHERE tenant_id = %(old)s").format(
            sql.Identifier(table),
            sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            sql.SQL(", ").join(given.get(column, sql.Identifier(column)) for column in columns),
            sql.Identifier(table),
        )

    def of(self, world: World) -> World:
        """A world of its own."""
        new = new_id()
        with self._connection.transaction(), self._connection.pipeline():
            for statement in self._statements:
                self._connection.execute(statement, {"new": new, "old": world.tenant_id, "name": new.hex})
        return world.within(new)
