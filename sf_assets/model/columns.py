"""The names of the columns of a labelled table: company, outcome and period, as its owner calls them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sf_assets.model.matrix import Flags


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a table's columns.

    Attributes:
        group: the company of a row.
        target: whether it fails.
        period: the period of the row, whose values sort in time; None for a table of one period.
        in_procedure: whether the company had already failed: such rows are neither learned from nor counted in the main
            reading. None when no row has.
        weight: the number of rows that a sampled row stands for; None when each stands for itself.

    """

    group: str
    target: str
    period: str | None = None
    in_procedure: str | None = None
    weight: str | None = None

    def outside_procedure(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of companies in no procedure: the others have already failed (deviation B18)."""
        return rows if self.in_procedure is None else rows.filter(~pl.col(self.in_procedure))

    def already_failed(self, rows: pl.DataFrame) -> Flags:
        """Return which rows are of companies already in a procedure."""
        return np.zeros(rows.height, dtype=bool) if self.in_procedure is None else rows[self.in_procedure].to_numpy()

    def periods(self, rows: pl.DataFrame) -> pl.Series:
        """Return the period of each row; the same one for all rows of a table of one period."""
        return pl.repeat(0, rows.height, eager=True) if self.period is None else rows[self.period]

    def outcome(self, rows: pl.DataFrame) -> dict[str, Any]:
        """Return rows with their target, weights and companies, by the names of the arguments that take them."""
        weights = np.ones(rows.height) if self.weight is None else rows[self.weight].to_numpy()
        target = rows[self.target].cast(pl.Boolean).to_numpy()
        return {"rows": rows, "target": target, "weights": weights, "groups": rows[self.group].to_numpy()}


LABELLED = Names("siren", "target", "periode", in_procedure="en_procedure", weight="weight")
"""The columns of the labelled rows of France."""
