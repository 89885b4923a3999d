"""The analyses of one run: each file answers one question."""
