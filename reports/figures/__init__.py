"""The figures of a report: one file each, all drawn on a Sheet."""
