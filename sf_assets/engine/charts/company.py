"""Charts of one company's score: contributions of the themes as a waterfall, and as a radar beside the other companies."""

import math
from collections.abc import Mapping

from sf_assets.engine.charts.svg import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    RED,
    drawing,
    french,
    line,
    rect,
    rows_apart,
    text,
    text_width,
)

_WIDTH, _COUNT, _ROW = 330, 70, 24
_RADIUS, _MARGIN, _MIDDLE_Y = 110, 14, 145
_TOTAL = "Risque"


def waterfall(bars: Mapping[str, float], thresholds: Mapping[str, float], *, title: str) -> str:
    """Return a waterfall chart in percent of risk: each bar starts where the previous one ends; red adds, green subtracts.

    The last bar is the total. `thresholds`, in percent too, are vertical lines.
    """
    total = sum(bars.values())
    ends = [0.0]
    for value in bars.values():
        ends.append(ends[-1] + value)
    low, high = min(*ends, 0.0), max(*ends, *thresholds.values(), 1e-9)
    scale = _WIDTH / (high - low)
    left = max(map(text_width, (*bars, _TOTAL))) + _MARGIN

    def across(value: float) -> float:
        return left + (value - low) * scale

    # Labels of close thresholds are one above the other.
    levels = rows_apart([across(value) for value in thresholds.values()], [text_width(name) for name in thresholds])
    top = _ROW * (max(levels, default=0) + 1)
    height = top + (len(bars) + 1) * _ROW + 4
    drawn = []
    for (name, value), level in zip(thresholds.items(), levels, strict=True):
        drawn.append(line(across(value), top - _ROW * level, across(value), height, INK, dashed=True))
        drawn.append(text(across(value), top - _ROW * level - 6, name, anchor="middle"))
    rows = [*zip(bars, ends[:-1], bars.values(), strict=True), (_TOTAL, 0.0, total)]
    for place, (name, start, value) in enumerate(rows):
        y = top + place * _ROW
        colour = BLUE if place == len(bars) else RED if value > 0 else GREEN
        drawn.append(text(left - 8, y + 16, name, anchor="end"))
        drawn.append(rect(across(min(start, start + value)), y + 4, max(abs(value) * scale, 1), _ROW - 8, colour))
        drawn.append(text(across(max(start, start + value)) + 5, y + 16, _points(value)))
    return drawing(left + _WIDTH + _COUNT, height, drawn, title=title)


def radar(places: Mapping[str, float], *, title: str) -> str:
    """Return a radar chart with one axis per theme: the share, in [0, 1], of companies on which the theme weighs less."""
    middle = _RADIUS + _MARGIN + max(map(text_width, places))
    angles = [2 * math.pi * n / len(places) - math.pi / 2 for n in range(len(places))]

    def point(angle: float, share: float) -> tuple[float, float]:
        return middle + _RADIUS * share * math.cos(angle), _MIDDLE_Y + _RADIUS * share * math.sin(angle)

    drawn = []
    for share in (0.25, 0.5, 0.75, 1.0):
        corners = " ".join("{:.1f},{:.1f}".format(*point(angle, share)) for angle in angles)
        drawn.append(f'<polygon points="{corners}" fill="none" stroke="{FAINT}"/>')
    for angle, name in zip(angles, places, strict=True):
        x, y = point(angle, 1.0)
        drawn.append(line(middle, _MIDDLE_Y, x, y))
        side = math.cos(angle)
        anchor = "middle" if abs(side) < 0.2 else "" if side > 0 else "end"  # noqa: PLR2004 - almost vertical
        drawn.append(text(x + 8 * side, y + 12 * math.sin(angle) + 4, name, anchor=anchor))
    corners = " ".join("{:.1f},{:.1f}".format(*point(*corner)) for corner in zip(angles, places.values(), strict=True))
    drawn.append(f'<polygon points="{corners}" fill="{RED}40" stroke="{RED}"/>')
    return drawing(2 * middle, 2 * _MIDDLE_Y, drawn, title=title)


def _points(value: float) -> str:
    return ("" if value < 0 else "+") + french(value, 1) + "\N{NO-BREAK SPACE}%"
