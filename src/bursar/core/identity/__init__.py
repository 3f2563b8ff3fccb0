"""Who there is: tenants, principals (agents, operators, services), their keys and scopes; the Actor of a request."""
