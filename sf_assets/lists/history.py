"""What became of an alert since last month's list, and since when a company is in alert."""

from datetime import date

import polars as pl

NEW, WORSE, SAME, BETTER = "Nouvelle alerte", "En hausse", "Inchangée", "En baisse"


def with_history(alerts: pl.DataFrame, former: pl.DataFrame, month: date, *, compared: bool) -> pl.DataFrame:
    """Return the alerts with `premiere_alerte` (first month on a list handed over) and `evolution`.

    `former` has one row per company once in alert, as `former_alerts.sql` gives it; `compared` says whether a list of
    last month was handed over: without one there is no evolution to tell.
    """
    before = pl.col("niveau_precedent").fill_null(0)
    evolution = (
        pl.when(before == 0)
        .then(pl.lit(NEW))
        .when(pl.col("niveau") > before)
        .then(pl.lit(WORSE))
        .when(pl.col("niveau") < before)
        .then(pl.lit(BETTER))
        .otherwise(pl.lit(SAME))
    )
    return (
        alerts.join(former, on="siren", how="left", maintain_order="left")
        .with_columns(
            premiere_alerte=pl.col("premiere_alerte").fill_null(pl.lit(month)),
            evolution=evolution if compared else pl.lit(None, pl.String),
        )
        .drop("niveau_precedent")
    )
