"""How far a payment departs from what its agent usually does: a score that explains itself, and its outcome."""
