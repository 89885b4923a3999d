"""The verbs of scripts/crossover."""
