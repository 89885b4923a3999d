"""A sheet of paper to draw figures on, measured in inches from the top left; saves the same bytes for the same
drawing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import matplotlib
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from reports.cases.table import Table
from reports.drawing.svg import inline

INK = "#1a1a1a"
PALE_INK = "#595959"  # still 7:1 on white
RULE = "#bfbfbf"
UNDECIDED = "#dcdcdc"
_DPI = 144
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that a figure is the same on every machine
    "svg.fonttype": "none",  # text stays text: searchable, small
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "path.simplify": False,
    "hatch.linewidth": 0.9,
}


@dataclass(frozen=True)
class Picture:
    """A finished figure: `svg` stands in an HTML page as it is; `table` holds the same data in words."""

    name: str
    title: str
    alt: str
    svg: str
    png: bytes
    table: Table

    @property
    def file(self) -> str:
        """The SVG as a file of its own."""
        return f'<?xml version="1.0" encoding="utf-8"?>\n{self.svg}'


@lru_cache(maxsize=8)
def _font(bold: bool) -> FT2Font:
    path = findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal"))
    return FT2Font(path)


@lru_cache(maxsize=4096)
def width_of(text: str, points: float, bold: bool = False) -> float:
    """Inches."""
    font = _font(bold)
    font.set_size(points, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


def fitted(text: str, points: float, width: float, bold: bool = False, least: float = 5.5) -> tuple[str, float]:
    """The text and size that fit into `width` inches: smaller type first, an ellipsis when that is not enough."""
    while points > least and width_of(text, points, bold) > width:
        points -= 0.25
    if width_of(text, points, bold) <= width:
        return text, points
    while text and width_of(text + "…", points, bold) > width:
        text = text[:-1]
    return text.rstrip(" ,") + "…", points


def wrapped(text: str, points: float, width: float) -> tuple[str, ...]:
    """The text in lines of at most `width` inches, broken at spaces; at one that should not be broken only where its
    words are too wide."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and width_of(f"{lines[-1]} {word}", points) <= width:
            lines[-1] += f" {word}"
        elif width_of(word, points) > width:
            lines += word.split("\u00a0")
        else:
            lines.append(word)
    return tuple(lines)


Ring = Sequence[tuple[float, float]]


def _closed(ring: Ring) -> Path:
    return Path([*ring, ring[0]], closed=True)


class Sheet:
    """A figure that is drawn in inches from its left upper corner."""

    def __init__(self, width: float, height: float) -> None:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_STYLE)
            self._figure = Figure(figsize=(width, height))
        self._inches = Affine2D().scale(1, -1).translate(0, height) + self._figure.dpi_scale_trans

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str = "none",
        edge: str = "none",
        line: float = 0.6,
        z: float = 1,
    ) -> None:
        """A rectangle. `z`: what is higher covers what is lower."""
        self._add(Rectangle((x, y), width, height, facecolor=fill, edgecolor=edge, linewidth=line, zorder=z))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        points: float = 8,
        *,
        width: float | None = None,
        colour: str = INK,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        """`y` is the middle of the line. With `width` the text is made to fit."""
        if width is not None:
            text, points = fitted(text, points, width, bold)
        literal = text.replace("$", r"\$")  # a dollar sign is not the start of a formula
        weight = "bold" if bold else "normal"
        self._add(
            Text(
                x,
                y,
                literal,
                fontsize=points,
                color=colour,
                horizontalalignment=align,
                verticalalignment="center_baseline",
                fontweight=weight,
                zorder=5,
            )
        )

    def marker(self, x: float, y: float, marker: str, size: float, fill: str, edge: str, z: float = 6) -> None:
        """`size` in points across."""
        self._add(
            Line2D(
                [x],
                [y],
                linestyle="none",
                marker=marker,
                markersize=size,
                markerfacecolor=fill,
                markeredgecolor=edge,
                markeredgewidth=0.9,
                zorder=z,
            )
        )

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str = RULE,
        line: float = 0.6,
        style: str = "-",
        z: float = 2,
        within: Ring | None = None,
    ) -> None:
        """A line through the points, at most within the ring."""
        self._add(
            Line2D(xs, ys, color=colour, linewidth=line, linestyle=style, zorder=z, solid_capstyle="butt"), within
        )

    def area(
        self,
        rings: Sequence[Ring],
        fill: str = "none",
        hatch: str | None = None,
        colour: str = INK,
        z: float = 2,
        within: Ring | None = None,
    ) -> None:
        """A polygon: its outline, then its holes. `hatch` is drawn in `colour`; only what lies `within` a ring is
        drawn."""
        path = Path.make_compound_path(*(_closed(ring) for ring in rings))
        self._add(
            PathPatch(path, facecolor=fill, edgecolor=colour if hatch else "none", hatch=hatch, linewidth=0, zorder=z),
            within,
        )

    def _add(self, artist: Artist, within: Ring | None = None) -> None:
        """Past the axes' own methods: no autoscaling, half the time."""
        artist.set_transform(self._inches)
        if within is None:
            artist.set_clip_on(False)
        else:
            artist.set_clip_path(_closed(within), self._inches)
        self._figure.add_artist(artist)

    def picture(self, name: str, title: str, alt: str, table: Table) -> Picture:
        """As SVG and PNG, the same bytes for the same drawing."""
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_STYLE | {"svg.hashsalt": name})
            svg, png = io.StringIO(), io.BytesIO()
            self._figure.set_canvas(FigureCanvasSVG(self._figure))
            self._figure.savefig(
                svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
            )
            self._figure.set_canvas(FigureCanvasAgg(self._figure))
            self._figure.savefig(
                png, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 4}
            )
        return Picture(name, title, alt, inline(svg.getvalue(), name, alt), png.getvalue(), table)
