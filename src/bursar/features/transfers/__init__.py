"""Transfers: what callers ask and read of the ledger's entries, singly and in batches."""
