"""How near the methods come to the most that could be known: on synthetic France alone, where someone knows it.

The oracle is a file outside of the warehouse, one probability per company and month in no procedure, written with the
synthetic batch. Nothing that makes a list reads it.
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
    """The average precision of a method, that of the oracle on the same rows, and their ratio, by group of rows."""

    method: str
    group: str
    precision: Interval
    oracle: Interval
    ratio: Interval


def load_oracle(path: Path, panel: Panel) -> Floats:
    """Return the oracle's probability for each row of the panel, NaN where it has none."""
    known = pl.read_parquet(path, columns=["siren", "periode", "probability_18m"])
    rows = pl.DataFrame(
        {
            "siren": panel.companies.gather(panel.company),
            "periode": pl.Series(panel.months).gather(panel.period),
        }
    )
    found = rows.join(known, on=["siren", "periode"], how="left", maintain_order="left")["probability_18m"]
    return found.cast(pl.Float64).fill_null(np.nan).to_numpy()


def compare_with_oracle(
    panel: Panel, oracle: Floats, scores: dict[str, Floats], weights: Weights
) -> tuple[OracleComparison, ...]:
    """Compare every method with the oracle over all origins, then at each, on rows of companies in no procedure.

    Both are judged on how they rank the companies of a month.
    """
    known = ~panel.en_procedure & ~np.isnan(oracle)
    best_ranks = panel.ranks(oracle, known)
    ranks = {method: panel.ranks(score, known) for method, score in scores.items()}
    slices: dict[str, Flags] = {"ensemble": known}
    slices |= {f"{origin:%Y-%m}": known & (panel.origin == place) for place, origin in enumerate(panel.origins)}
    found = []
    for group, rows in slices.items():
        given = (panel.target[rows], panel.company[rows], weights)
        best = ranking(best_ranks[rows], *given)[1]
        for method, ranked in ranks.items():
            method_precision = ranking(ranked[rows], *given)[1]
            found.append(
                OracleComparison(
                    method, group, interval(method_precision), interval(best), interval(ratio(method_precision, best))
                )
            )
    return tuple(found)
