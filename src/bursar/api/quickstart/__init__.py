"""The flat shapes people start with: a thin layer over the same services, with the same checks, keys and record."""
