"""The sandbox: a tenant with demo accounts, one agent and one operator, so that a first call works at once."""
