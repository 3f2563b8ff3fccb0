"""Floor 5: what people and agents hold in their hands."""
