"""A payment provider for tests: it speaks Stripe's wire format, keeps books of its own, and fails on demand."""
