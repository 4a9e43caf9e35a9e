"""Histograms of scores, with the thresholds of the levels."""

from collections.abc import Mapping, Sequence
from math import log10

from sf_assets.engine.charts.svg import BLUE, FAINT, NBSP, ORANGE, RED, drawing, french, line, rect, text

_LEFT, _TOP, _WIDTH, _HEIGHT = 60, 24, 560, 170


def histogram(counts: Sequence[int], thresholds: Mapping[str, float], *, title: str) -> str:
    """Return a histogram: the number of companies in equal ranges of the score from 0 to 1, and named thresholds.

    Heights are logarithmic: most scores of a rare event are near zero, and the few high scores are the ones that matter.
    """
    tallest = log10(max([*counts, 9]) + 1)
    bar = _WIDTH / max(len(counts), 1)
    drawn = [_grid(power, tallest) for power in range(int(tallest) + 1)]
    for place, count in enumerate(counts):
        height = _HEIGHT * log10(count + 1) / tallest
        level = sum(place / len(counts) >= threshold for threshold in thresholds.values())
        x, y = _LEFT + place * bar, _TOP + _HEIGHT - height
        drawn.append(rect(x + 0.5, y, max(bar - 1, 0.5), height, (BLUE, ORANGE, RED)[min(level, 2)]))
    for row, (name, threshold) in enumerate(sorted(thresholds.items(), key=lambda item: item[1])):
        x = _LEFT + _WIDTH * threshold
        drawn.append(line(x, _TOP - 8, x, _TOP + _HEIGHT, (ORANGE, RED)[min(row, 1)], dashed=True))
        drawn.append(text(x + 3, _TOP - 10 + 12 * row, f"{name} ≥ {french(100 * threshold, 1)}{NBSP}%"))
    drawn += [
        text(_LEFT + _WIDTH * tick / 10, _TOP + _HEIGHT + 16, f"{10 * tick}{NBSP}%", anchor="middle")
        for tick in range(0, 11, 2)
    ]
    return drawing(_LEFT + _WIDTH + 90, _TOP + _HEIGHT + 24, drawn, title=title)


def _grid(power: int, tallest: float) -> str:
    y = _TOP + _HEIGHT - _HEIGHT * log10(10**power + 1) / tallest
    return line(_LEFT, y, _LEFT + _WIDTH, y, FAINT) + text(
        _LEFT - 6, y + 4, f"{10**power:,}".replace(",", NBSP), anchor="end"
    )
