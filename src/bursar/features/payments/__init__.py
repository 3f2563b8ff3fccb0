"""Payments: money that comes and goes through providers outside, and the same cents in the ledger."""
