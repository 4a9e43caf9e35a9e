"""Comparison of the methods with the oracle, the true failure probabilities of synthetic companies, and with its bound.

The oracle sees the hidden state of companies, which no file tells. The bound is the part of it that the features tell.

The oracle is a Parquet file outside of the warehouse, written with the synthetic batch: one probability per company and
month, for companies in no procedure. No asset reads it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from sf_assets.evaluation.bootstrap import Interval, Weights, interval, ranking, ratio
from sf_assets.evaluation.origins import FOLDS
from sf_assets.evaluation.panel import Panel
from sf_assets.model.matrix import Flags, Floats

# Enough to know what features tell; more rows of the same companies add minutes.
_BOUND_ROWS = 300_000


@dataclass(frozen=True, slots=True)
class OracleComparison:
    """The average precision of a method in a group of rows, the oracle's and the bound's on the same rows.

    `ratio` is the method's over the oracle's, `of_bound` over the bound's.
    """

    method: str
    group: str
    precision: Interval
    oracle: Interval
    ratio: Interval
    bound: Interval
    of_bound: Interval


def load_oracle(path: Path, panel: Panel) -> Floats:
    """Return the true probability of each row of the panel, NaN for rows that are not in the oracle's file."""
    known = pl.read_parquet(path, columns=["siren", "periode", "probability_18m"])
    rows = pl.DataFrame(
        {
            "siren": panel.companies.gather(panel.company),
            "periode": pl.Series(panel.months).gather(panel.period),
        }
    )
    probability = rows.join(known, on=["siren", "periode"], how="left", maintain_order="left")["probability_18m"]
    return probability.cast(pl.Float64).fill_null(np.nan).to_numpy()


def learn_bound(panel: Panel, oracle: Floats, features: npt.NDArray[np.float32]) -> Floats:
    """Return the bound of each row: its true probability as learned from the features of other companies, NaN where unknown.

    Each third of the companies is given the mean true probability of companies alike among the two others. The labels are
    the true probabilities, without the luck of outcomes, and months of all origins are learned from: a method that learns
    from past outcomes alone reaches the bound only with many more companies. More companies also raise the bound a little.

    Args:
        panel: the rows of the backtest.
        oracle: the true probability of each row.
        features: rows x features, in the order of the panel.

    """
    # Slow to load, and for synthetic data only.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    known = ~panel.en_procedure & ~np.isnan(oracle)
    rng = np.random.default_rng(0)
    part = rng.integers(0, FOLDS, len(panel.companies))[panel.company]
    sampled = rng.random(known.size) < _BOUND_ROWS / max(known.sum(), 1)
    bound = np.full(known.size, np.nan)
    for one in range(FOLDS):
        learn, scored = known & sampled & (part != one), known & (part == one)
        if learn.any() and scored.any():
            # A log link, since probabilities span three orders of magnitude; leaves of a few companies, without luck to avoid.
            learner = HistGradientBoostingRegressor(
                loss="poisson",
                max_iter=300,
                learning_rate=0.05,
                max_leaf_nodes=15,
                min_samples_leaf=100,
                random_state=0,
            )
            with threadpool_limits(1):
                learner.fit(features[learn], oracle[learn])
                bound[scored] = learner.predict(features[scored])
    return bound


def compare_with_oracle(
    panel: Panel, oracle: Floats, bound: Floats, scores: dict[str, Floats], weights: Weights
) -> tuple[OracleComparison, ...]:
    """Compare every method with the oracle and the bound over all origins, then at each one, on companies in no procedure.

    Scores and probabilities are compared by how they rank the companies within a month.
    """
    known = ~panel.en_procedure & ~np.isnan(oracle) & ~np.isnan(bound)
    best_ranks, bound_ranks = panel.ranks(oracle, known), panel.ranks(bound, known)
    ranks = {method: panel.ranks(score, known) for method, score in scores.items()}
    slices: dict[str, Flags] = {"ensemble": known}
    slices |= {f"{origin:%Y-%m}": known & (panel.origin == place) for place, origin in enumerate(panel.origins)}
    comparisons = []
    for group, rows in slices.items():
        outcome = (panel.target[rows], panel.company[rows], weights)
        best, told = (ranking(one[rows], *outcome)[1] for one in (best_ranks, bound_ranks))
        for method, ranked in ranks.items():
            method_precision = ranking(ranked[rows], *outcome)[1]
            shares = [interval(ratio(method_precision, one)) for one in (best, told)]
            comparisons.append(
                OracleComparison(
                    method, group, interval(method_precision), interval(best), shares[0], interval(told), shares[1]
                )
            )
    return tuple(comparisons)
