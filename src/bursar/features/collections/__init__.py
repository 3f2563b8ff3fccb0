"""Collections: what is done about loans that are late, by agents that claim its steps and by people."""
