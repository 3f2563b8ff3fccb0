"""Jobs: several agents do one payment in steps that are claimed, done once, and undone when a later one fails."""
