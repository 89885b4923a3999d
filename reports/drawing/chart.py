"""A chart on a sheet: two scales, a frame with ticks, points and lines in the units of the data, and names where lines
end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reports.cases.appearance import Style
from reports.drawing.placing import Free
from reports.drawing.sheet import INK, PALE_INK, RULE, Sheet, width_of

_GRID = "#e8e8e8"
_NAME_SPACE = 0.115


@dataclass(frozen=True)
class Scale:
    """Data → a share of the axis. `log` spaces decades evenly."""

    low: float
    high: float
    log: bool = True

    def at(self, value: float) -> float:
        """Where the value lies, from 0 at the low end to 1."""
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)

    def holds(self, value: float) -> bool:
        """The value lies on it."""
        return self.low <= value <= self.high

    def ticks(self, most: int) -> list[float]:
        """Round values on it, about so many at most."""
        return self._log_ticks(most) if self.log else self._linear_ticks(most)

    def _log_ticks(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        if self.high / self.low < 8:  # too short for 1, 2, 5
            return self._linear_ticks(min(most, 5))
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            inside = [tick for tick in found if self.low * 0.9999 <= tick <= self.high * 1.0001]
            if 2 <= len(inside) <= most:
                return inside
        decades = [
            10.0**power
            for power in range(first, last + 1)
            if self.low * 0.9999 <= 10.0**power <= self.high * 1.0001
        ]
        return decades[:: max(1, -(-len(decades) // most))] or [self.low, self.high]

    def _linear_ticks(self, most: int) -> list[float]:
        span = self.high - self.low
        power = 10.0 ** math.floor(math.log10(span / most))
        step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def around(values: Iterable[float], log: bool = True, room: float = 0.06) -> Scale:
    """A scale that holds all values with a little room on either side; a linear one begins at 0."""
    known = list(values)
    low, high = min(known), max(known)
    if not log:
        return Scale(min(0.0, low), high * (1 + room) or 1.0, log=False)
    if high / low < 1.5:
        low, high = low / 1.5, high * 1.5
    spare = (high / low) ** room
    return Scale(low / spare, high * spare)


@dataclass(frozen=True)
class Name:
    """What stands at the end of a line: its model's letters."""

    y: float  # in data units
    text: str
    style: Style
    bold: bool = False


@dataclass(frozen=True)
class Chart:
    """`left`, `top`, `width`, `height`: the plotting area, in inches of the sheet."""

    sheet: Sheet
    left: float
    top: float
    width: float
    height: float
    xs: Scale
    ys: Scale

    def x(self, value: float) -> float:
        """In inches from the left of the sheet."""
        return self.left + self.width * self.xs.at(value)

    def y(self, value: float) -> float:
        """In inches from the top of the sheet."""
        return self.top + self.height * (1 - self.ys.at(value))

    def free(self, beyond: float = 0.0) -> Free:
        """For labels inside the chart, or up to `beyond` inches to the right of it."""
        return Free((self.left + 0.02, self.top + 0.02, self.left + self.width + beyond, self.top + self.height - 0.02))

    def frame(
        self,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
    ) -> None:
        """The axes with their grid and texts."""
        bottom, right = self.top + self.height, self.left + self.width
        free = self.left - 1.0
        for tick in x_ticks if x_ticks is not None else self.xs.ticks(6):
            x, text = self.x(tick), x_text(tick)
            self.sheet.line((x, x), (self.top, bottom), colour=_GRID)
            half = width_of(text, 6.5) / 2
            if x - half >= free:
                self.sheet.text(x, bottom + 0.1, text, 6.5, align="center", colour=PALE_INK)
                free = x + half + 0.06
        for tick in y_ticks if y_ticks is not None else self.ys.ticks(6):
            y = self.y(tick)
            self.sheet.line((self.left, right), (y, y), colour=_GRID)
            self.sheet.text(self.left - 0.05, y, y_text(tick), 6.5, align="right", colour=PALE_INK)
        self.sheet.box(self.left, self.top, self.width, self.height, edge=RULE, z=3)

    def titles(self, title: str, note: str, x_title: str, y_title: str) -> None:
        """Above the chart its title in bold, a note below that, and what is drawn upwards; below the chart what is
        drawn to the right."""
        self.sheet.text(self.left - 0.4, self.top - 0.46, title, 8.5, bold=True)
        self.sheet.text(self.left - 0.4, self.top - 0.3, note, 7, width=self.width + 0.8)
        self.sheet.text(self.left - 0.4, self.top - 0.13, y_title, 6.5, colour=PALE_INK, width=self.width + 0.6)
        self.sheet.text(
            self.left + self.width,
            self.top + self.height + 0.24,
            x_title,
            6.5,
            colour=PALE_INK,
            align="right",
            width=self.width + 0.3,
        )

    def points(self, where: Sequence[tuple[float, float]], style: Style, filled: bool, size: float = 5.0) -> None:
        """A marker at each value; hollow for what does not compete."""
        for x, y in where:
            self.sheet.marker(
                self.x(x), self.y(y), style.marker, size, style.colour if filled else "white", style.colour
            )

    def line(self, where: Sequence[tuple[float, float]], colour: str, width: float = 1.2, style: str = "-") -> None:
        """Joins the values, if there are two at least."""
        if len(where) > 1:
            self.sheet.line(
                [self.x(x) for x, _ in where],
                [self.y(y) for _, y in where],
                colour=colour,
                line=width,
                style=style,
                z=4,
            )

    def reference(self, where: Sequence[tuple[float, float]], colour: str = INK) -> None:
        """What limits or guides, dashed."""
        self.line(where, colour, 0.9, "--")

    def names(self, names: Iterable[Name]) -> None:
        """To the right of the chart, as near to their lines as they can stand without covering each other."""
        wanted = sorted(((self.y(name.y), name) for name in names), key=lambda pair: pair[0])
        places = spread([y for y, _ in wanted], _NAME_SPACE, self.top - 0.04, self.top + self.height + 0.04)
        right = self.left + self.width
        for (y, name), place in zip(wanted, places, strict=True):
            self.sheet.line((right + 0.02, right + 0.1), (y, place), colour=name.style.colour, line=0.6)
            self.sheet.text(right + 0.12, place, name.text, 6.5, bold=name.bold)


def spread(wanted: Sequence[float], space: float, low: float, high: float) -> list[float]:
    """The places nearest to the wanted ones (rising) that keep `space` between them and lie within low and high, as far
    as there is room."""
    if not wanted:
        return []
    space = min(space, (high - low) / max(1, len(wanted) - 1))
    groups: list[tuple[float, int]] = []  # middle, how many stand together
    for place in wanted:
        middle, count = place, 1
        while groups and middle - space * (count - 1) / 2 < groups[-1][0] + space * (groups[-1][1] - 1) / 2 + space:
            before, many = groups.pop()
            middle = (before * many + middle * count) / (many + count)
            count += many
            half = space * (count - 1) / 2
            middle = min(max(middle, low + half), high - half)
        groups.append((middle, count))
    return [middle + space * (place - (count - 1) / 2) for middle, count in groups for place in range(count)]
