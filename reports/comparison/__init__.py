"""Two runs side by side: what changed, and whether a check fails."""
