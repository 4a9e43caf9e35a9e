"""The query of any table that has one."""

from importlib.resources import files

from sf_assets.clean.queries import clean_query
from sf_assets.engine.queries import Query, read_query
from sf_assets.features.queries import feature_query

# Layers of which some queries are completed by parts that they share, or by declarations.
COMPLETED = {"clean": clean_query, "features": feature_query}


def table_query(layer: str, name: str) -> Query:
    """Return the query of a table of a layer, completed as its asset runs it."""
    completed = COMPLETED.get(layer)
    return completed(name) if completed else read_query(files(f"sf_assets.{layer}"), name)
