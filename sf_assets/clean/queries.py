"""The queries of the clean tables, completed by those that they share with each other or with the perimeter."""

from importlib.resources import files

from sf_assets.engine.queries import Query, read_query
from sf_assets.engine.sql import read_sql
from sf_assets.staging.bands import KNOWN_BANDS

# Both tables of the register code activities in both nomenclatures; their columns of codes differ.
_PARTS = {
    "clean_sirene": {
        "coded_activities": read_sql(
            "sf_assets.clean", "coded_activities", register="stg_sirene", code="ape", new_code="ape_naf25"
        )
    },
    "clean_sirene_ul": {
        "coded_activities": read_sql(
            "sf_assets.clean",
            "coded_activities",
            register="stg_sirene_ul",
            code="activite_principale",
            new_code="activite_principale_naf25",
        )
    },
    "clean_tranche": {"known_bands": KNOWN_BANDS},
}


def clean_query(name: str) -> Query:
    """Return the query of a clean table."""
    return read_query(files("sf_assets.clean"), name, _PARTS.get(name, {}))
