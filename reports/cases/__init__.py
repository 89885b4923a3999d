"""A run as its cases with their verdicts, and the words and styles that all reports share."""
