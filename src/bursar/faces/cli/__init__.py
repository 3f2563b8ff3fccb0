"""The command line: starts the service and does what must be done where the database is."""

from bursar.faces.cli.commands import main

__all__ = ["main"]
