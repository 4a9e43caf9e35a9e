"""The clean assets: one per query of this folder, in the order of what they read."""

from importlib.resources import files

from sf_assets.clean.tables import TABLES
from sf_assets.materialization import query_asset
from sf_assets.queries import read_query

ASSETS = tuple(query_asset(table, read_query(files("sf_assets.clean"), table.name), "clean") for table in TABLES)
