"""The clean table of the staff bands of legal units, which the perimeter of open data is made from."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Table, no_rows

TRANCHE = Table(
    name="clean_tranche",
    grain="the staff band of one company in one year",
    columns=pick("siren annee_effectif effectif_minimum connue_le"),
    key=("siren", "annee_effectif"),
    rules=(
        no_rows(
            "known_after_its_year",
            "select siren from {batch} where year(connue_le) <= annee_effectif",
            "INSEE publishes a band after the year it is about: look at the years of the delivered bands.",
        ),
    ),
)
