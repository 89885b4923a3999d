"""Drives the bench processes through one run: gate, calibrate, random rounds, outcomes, results on disk."""
