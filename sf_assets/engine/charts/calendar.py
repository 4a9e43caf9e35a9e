"""Calendar charts: one row per source, one column per month."""

from collections.abc import Mapping, Sequence
from datetime import date

from sf_assets.engine.charts.svg import FAINT, GREEN, GREY, ORANGE, RED, drawing, rect, shade, squares, text

_LABEL, _CELL, _TOP = 190, 22, 34
_ARRIVALS = {"delivered": GREEN, "refused": RED, "missing": ORANGE, "not expected": GREY}

Cells = Mapping[tuple[str, date], str]


def arrivals(sources: Sequence[str], months: Sequence[date], known: Cells) -> str:
    """Return a chart of arrivals: each cell is delivered, refused, missing or not expected."""
    drawn, width, height = _frame(sources, months)
    states = {(source, month): known.get((source, month), "not expected") for source in sources for month in months}
    drawn += _cells(sources, months, {cell: _ARRIVALS[state] for cell, state in states.items()})
    x = float(_LABEL)
    for state, colour in _ARRIVALS.items():
        drawn += [rect(x, height + 4, 10, 10, colour), text(x + 14, height + 13, state)]
        x += 30 + 6.5 * len(state)
    return drawing(max(width, x), height + 20, drawn, title="Arrivals by source and month")


def coverage(sources: Sequence[str], months: Sequence[date], shares: Mapping[tuple[str, date], float]) -> str:
    """Return a chart of coverage: the larger the share of companies for which a source has data, the stronger the blue."""
    drawn, width, height = _frame(sources, months)
    # Twenty shades are as many as an eye distinguishes.
    drawn += _cells(sources, months, {cell: shade(round(share * 20) / 20) for cell, share in shares.items()})
    for place, source in enumerate(sources):
        last = shares.get((source, months[-1])) if months else None
        if last is not None:
            drawn.append(text(width + 4, _TOP + place * _CELL + 15, f"{last:.0%}"))
    return drawing(width + 44, height, drawn, title="Coverage of each source by month")


def _frame(sources: Sequence[str], months: Sequence[date]) -> tuple[list[str], float, float]:
    """Return the labels of rows and columns, then the width and height of the grid in pixels."""
    drawn = [text(_LABEL - 6, _TOP + place * _CELL + 15, source, anchor="end") for place, source in enumerate(sources)]
    for column, month in enumerate(months):
        middle = _LABEL + column * _CELL + _CELL / 2
        drawn.append(text(middle, 28, f"{month:%m}", anchor="middle"))
        if column == 0 or month.month == 1:
            drawn.append(text(_LABEL + column * _CELL + 2, 12, f"{month:%Y}"))
    return drawn, _LABEL + max(len(months), 3) * _CELL, _TOP + len(sources) * _CELL


def _cells(sources: Sequence[str], months: Sequence[date], colours: Mapping[tuple[str, date], str]) -> list[str]:
    """Return one SVG path per colour, with the cells of that colour."""
    by_colour: dict[str, list[tuple[float, float]]] = {}
    for place, source in enumerate(sources):
        for column, month in enumerate(months):
            corner = (_LABEL + column * _CELL + 1.0, _TOP + place * _CELL + 1.0)
            by_colour.setdefault(colours.get((source, month), FAINT), []).append(corner)
    return [squares(corners, _CELL - 2, colour) for colour, corners in by_colour.items()]
