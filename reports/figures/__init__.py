"""The figures of a report: one file each, all drawn on a Sheet."""

from reports.figures import plain_matplotlib  # noqa: F401 (before any of them imports matplotlib)
