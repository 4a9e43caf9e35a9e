"""SVG elements as texts, and how a page displays them: as images with a data URL.

Dagster's pages remove SVG elements from Markdown but display images by URL, behind the words "Show Markdown" beyond a
thousand characters. Such an image cannot know whether the page is light or dark: its background is transparent, and its
colours have enough contrast for both.
"""

import base64
from collections.abc import Iterable, Sequence
from html import escape

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
INK = "#7f8790"
FAINT = "#7f879040"
BLUE, ORANGE, GREEN, RED, GREY = "#3d8bd4", "#d9822b", "#2f9e6e", "#d6504a", "#8a939c66"

_STYLE = f"text{{font:11px system-ui,sans-serif;fill:{INK}}}.end{{text-anchor:end}}.middle{{text-anchor:middle}}"


def drawing(width: float, height: float, parts: Iterable[str], *, title: str) -> str:
    """Return an SVG text of the given size in pixels; `title` is the text for screen readers."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>"
    )


def embedded(svg: str, alternative: str) -> str:
    """Return the Markdown that displays an SVG text as an image."""
    return f"![{alternative}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    place = f'x="{round(x, 1):g}" y="{round(y, 1):g}" width="{round(width, 1):g}" height="{round(height, 1):g}"'
    return f'<rect {place} fill="{colour}"/>'


def squares(corners: Iterable[tuple[float, float]], side: float, colour: str) -> str:
    """Return filled squares of one colour as a single path: a calendar has hundreds of them."""
    return f'<path fill="{colour}" d="{"".join(f"M{x:g} {y:g}h{side:g}v{side:g}h-{side:g}z" for x, y in corners)}"/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = FAINT, *, dashed: bool = False) -> str:
    """Return a line one pixel wide."""
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"{dashes}/>'


def text(x: float, y: float, words: str, *, anchor: str = "") -> str:
    """Return a text whose baseline starts at (x, y); `anchor` `middle` or `end` centres it there or ends it there."""
    place = f' class="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{place}>{escape(words)}</text>'


def text_width(words: str) -> float:
    """Return about how many pixels a text takes; never less, for the fonts of usual systems."""
    return 6.6 * len(words)


def french(value: float, digits: int) -> str:
    """Write a number with a decimal comma.

    >>> french(-0.125, 2), french(3, 1)
    ('−0,12', '3,0')
    """
    return f"{value:.{digits}f}".replace(".", ",").replace("-", MINUS)


def rows_apart(places: Sequence[float], widths: Sequence[float], *, gap: float = 6) -> list[int]:
    """Return a row for each of some centred labels, from 0, so that labels of one row do not overlap.

    >>> rows_apart([10, 100, 104], [30, 30, 30])
    [0, 0, 1]
    """
    ends: list[float] = []
    rows = [0] * len(places)
    for label in sorted(range(len(places)), key=places.__getitem__):
        start = places[label] - widths[label] / 2
        row = next((row for row, end in enumerate(ends) if end + gap <= start), len(ends))
        ends[row : row + 1] = [places[label] + widths[label] / 2]
        rows[label] = row
    return rows


def shade(share: float) -> str:
    """Return the blue for a share in [0, 1]: the larger the share, the more opaque."""
    return f"{BLUE}{round(0x22 + (0xFF - 0x22) * min(max(share, 0.0), 1.0)):02x}"
