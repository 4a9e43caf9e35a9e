"""Regression discontinuity: the jump of an outcome where a score crosses a threshold.

A parabola is fitted on each side of the threshold, with triangular weights, within the bandwidth that is best for a straight
line: the estimate of a line is thus corrected for its bias, and its interval covers as announced (Calonico, Cattaneo and
Titiunik 2014, with equal bandwidths). The bandwidth is that of Imbens and Kalyanaraman (2012), the test of the density that of
McCrary (2008). Errors are clustered by company, which several lists may score.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Floats
from sf_assets.vocabulary.intervals import NORMAL

Ints = npt.NDArray[np.integer[Any]]
# Fewer rows on a side than this say nothing about a parabola.
FEWEST_ROWS = 50
_SIDE = 3  # coefficients of each side: level, slope, curvature
# Constants of the methods, for triangular weights.
_PILOT, _THIRD, _WIDTH, _PENALTY, _DENSITY = 1.84, 3.56, 3.4375, 2160.0, 24 / 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its 95 % interval, the rows and the bandwidth used; without a value, the reason why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    bandwidth: float | None = None
    reason: str | None = None


def jump(distance: Floats, outcome: Floats, company: Ints, bandwidth: float, *, at: float = 0.0) -> Estimate:
    """Return how much the mean of `outcome` jumps where `distance` reaches `at`; `company` numbers the clusters."""
    return _fit(distance - at, outcome, None, company, bandwidth)


def effect(distance: Floats, outcome: Floats, treated: Floats, company: Ints, bandwidth: float) -> Estimate:
    """Return the effect of a treatment that is more frequent above the threshold: the ratio of the two jumps.

    It holds for companies near the threshold that are treated because they are above it.
    """
    return _fit(distance, outcome, treated, company, bandwidth)


def _fit(distance: Floats, outcome: Floats, treated: Floats | None, company: Ints, bandwidth: float) -> Estimate:
    near = np.abs(distance) < bandwidth
    x, y, above = distance[near] / bandwidth, outcome[near].astype(np.float64), distance[near] >= 0
    if min(above.sum(), (~above).sum()) < FEWEST_ROWS:
        return Estimate(
            None, rows=int(near.sum()), bandwidth=bandwidth, reason=f"fewer than {FEWEST_ROWS} rows on a side"
        )
    side = np.vander(x, _SIDE, increasing=True)
    design = np.hstack([side, side * above[:, None]])
    weighted = design * (1 - np.abs(x))[:, None]
    solved = np.linalg.solve(weighted.T @ design, weighted.T)
    value, residual, scale = float((solved @ y)[_SIDE]), y - design @ (solved @ y), 1.0
    if treated is not None:
        d = treated[near].astype(np.float64)
        first = solved @ d
        scale = float(first[_SIDE])
        if abs(scale) < 1e-9:  # noqa: PLR2004 - no jump, but for rounding
            return Estimate(
                None, rows=len(x), bandwidth=bandwidth, reason="the treatment does not jump at the threshold"
            )
        value /= scale
        residual = residual - value * (d - design @ first)
    error = clustered(solved[_SIDE] * residual / scale, company[near])
    return Estimate(value, value - NORMAL * error, value + NORMAL * error, len(x), bandwidth)


def clustered(influence: Floats, company: Ints) -> float:
    """Return the standard error of a sum of influences, whose errors are correlated within companies."""
    _, cluster = np.unique(company, return_inverse=True)
    total = np.bincount(cluster, influence)
    count = len(total)
    return float(np.sqrt((total**2).sum() * count / max(count - 1, 1)))


def best_bandwidth(distance: Floats, outcome: Floats) -> float:
    """Return the bandwidth with the least mean squared error for lines on both sides of 0 (Imbens and Kalyanaraman 2012)."""
    x, y, n = distance, outcome.astype(np.float64), len(distance)
    pilot = _PILOT * float(x.std()) * n ** (-1 / 5)
    sides = (x < 0, x >= 0)
    near = [side & (np.abs(x) <= pilot) for side in sides]
    density = max(sum(int(one.sum()) for one in near), 1) / (2 * n * pilot)
    spread = max(float(np.mean([y[one].var() if one.any() else y.var() for one in near])), 1e-12)
    cubic = np.column_stack([np.ones(n), x >= 0, x, x**2, x**3])
    third = 6 * float(np.linalg.lstsq(cubic, y, rcond=None)[0][4])
    curvatures, penalty = [], 0.0
    for side in sides:
        count = max(int(side.sum()), 1)
        width = _THIRD * (spread / (density * max(third**2, 1e-6))) ** (1 / 7) * count ** (-1 / 7)
        inside = side & (np.abs(x) <= width)
        rows = max(int(inside.sum()), 1)
        fitted = np.polyfit(x[inside], y[inside], 2) if rows >= FEWEST_ROWS else np.zeros(3)
        curvatures.append(2 * float(fitted[0]))
        penalty += _PENALTY * spread / (rows * width**4)
    bias = (curvatures[1] - curvatures[0]) ** 2 + penalty
    width = _WIDTH * (2 * spread / (density * bias)) ** (1 / 5) * n ** (-1 / 5)
    return float(min(width, np.abs(x).max()))


def density_jump(distance: Floats, company: Ints) -> Estimate:
    """Return how much the logarithm of the density of scores jumps at the threshold: 0 when nobody was moved across it."""
    n, spread = len(distance), float(distance.std()) if len(distance) else 0.0
    if spread == 0:
        return Estimate(None, reason="no score around the threshold")
    # Undersmoothed, so that the bias of a line does not look like a jump.
    bin_width, width = 2 * spread / np.sqrt(n), 0.7 * _PILOT * spread * n ** (-1 / 5)
    levels = []
    for sign in (-1, 1):
        inside = (sign * distance >= 0) & (np.abs(distance) < width)
        counts, edges = np.histogram(np.abs(distance[inside]), bins=np.arange(0, width + bin_width, bin_width))
        middle = (edges[:-1] + edges[1:]) / 2
        weight = np.maximum(1 - middle / width, 0)
        design = np.column_stack([np.ones(len(middle)), middle])
        solved = np.linalg.lstsq(design * np.sqrt(weight)[:, None], counts * np.sqrt(weight), rcond=None)[0]
        levels.append(float(solved[0]) / (n * bin_width))
    rows = int((np.abs(distance) < width).sum())
    if min(levels) <= 0 or rows < 2 * FEWEST_ROWS:
        return Estimate(None, rows=rows, bandwidth=width, reason="too few scores around the threshold")
    below, above = levels
    value = float(np.log(above / below))
    # A company that several lists score counts as one.
    error = np.sqrt(_DENSITY * (1 / above + 1 / below) / (len(np.unique(company)) * width))
    return Estimate(value, value - NORMAL * error, value + NORMAL * error, rows, width)
