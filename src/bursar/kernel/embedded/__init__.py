"""A private PostgreSQL in a directory of the user's, so that Bursar starts without a database server."""

from bursar.kernel.embedded.programs import PostgresUnavailable, find_binaries
from bursar.kernel.embedded.shared import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresUnavailable", "find_binaries"]
