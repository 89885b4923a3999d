"""What figures are drawn with: sheets, charts, rows, tiles and legends."""

from reports.drawing import plain_matplotlib  # noqa: F401 (before anything imports matplotlib)
