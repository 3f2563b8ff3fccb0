"""Floor 4: the one door. Every request comes in here, and nothing is answered before it is committed."""
