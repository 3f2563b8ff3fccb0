"""Pairs Bursar with the service a tutorial would have written, on the same PostgreSQL and the same cores."""
