"""Charts on the pages of the list assets."""

import polars as pl

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.svg import ORANGE, RED


def alerts_by_department(alerts: pl.DataFrame) -> str:
    """Return the number of companies in alert by department and level as an SVG text, the largest number first."""
    counts = (
        alerts.group_by("departement")
        .agg(fort=(pl.col("niveau") == 2).sum(), modere=(pl.col("niveau") == 1).sum())  # noqa: PLR2004 - the level's rank
        .sort(pl.sum_horizontal("fort", "modere"), "departement", descending=[True, False])
    )
    rows = [(name or "unknown", {"fort": fort, "modéré": modere}) for name, fort, modere in counts.iter_rows()]
    return bars(rows, title="Alerts by department", colours=(RED, ORANGE))
