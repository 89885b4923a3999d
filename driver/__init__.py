"""Drives the bench processes through one run: check, calibrate, random rounds, outcomes, results on disk."""
