"""Curves of an evaluation: precision against recall, calibration, a histogram of scores, figures with their intervals.

Lines and words take the colour of the text around them; series have colours that stand out on white and on black.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#3b7dd8", "#d9822b", "#2a9d6f", "#a05fd0", "#c94f6d", "#7a8a99")

_WIDTH, _HEIGHT = 460, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 28, 44
_TICKS = 5
_LINE = 22


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points, in order."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Span:
    """A named figure with the ends of its interval; None where it is not defined."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """The plane of a drawing: from 0 to `x_max` and to `y_max`."""

    x_max: float
    y_max: float

    def x(self, value: float) -> float:
        return _LEFT + value / self.x_max * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - value / self.y_max * (_HEIGHT - _TOP - _BOTTOM)


def precision_recall(curves: Sequence[Curve], *, title: str, y_max: float = 1.0) -> str:
    """Draw precision (y) against recall (x), one line per method."""
    frame = _Frame(1.0, y_max)
    return _svg(
        title,
        _HEIGHT,
        [*_axes(frame, "rappel", "précision"), *_lines(frame, curves), *_legend([curve.name for curve in curves])],
    )


def calibration(curves: Sequence[Curve], *, title: str) -> str:
    """Draw the failure rate (y) of groups of rows against their mean score (x); the diagonal is a score that is true."""
    top = max([value for curve in curves for value in (*curve.x, *curve.y)], default=1.0) or 1.0
    frame = _Frame(top, top)
    diagonal = (
        f'<line x1="{frame.x(0):.1f}" y1="{frame.y(0):.1f}" x2="{frame.x(top):.1f}" y2="{frame.y(top):.1f}" '
        'stroke="currentColor" stroke-opacity="0.4" stroke-dasharray="4 4"/>'
    )
    dots = [
        f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3" fill="{colour}"/>'
        for colour, curve in _coloured(curves)
        for x, y in zip(curve.x, curve.y, strict=True)
    ]
    return _svg(
        title,
        _HEIGHT,
        [
            *_axes(frame, "score moyen du groupe", "part défaillante"),
            diagonal,
            *_lines(frame, curves),
            *dots,
            *_legend([curve.name for curve in curves]),
        ],
    )


def histogram(edges: Sequence[float], shares: Sequence[float], *, title: str, x_label: str) -> str:
    """Draw the share of rows (y) between each edge and the next (x); edges start at 0."""
    frame = _Frame(edges[-1] or 1.0, max([*shares, 0.0]) or 1.0)
    bars = [
        f'<rect x="{frame.x(low):.1f}" y="{frame.y(share):.1f}" width="{max(frame.x(high) - frame.x(low) - 1, 0.5):.1f}" '
        f'height="{frame.y(0) - frame.y(share):.1f}" fill="{COLOURS[0]}"/>'
        for low, high, share in zip(edges[:-1], edges[1:], shares, strict=True)
    ]
    return _svg(title, _HEIGHT, [*_axes(frame, x_label, "part des lignes"), *bars])


def intervals(spans: Sequence[Span], *, title: str, reference: float | None = None) -> str:
    """Draw one line per figure: a dot between the ends of its interval, and a rule at `reference`."""
    known = [end for span in spans for end in (span.value, span.low, span.high, reference) if end is not None]
    low, high = min([0.0, *known]), max([0.0, *known]) or 1.0
    left, width = 190, _WIDTH - 190 - _RIGHT - 50
    height = _TOP + _LINE * len(spans) + 10

    def place(value: float) -> float:
        return left + (value - low) / ((high - low) or 1.0) * width

    parts = []
    for rule, opacity in ((0.0, 0.4), (reference, 0.8)):
        if rule is not None:
            parts.append(
                f'<line x1="{place(rule):.1f}" x2="{place(rule):.1f}" y1="{_TOP}" y2="{height - 6}" stroke="currentColor" '
                f'stroke-opacity="{opacity}" stroke-dasharray="3 3"/>'
            )
    for row, span in enumerate(spans):
        y = _TOP + _LINE * row + _LINE / 2
        parts.append(_text(left - 8, y + 4, span.name, anchor="end"))
        if span.low is not None and span.high is not None:
            parts.append(
                f'<line x1="{place(span.low):.1f}" x2="{place(span.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{COLOURS[0]}" stroke-width="3" stroke-opacity="0.55" stroke-linecap="round"/>'
            )
        if span.value is not None:
            parts.append(f'<circle cx="{place(span.value):.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[0]}"/>')
        said = "–" if span.value is None else f"{span.value:.3f}"
        parts.append(_text(_WIDTH - _RIGHT, y + 4, said, anchor="end"))
    return _svg(title, height, parts)


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" width="{_WIDTH}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" color="inherit"><title>{escape(title)}</title>'
        f"{_text(0, 14, title, weight=600)}{''.join(parts)}</svg>"
    )


def _axes(frame: _Frame, x_label: str, y_label: str) -> Iterator[str]:
    for step in range(_TICKS + 1):
        x, y = frame.x_max * step / _TICKS, frame.y_max * step / _TICKS
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{frame.y(y):.1f}" y2="{frame.y(y):.1f}" stroke="currentColor" '
            f'stroke-opacity="{0.6 if step == 0 else 0.12}"/>'
        )
        yield _text(_LEFT - 6, frame.y(y) + 4, _number(y, frame.y_max), anchor="end")
        yield _text(frame.x(x), _HEIGHT - _BOTTOM + 16, _number(x, frame.x_max), anchor="middle")
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_label, anchor="middle")
    yield (
        f'<text transform="translate(12 {(_TOP + _HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle" '
        f'fill="currentColor">{escape(y_label)}</text>'
    )


def _lines(frame: _Frame, curves: Sequence[Curve]) -> Iterator[str]:
    for colour, curve in _coloured(curves):
        points = " ".join(
            f"{frame.x(x):.1f},{frame.y(min(y, frame.y_max)):.1f}" for x, y in zip(curve.x, curve.y, strict=True)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    for row, name in enumerate(names):
        y = _TOP + 12 + 18 * row
        yield f'<rect x="{_WIDTH - 130}" y="{y - 9}" width="10" height="10" fill="{COLOURS[row % len(COLOURS)]}"/>'
        yield _text(_WIDTH - 114, y, name)


def _coloured(curves: Sequence[Curve]) -> Iterator[tuple[str, Curve]]:
    yield from ((COLOURS[row % len(COLOURS)], curve) for row, curve in enumerate(curves))


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="currentColor">'
        f"{escape(text)}</text>"
    )


def _number(value: float, largest: float) -> str:
    return f"{value:.2f}" if largest >= 0.1 else f"{value:.3f}"  # noqa: PLR2004 - two decimals would all be the same
