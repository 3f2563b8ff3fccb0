"""Floor 3: what people came for."""
