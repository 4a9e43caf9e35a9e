"""The curves of scores, as points to draw: precision and recall, calibration, and the distribution of scores."""

from collections.abc import Sequence

import numpy as np

from sf_assets.engine.charts.curves import Curve
from sf_assets.model.evaluation import CALIBRATION_BINS
from sf_assets.model.matrix import Flags, Floats

_POINTS = 150
_RANGES = 100
# Below this recall, precision depends on a few companies, and would stretch the axis so that the rest is flat.
_FIRST_RECALL = 0.02


def precision_recall_of(name: str, score: Floats, target: Flags) -> Curve:
    """Return precision at evenly spaced recalls."""
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415 - slow to load

    precision, recall, _ = precision_recall_curve(target, score)
    places = np.unique(np.searchsorted(-recall, -np.linspace(1, 0.005, _POINTS), side="right") - 1)
    return Curve(name, recall[places].tolist(), precision[places].tolist())


def calibration_of(name: str, score: Floats, target: Flags) -> Curve:
    """Return mean score (x) and failure rate (y) of ten groups of equal size, in order of score."""
    groups = np.array_split(np.argsort(score, kind="stable"), CALIBRATION_BINS)
    return Curve(name, [float(score[g].mean()) for g in groups], [float(target[g].mean()) for g in groups])


def distribution_of(score: Floats) -> list[int]:
    """Return the number of rows in each of a hundred equal ranges of the score, from 0 to 1."""
    counts, _ = np.histogram(score, bins=_RANGES, range=(0, 1))
    return [int(count) for count in counts]


def precision_axis_end(curves: Sequence[Curve]) -> float:
    """Return the end of the precision axis of some curves: 5 % above their highest precision, at most 1."""
    tops = [y for curve in curves for x, y in zip(curve.x, curve.y, strict=True) if x > _FIRST_RECALL]
    return min(max(tops, default=1.0) * 1.05, 1.0)
