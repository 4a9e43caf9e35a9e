"""Columns that a deployment drops (`dropped_columns`): they are stored as unknown, and no refused record repeats them."""

from collections.abc import Collection

import duckdb

from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.sources.description import Source
from sf_assets.vocabulary.schema import Table

_FORGET = 'update quarantine set raw = null, found = if(list_contains($1::varchar[], "column"), null, found)'


def without_columns(query: str, table: Table, names: Collection[str]) -> str:
    """Return the query of a staging table with some of its columns unknown."""
    if not names:
        return query
    unknown = [
        f"null::{column.type} as {sql_identifier(column.name)}" for column in table.columns if column.name in names
    ]
    return f"select * replace ({', '.join(unknown)}) from ({query})"


def forget_refused(connection: duckdb.DuckDBPyConnection, source: Source, names: Collection[str]) -> None:
    """Remove the values of dropped columns from the temporary table `quarantine`: raw lines hold every column."""
    if names:
        headers = [cell.label for cell in source.cells if cell.column in names]
        connection.execute(_FORGET, [headers])
