"""The mean score of a month: it is that of the newest labelled months, whatever else changed between the two.

Labels are known a year and a half after their month. Until then features move for reasons of their own: files become more
complete, recovery of debts stops and starts again. Scores then rise or fall together without more or fewer failures. On 20,000
synthetic companies at five origins, the calibration error over the next year is .0063 with this mean for the boosting and .0084
without, .0063 and .0093 for the regression; the order of the companies of a month is the same.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from sf_assets.model.matrix import Floats
from sf_assets.model.methods import ScoringMethod, scores_of


def mean_scores(fitted: Mapping[str, ScoringMethod], rows: pl.DataFrame, weights: Floats) -> dict[str, float]:
    """Return the mean score of some rows by each method that learns, companies in a procedure included."""
    return {
        name: float(np.average(scores, weights=weights))
        for name, scores in scores_of(fitted, rows).items()
        if fitted[name].learns
    }


def at_mean(scores: Mapping[str, Floats], means: Mapping[str, float], periods: pl.Series) -> dict[str, Floats]:
    """Return scores whose mean in every period is that of `means`; scores of a method without a mean stay as they are.

    >>> moved = at_mean({"a": np.array([0.1, 0.3, 0.5])}, {"a": 0.25}, pl.Series([1, 1, 2]))
    >>> [round(float(one), 3) for one in (moved["a"][:2].mean(), moved["a"][2])]
    [0.25, 0.25]
    """
    from scipy.special import expit, logit  # noqa: PLC0415 - slow to load

    from sf_assets.model.calibration import mean_shift  # noqa: PLC0415

    places = [np.flatnonzero((periods == period).to_numpy()) for period in periods.unique()]
    moved = {}
    for name, values in scores.items():
        moved[name] = np.array(values)
        for rows in places if name in means else ():
            log_odds = logit(values[rows])
            moved[name][rows] = expit(log_odds + mean_shift(log_odds, means[name]))
    return moved


def follow_population(
    fitted: Mapping[str, ScoringMethod], rows: pl.DataFrame, means: Mapping[str, float]
) -> dict[str, float]:
    """Move the probabilities of methods so that the mean score of some rows is that of `means`; return what was added."""
    return {name: fitted[name].follow_population(rows, mean) for name, mean in means.items()}  # type: ignore[attr-defined]
