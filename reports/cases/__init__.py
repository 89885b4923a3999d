"""A run as its cases with their verdicts, and the words and looks that all reports share."""
