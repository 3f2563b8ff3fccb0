"""Cases: what a person must look at, who does, and what was noted about it on the way; other rooms open them too."""
