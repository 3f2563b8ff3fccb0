"""The schema, as plain SQL that ships with the package."""
