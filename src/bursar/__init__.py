"""Bursar is the system of record that AI agents go through to move money."""

__version__ = "0.1.0"
