"""What a report draws of scores: precision against recall, calibration, their distribution, in a few hundred points."""

import numpy as np
from sklearn.metrics import precision_recall_curve

from sf_assets.model.evaluation import CALIBRATION_BINS
from sf_assets.model.matrix import Flags, Floats
from sf_assets.pictures.curves import Curve

_POINTS = 150
_BARS = 40
# Beyond it are a few companies in a thousand: a scale that shows them shows nothing else.
_SHOWN = 0.995


def precision_recall_of(name: str, score: Floats, target: Flags) -> Curve:
    """Return precision at evenly spread recalls."""
    precision, recall, _ = precision_recall_curve(target, score)
    places = np.unique(np.searchsorted(-recall, -np.linspace(1, 0.005, _POINTS), side="right") - 1)
    return Curve(name, recall[places].tolist(), precision[places].tolist())


def calibration_of(name: str, score: Floats, target: Flags) -> Curve:
    """Return mean score and failure rate of ten groups of equal size in order of score."""
    groups = np.array_split(np.argsort(score, kind="stable"), CALIBRATION_BINS)
    return Curve(name, [float(score[g].mean()) for g in groups], [float(target[g].mean()) for g in groups])


def distribution_of(score: Floats) -> tuple[list[float], list[float]]:
    """Return edges from 0 on and the share of rows between them; the last bar holds all that is beyond."""
    edges = np.linspace(0, float(np.quantile(score, _SHOWN)) or 1.0, _BARS + 1)
    counts, _ = np.histogram(np.minimum(score, edges[-1]), bins=edges)
    return edges.tolist(), (counts / score.size).tolist()
