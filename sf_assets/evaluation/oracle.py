"""Comparison of the methods with the oracle: the true failure probabilities, known for synthetic companies only.

The oracle is a Parquet file outside of the warehouse, written with the synthetic batch: one probability per company and
month, for companies in no procedure. No asset reads it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from sf_assets.evaluation.bootstrap import Interval, Weights, interval, ranking, ratio
from sf_assets.evaluation.panel import Panel
from sf_assets.model.matrix import Flags, Floats


@dataclass(frozen=True, slots=True)
class OracleComparison:
    """The average precision of a method in a group of rows, the oracle's on the same rows, and the ratio of the two."""

    method: str
    group: str
    precision: Interval
    oracle: Interval
    ratio: Interval


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


def compare_with_oracle(
    panel: Panel, oracle: Floats, scores: dict[str, Floats], weights: Weights
) -> tuple[OracleComparison, ...]:
    """Compare every method with the oracle over all origins, then at each one, on rows of companies in no procedure.

    Scores and true probabilities are compared by how they rank the companies within a month.
    """
    known = ~panel.en_procedure & ~np.isnan(oracle)
    best_ranks = panel.ranks(oracle, known)
    ranks = {method: panel.ranks(score, known) for method, score in scores.items()}
    slices: dict[str, Flags] = {"ensemble": known}
    slices |= {f"{origin:%Y-%m}": known & (panel.origin == place) for place, origin in enumerate(panel.origins)}
    comparisons = []
    for group, rows in slices.items():
        outcome = (panel.target[rows], panel.company[rows], weights)
        best = ranking(best_ranks[rows], *outcome)[1]
        for method, ranked in ranks.items():
            method_precision = ranking(ranked[rows], *outcome)[1]
            share = ratio(method_precision, best)
            comparisons.append(
                OracleComparison(method, group, interval(method_precision), interval(best), interval(share))
            )
    return tuple(comparisons)
