"""Figures with their uncertainty: every figure is computed once on all companies, then on companies drawn again.

Rows of a company are no separate witnesses: companies are drawn, not rows. A draw is a weight per company, so that
no row is ever copied; the first column of `Weights` is ones, which gives the figure itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sf_assets.model.evaluation import CALIBRATION_BINS
from sf_assets.model.matrix import Flags, Floats

# Companies x (1 + replicates).
Weights = npt.NDArray[np.float32]
Companies = npt.NDArray[np.intp]

REPLICATES = 200
LEVEL = 0.95
# Cells x replicates held at once by a ranking: 40 MB per array of float64.
_BLOCK = 5_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; `value` is None when the rows do not define it, the others when draws do not."""

    value: float | None
    low: float | None = None
    high: float | None = None


def draw_weights(companies: int, *, replicates: int = REPLICATES, seed: int = 0) -> Weights:
    """Return the weight of each company in the sample itself, then in each of the samples drawn (Poisson bootstrap)."""
    weights = np.ones((companies, 1 + replicates), dtype=np.float32)
    weights[:, 1:] = np.random.default_rng(seed).poisson(1.0, (companies, replicates))
    return weights


def interval(values: Floats) -> Interval:
    """Return the first value with the percentile interval of the others; draws that do not define it are left out."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return Interval(None)
    # A figure that most draws do not define has no honest interval.
    if drawn.size < LEVEL * (values.size - 1):
        return Interval(_rounded(values[0]))
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(_rounded(values[0]), _rounded(low), _rounded(high))


def _rounded(value: float) -> float:
    # The last bits of a sum depend on how many threads added it up.
    return round(float(value), 9)


def ranking(score: Floats, target: Flags, company: Companies, weights: Weights) -> tuple[Floats, Floats]:
    """Return ROC AUC and average precision of each draw, NaN where failures or others are missing.

    Rows are sorted once and gathered into cells: equal scores among which some fail, and runs of scores among which none
    does. A draw then costs one product of cells x companies with its weights; both figures are exact.
    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to load

    replicates = weights.shape[1]
    if not score.size:
        return np.full(replicates, np.nan), np.full(replicates, np.nan)
    order = np.argsort(-score, kind="stable")
    failing, who, cell = target[order], company[order], _cells(score[order], target[order])
    shape = (int(cell[-1]) + 1, weights.shape[0])
    positive, negative = (
        csr_matrix((np.ones(int(kept.sum()), dtype=np.float32), (cell[kept], who[kept])), shape=shape)
        for kept in (failing, ~failing)
    )
    auc, precision = np.empty(replicates), np.empty(replicates)
    for block in _blocks(shape[0], replicates):
        drawn = np.ascontiguousarray(weights[:, block])
        failures, others = (np.asarray(kind @ drawn, dtype=np.float64) for kind in (positive, negative))
        caught, wrong = np.cumsum(failures, axis=0), np.cumsum(others, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            auc[block] = np.sum(failures * (wrong[-1] - wrong + others / 2), axis=0) / (caught[-1] * wrong[-1])
            share = np.where(failures > 0, caught / (caught + wrong), 0.0)
            precision[block] = np.where(wrong[-1] > 0, np.sum(failures * share, axis=0) / caught[-1], np.nan)
    return auc, precision


def _cells(score: Floats, target: Flags) -> npt.NDArray[np.intp]:
    """Return the cell of each row, rows in descending order of score."""
    group = np.cumsum(np.append(True, score[1:] != score[:-1])) - 1
    fails = np.bincount(group, weights=target) > 0
    return np.asarray((np.cumsum(np.append(True, fails[1:] | fails[:-1])) - 1)[group])


def _blocks(cells: int, replicates: int) -> Iterator[slice]:
    width = max(_BLOCK // cells, 1)
    for start in range(0, replicates, width):
        yield slice(start, min(start + width, replicates))


def totals(company: Companies, weights: Weights, *values: npt.ArrayLike) -> list[Floats]:
    """Return the weighted sum of each array of row values, for each draw."""
    sums = np.array(
        [np.bincount(company, weights=np.asarray(one, dtype=np.float64), minlength=len(weights)) for one in values]
    )
    return list(_drawn(sums, weights))


def _drawn(sums: Floats, weights: Weights) -> Floats:
    """Return sums by company (rows x companies) as totals of each draw, in float64: counts stay exact beyond 2^24."""
    found = np.empty((len(sums), weights.shape[1]))
    for block in _blocks(len(weights), weights.shape[1]):
        found[:, block] = sums @ weights[:, block].astype(np.float64)
    return found


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where whole is zero."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0)


def confusion(alert: Flags, target: Flags, company: Companies, weights: Weights) -> dict[str, Floats]:
    """Return precision, recall, balanced accuracy and number of alerts of each draw."""
    tp, fp, fn, tn = totals(company, weights, alert & target, alert & ~target, ~alert & target, ~(alert | target))
    recall = ratio(tp, tp + fn)
    return {
        "precision": ratio(tp, tp + fp),
        "recall": recall,
        "balanced_accuracy": (recall + ratio(tn, tn + fp)) / 2,
        "f05": ratio(1.25 * tp, 0.25 * (tp + fn) + tp + fp),
        "f2": ratio(5 * tp, 4 * (tp + fn) + tp + fp),
        "volume": tp + fp,
    }


def calibration(score: Floats, target: Flags, company: Companies, weights: Weights) -> tuple[Floats, Floats]:
    """Return the calibration error of each draw, and mean score - failure rate.

    The error is the mean gap between score and failure rate over ten groups of equal size in order of score, which are
    those of all companies in every draw.
    """
    if not score.size:
        return np.full(weights.shape[1], np.nan), np.full(weights.shape[1], np.nan)
    group = np.empty(score.size, dtype=np.intp)
    for number, rows in enumerate(np.array_split(np.argsort(score, kind="stable"), CALIBRATION_BINS)):
        group[rows] = number
    place = group * len(weights) + company
    shape = (CALIBRATION_BINS, len(weights))
    size, gap = (
        np.asarray(np.bincount(place, weights=one, minlength=shape[0] * shape[1]), dtype=np.float64).reshape(shape)
        for one in (np.ones(score.size), np.asarray(score - target))
    )
    count, gaps = _drawn(size, weights), _drawn(gap, weights)
    whole = count.sum(axis=0)
    return ratio(np.abs(gaps).sum(axis=0), whole), ratio(gaps.sum(axis=0), whole)


def median(values: Floats, company: Companies, weights: Weights) -> Floats:
    """Return the lower weighted median of each draw, NaN without weight."""
    if not values.size:
        return np.full(weights.shape[1], np.nan)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[company[order]], axis=0, dtype=np.float64)
    found = values[order][np.argmax(reached >= reached[-1] / 2, axis=0)]
    return np.where(reached[-1] > 0, found, np.nan)
