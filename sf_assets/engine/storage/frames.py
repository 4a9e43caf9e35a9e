"""Conversion of Python rows into a Polars frame with the types that their table declares."""

from collections.abc import Iterable, Mapping

import polars as pl

from sf_assets.engine.storage.shape import declared_types
from sf_assets.vocabulary.schema import Table

_TYPES: Mapping[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "FLOAT": pl.Float32(),
    "DOUBLE": pl.Float64(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us"),
}


def frame_of(table: Table, rows: Iterable[Mapping[str, object]], *, with_month: bool = False) -> pl.DataFrame:
    """Return rows as a frame of the declared columns, with `month` if `with_month`; other keys of the rows are dropped.

    A column without any value has its declared type too.
    """
    types = {name: _TYPES[type_] for name, type_ in declared_types(table).items() if with_month or name != "month"}
    return pl.DataFrame([{name: row.get(name) for name in types} for row in rows], schema=types)
