"""Finds a place beside a point where its label covers nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

_HALF = 0.055  # of a label's height
_MARKER = 0.05

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass
class Free:
    """What is taken so far within `frame`; inches of the sheet."""

    frame: Box
    taken: list[Box] = field(default_factory=list)

    def point(self, x: float, y: float) -> None:
        """Takes the place of a marker."""
        self.taken.append((x - _MARKER, y - _MARKER, x + _MARKER, y + _MARKER))

    def label(self, x: float, y: float, width: float) -> tuple[float, float, bool]:
        """Left end and middle of the label of the point, and whether it stands so far off that it wants a line to it.
        All points come before the first label."""
        for distance in (0.07, 0.16, 0.27, 0.4, 0.55):
            slant = distance * 0.75
            beside = [
                (x + distance, y),
                (x - distance - width, y),
                (x - width / 2, y - distance - 0.03),
                (x - width / 2, y + distance + 0.03),
            ]
            beside += [(x + side, y + up) for side in (slant, -slant - width) for up in (-distance, distance)]
            for left, middle in beside:
                box = (left, middle - _HALF, left + width, middle + _HALF)
                if self._holds(box) and not any(_cover(box, other) for other in self.taken):
                    self.taken.append(box)
                    return left, middle, distance > 0.1
        self.taken.append((x + 0.07, y - _HALF, x + 0.07 + width, y + _HALF))
        return x + 0.07, y, False

    def centred(self, x: float, y: float, width: float, height: float) -> bool:
        """Takes the box around the point, if it is free."""
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        if not self._holds(box) or any(_cover(box, other) for other in self.taken):
            return False
        self.taken.append(box)
        return True

    def _holds(self, box: Box) -> bool:
        return (
            box[0] >= self.frame[0] and box[1] >= self.frame[1] and box[2] <= self.frame[2] and box[3] <= self.frame[3]
        )


def _cover(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
