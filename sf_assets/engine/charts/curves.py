"""Charts of an evaluation: precision and recall, calibration, figures with their intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sf_assets.engine.charts.svg import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    RED,
    drawing,
    french,
    line,
    rect,
    text,
    text_width,
)

_COLOURS = (BLUE, ORANGE, GREEN, RED, INK)
_LEFT, _TOP, _WIDTH, _HEIGHT = 56, 28, 330, 220
_TICKS = 5
_SPANS, _VALUES, _ROW = 240, 60, 20


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points, in the order given."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Span:
    """A named figure with the bounds of its interval; None when it is not defined."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class _Plane:
    """The scales of a chart: from 0 to `x_max`, and from 0 to `y_max`, in data units; methods return pixels."""

    x_max: float
    y_max: float

    def x(self, value: float) -> float:
        return _LEFT + min(value / self.x_max, 1) * _WIDTH

    def y(self, value: float) -> float:
        return _TOP + _HEIGHT - min(value / self.y_max, 1) * _HEIGHT


def precision_recall(curves: Sequence[Curve], *, title: str, y_max: float = 1.0) -> str:
    """Return a chart of precision (y, up to `y_max`) against recall (x), with one line per method."""
    plane = _Plane(1.0, y_max)
    return _page(title, curves, [*_axes(plane, "rappel"), *_lines(plane, curves)], y_label="précision")


def calibration(curves: Sequence[Curve], *, title: str) -> str:
    """Return a chart of the failure rate (y) of groups of rows against their mean score (x); on the diagonal both are equal."""
    top = max([value for curve in curves for value in (*curve.x, *curve.y)], default=1.0) or 1.0
    plane = _Plane(top, top)
    drawn = [
        *_axes(plane, "score moyen du groupe"),
        line(plane.x(0), plane.y(0), plane.x(top), plane.y(top), INK, dashed=True),
        *_lines(plane, curves),
    ]
    return _page(title, curves, drawn, y_label="part défaillante")


def intervals(spans: Sequence[Span], *, title: str, reference: float | None = None) -> str:
    """Return a chart with one row per figure: a dot within its interval, and dashed lines at 0 and at `reference`."""
    known = [end for span in spans for end in (span.value, span.low, span.high, reference) if end is not None]
    low = min([0.0, *known])
    width = (max([0.0, *known]) - low) or 1.0
    height = _TOP + _ROW * len(spans)
    left = max((text_width(span.name) for span in spans), default=0) + 14

    def place(value: float) -> float:
        return left + (value - low) / width * _SPANS

    drawn = [line(place(at), _TOP, place(at), height, INK, dashed=True) for at in (0.0, reference) if at is not None]
    for row, span in enumerate(spans):
        y = _TOP + _ROW * row + _ROW / 2
        drawn.append(text(left - 8, y + 4, span.name, anchor="end"))
        if span.low is not None and span.high is not None:
            drawn.append(rect(place(span.low), y - 1.5, place(span.high) - place(span.low), 3, f"{BLUE}80"))
        if span.value is not None:
            drawn.append(rect(place(span.value) - 3, y - 4, 6, 8, BLUE))
        label = "–" if span.value is None else french(span.value, 3)
        drawn.append(text(left + _SPANS + _VALUES, y + 4, label, anchor="end"))
    return drawing(left + _SPANS + _VALUES + 4, height + 6, [text(0, 14, title), *drawn], title=title)


def _page(title: str, curves: Sequence[Curve], drawn: Sequence[str], *, y_label: str) -> str:
    """Return a chart of curves with its title above it and its legend, as wide as its words, at the right."""
    named = [text(0, 14, title), text(_LEFT + _WIDTH + 8, _TOP + 10, y_label), *_legend(curves)]
    legend = max(text_width(words) for words in (y_label, *(curve.name for curve in curves))) + 26
    return drawing(_LEFT + _WIDTH + legend, _TOP + _HEIGHT + 44, [*named, *drawn], title=title)


def _axes(plane: _Plane, x_label: str) -> Iterator[str]:
    for step in range(_TICKS + 1):
        x, y = plane.x_max * step / _TICKS, plane.y_max * step / _TICKS
        yield line(_LEFT, plane.y(y), _LEFT + _WIDTH, plane.y(y), FAINT if step else INK)
        yield text(_LEFT - 6, plane.y(y) + 4, french(y, _digits(plane.y_max)), anchor="end")
        yield text(plane.x(x), _TOP + _HEIGHT + 16, french(x, _digits(plane.x_max)), anchor="middle")
    yield text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 36, x_label, anchor="middle")


def _digits(top: float) -> int:
    """Return the decimals that tell the ticks of an axis apart."""
    return 1 if top >= 1 else 3


def _lines(plane: _Plane, curves: Sequence[Curve]) -> Iterator[str]:
    for place, curve in enumerate(curves):
        points = " ".join(f"{plane.x(x):.1f},{plane.y(y):.1f}" for x, y in zip(curve.x, curve.y, strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{_COLOURS[place % len(_COLOURS)]}" stroke-width="2"/>'


def _legend(curves: Sequence[Curve]) -> Iterator[str]:
    for place, curve in enumerate(curves):
        y = _TOP + 22 + 18 * place
        yield rect(_LEFT + _WIDTH + 8, y, 10, 10, _COLOURS[place % len(_COLOURS)])
        yield text(_LEFT + _WIDTH + 22, y + 9, curve.name)
