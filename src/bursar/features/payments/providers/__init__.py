"""The providers behind the port, one module each; only here may a provider's own library be imported."""
