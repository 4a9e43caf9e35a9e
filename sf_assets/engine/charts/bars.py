"""Horizontal bar charts: one bar per row, the parts of a row stacked."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from sf_assets.engine.charts.svg import BLUE, GREEN, ORANGE, RED, drawing, rect, text

_LABEL, _BARS, _COUNT, _ROW = 260, 300, 70, 18
_LONGEST = 42  # characters of a label before it is shortened
_MOST = 40  # bars; further rows are added up in the last one


def bars(
    rows: Sequence[tuple[str, Mapping[str, float]]],
    *,
    title: str,
    decimals: int = 0,
    colours: Sequence[str] = (BLUE, ORANGE, GREEN, RED),
) -> str:
    """Return a bar chart: one bar per row, with its label and its parts in order; parts of the same name share a colour."""
    displayed = _shortened(rows)
    names = list(dict.fromkeys(name for _, parts in displayed for name in parts))
    by_name = dict(zip(names, cycle(colours), strict=False))
    longest = max((sum(parts.values()) for _, parts in displayed), default=0) or 1
    drawn = _legend(by_name)
    top = _ROW if drawn else 0
    for place, (label, parts) in enumerate(displayed):
        y, x = top + place * _ROW, float(_LABEL)
        drawn.append(text(_LABEL - 6, y + 12, _cut(label), anchor="end"))
        for name, value in parts.items():
            width = _BARS * value / longest
            drawn.append(rect(x, y + 3, width, _ROW - 6, by_name[name]))
            x += width
        drawn.append(text(x + 5, y + 12, f"{sum(parts.values()):,.{decimals}f}"))
    return drawing(_LABEL + _BARS + _COUNT, top + max(len(displayed), 1) * _ROW, drawn, title=title)


def _legend(colours: Mapping[str, str]) -> list[str]:
    """Return the legend of the colours; empty for a single colour."""
    if len(colours) < 2:  # noqa: PLR2004 - a single colour needs no legend
        return []
    drawn: list[str] = []
    x = float(_LABEL)
    for name, colour in colours.items():
        drawn += [rect(x, 4, 10, 10, colour), text(x + 14, 13, name)]
        x += 30 + 6.5 * len(name)
    return drawn


def _shortened(rows: Sequence[tuple[str, Mapping[str, float]]]) -> list[tuple[str, Mapping[str, float]]]:
    if len(rows) <= _MOST:
        return list(rows)
    rest: dict[str, float] = {}
    for _, parts in rows[_MOST - 1 :]:
        for name, value in parts.items():
            rest[name] = rest.get(name, 0) + value
    return [*rows[: _MOST - 1], (f"{len(rows) - _MOST + 1} others", rest)]


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
