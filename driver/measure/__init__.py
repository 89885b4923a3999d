"""The rounds of a run, and the files that hold what they measured."""
