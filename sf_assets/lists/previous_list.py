"""Comparison of the month's alerts with the lists handed over before."""

from datetime import date

import polars as pl

NEW, WORSE, SAME, BETTER = "Nouvelle alerte", "En hausse", "Inchangée", "En baisse"


def with_previous_list(alerts: pl.DataFrame, previous: pl.DataFrame, month: date, *, compared: bool) -> pl.DataFrame:
    """Return the alerts with `premiere_alerte`, the first month on a list handed over, and `evolution`, in French.

    `previous` is the result of `previous_alerts.sql`: one row per company that was ever in alert. `compared` is whether last
    month's list was handed over; without it `evolution` is NULL.
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
        alerts.join(previous, on="siren", how="left", maintain_order="left")
        .with_columns(
            premiere_alerte=pl.col("premiere_alerte").fill_null(pl.lit(month)),
            evolution=evolution if compared else pl.lit(None, pl.String),
        )
        .drop("niveau_precedent")
    )
