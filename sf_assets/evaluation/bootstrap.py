"""Figures with confidence intervals by a bootstrap of companies: each figure on all companies, then on each draw.

The rows of one company are not independent, hence companies are drawn and not rows. A draw is a weight per company, so that
no row is copied. The first column of `Weights` is ones and gives the figure itself. This module is the only one that draws
companies.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sf_assets.model.evaluation import CALIBRATION_BINS
from sf_assets.model.matrix import Flags, Floats

# Shape: companies x (1 + replicates).
Weights = npt.NDArray[np.float32]
Companies = npt.NDArray[np.intp]

REPLICATES = 200
LEVEL = 0.95
# Largest number of cells x draws computed at once by `ranking`: 40 MB per array of float64.
_BLOCK = 5_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; `value` is None when the rows do not define it, `low` and `high` when draws do not."""

    value: float | None
    low: float | None = None
    high: float | None = None


def draw_weights(companies: int, *, replicates: int = REPLICATES, seed: int = 0) -> Weights:
    """Return the weight of each company: 1 in the first column, then its weight in each draw (Poisson bootstrap).

    >>> draw_weights(2, replicates=3).tolist()
    [[1.0, 1.0, 0.0, 0.0], [1.0, 3.0, 3.0, 1.0]]
    """
    weights = np.ones((companies, 1 + replicates), dtype=np.float32)
    weights[:, 1:] = np.random.default_rng(seed).poisson(1.0, (companies, replicates))
    return weights


def interval(values: Floats) -> Interval:
    """Return the first value with the percentile interval of the others, which are its draws.

    NaN marks a draw that does not define the figure. There is no interval when more than 5 % of the draws are NaN.

    >>> interval(np.array([0.5, np.nan]))
    Interval(value=0.5, low=None, high=None)
    """
    drawn = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return Interval(None)
    # The percentiles of few defined draws would be those of a subset of samples, chosen by their failures.
    if drawn.size < LEVEL * (values.size - 1):
        return Interval(_rounded(values[0]))
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(_rounded(values[0]), _rounded(low), _rounded(high))


def _rounded(value: float) -> float:
    # The last bits of a sum depend on the number of threads that computed it.
    return round(float(value), 9)


def ranking(score: Floats, target: Flags, company: Companies, weights: Weights) -> tuple[Floats, Floats]:
    """Return ROC AUC and average precision of each draw, NaN where failures or others are missing.

    Rows are sorted once and grouped into cells: rows of an equal score when some of them fail, and runs of consecutive
    scores when none fails. A draw then costs one product of a sparse matrix (cells x companies) with its weights. Both
    figures are exact.

    Args:
        score: the score of each row, higher for a higher risk.
        target: whether each row fails.
        company: the position of each row's company in `weights`.
        weights: the weights of companies, from `draw_weights`.

    """
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to load

    replicates = weights.shape[1]
    if not score.size:
        return np.full(replicates, np.nan), np.full(replicates, np.nan)
    order = np.argsort(-score, kind="stable")
    failing, who, cell = target[order], company[order], _cells(score[order], target[order])
    shape = (int(cell[-1]) + 1, weights.shape[0])
    positive, negative = (
        csr_matrix((np.ones(int(rows.sum()), dtype=np.float32), (cell[rows], who[rows])), shape=shape)
        for rows in (failing, ~failing)
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
    """Return the weighted sum of each array of row values, per draw."""
    sums = np.array(
        [np.bincount(company, weights=np.asarray(one, dtype=np.float64), minlength=len(weights)) for one in values]
    )
    return list(_weighted_totals(sums, weights))


def _weighted_totals(sums: Floats, weights: Weights) -> Floats:
    """Return sums by company (sums x companies) as totals per draw, in float64: float32 counts are inexact beyond 2^24."""
    drawn = np.empty((len(sums), weights.shape[1]))
    for block in _blocks(len(weights), weights.shape[1]):
        drawn[:, block] = sums @ weights[:, block].astype(np.float64)
    return drawn


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where whole is zero.

    >>> ratio(np.array([1.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0)


def confusion(alert: Flags, target: Flags, company: Companies, weights: Weights) -> dict[str, Floats]:
    """Return, per draw, precision, recall, balanced accuracy, F0.5, F2 and number of rows in alert (`volume`)."""
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
    """Return the calibration error of each draw, and its mean score less its failure rate.

    The error is the mean gap between score and failure rate over ten groups of equal size in order of score. The groups are
    formed once, on all companies, and are the same in every draw.
    """
    if not score.size:
        return np.full(weights.shape[1], np.nan), np.full(weights.shape[1], np.nan)
    group = np.empty(score.size, dtype=np.intp)
    for number, rows in enumerate(np.array_split(np.argsort(score, kind="stable"), CALIBRATION_BINS)):
        group[rows] = number
    cell = group * len(weights) + company
    shape = (CALIBRATION_BINS, len(weights))
    size, gap = (
        np.asarray(np.bincount(cell, weights=one, minlength=shape[0] * shape[1]), dtype=np.float64).reshape(shape)
        for one in (np.ones(score.size), np.asarray(score - target))
    )
    count, gaps = _weighted_totals(size, weights), _weighted_totals(gap, weights)
    whole = count.sum(axis=0)
    return ratio(np.abs(gaps).sum(axis=0), whole), ratio(gaps.sum(axis=0), whole)


def median(values: Floats, company: Companies, weights: Weights) -> Floats:
    """Return the lower weighted median of each draw, NaN when all weights are zero."""
    if not values.size:
        return np.full(weights.shape[1], np.nan)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[company[order]], axis=0, dtype=np.float64)
    medians = values[order][np.argmax(reached >= reached[-1] / 2, axis=0)]
    return np.where(reached[-1] > 0, medians, np.nan)
