"""Webhooks out: every event that an endpoint asks for is sent to it, signed, at least once."""
