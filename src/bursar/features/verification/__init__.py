"""Verification: every promise the database can be asked about, as one query each that finds what breaks it."""
