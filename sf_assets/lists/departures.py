"""Companies that left the list since the month before, by name, and why."""

from datetime import date
from importlib.resources import files

import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session
from sf_assets.lists.tables import ALERTS, EXPORT

_DEPARTURES = read_query(files("sf_assets.lists"), "departures")
_BELOW = "risque repassé sous le seuil"
_NOT_FOLLOWED = "n'est plus suivie (cessation, plus de salarié, ou effectif inconnu)"


def departures(session: Session, month: date, version: int, companies: pl.DataFrame) -> pl.DataFrame:
    """Return `siren`, `raison_sociale`, `niveau_precedent` and `raison`, in French, of the companies that left the list.

    `companies` are those of the month with their level, as `companies_with_levels` returns them. No row when the list of the
    month before was not handed over.
    """
    session.bind({ALERTS: None, EXPORT: None})
    gone = session.connection.execute(_DEPARTURES.text, {"month": month, "version": version}).pl()
    now = companies.select("siren", raison=pl.coalesce("exclusion", pl.lit(_BELOW)))
    return gone.join(now, on="siren", how="left", maintain_order="left").with_columns(
        pl.col("raison").fill_null(_NOT_FOLLOWED)
    )
