"""What each month of a table was computed from, written in the transaction that writes its rows.

A month computed before this table existed has no row here. Nothing then says that it is out of date, nor that it is not:
it is read as it always was, until it is computed again.
"""

from collections.abc import Collection, Mapping
from datetime import date

import polars as pl

from sf_assets.engine.storage.frames import frame_of
from sf_assets.vocabulary.schema import Column, Table

# An asset, and one month of it.
AssetMonth = tuple[str, date]

ASSET_INPUTS = Table(
    "asset_inputs",
    "one asset and month that an asset of the month was computed from",
    (
        Column("asset", "VARCHAR", "asset that was computed"),
        Column("input", "VARCHAR", "asset that it read"),
        Column("input_month", "DATE", "month that it read of it"),
        Column("snapshot", "BIGINT", "snapshot of the warehouse that wrote what it read; NULL when that had no row"),
    ),
    key=("asset", "input", "input_month"),
    may_be_empty=True,
)


def input_rows(
    assets: Collection[str], months: Collection[date], read: Mapping[AssetMonth, int | None]
) -> pl.DataFrame:
    """Return the rows of `asset_inputs` of a write: each month of each asset read what is of its month, or of no month written.

    Months of one write are computed side by side: a month of features reads the features below of that month.
    """
    written = set(months)
    return frame_of(
        ASSET_INPUTS,
        (
            {"month": month, "asset": asset, "input": name, "input_month": day, "snapshot": snapshot}
            for month in months
            for (name, day), snapshot in read.items()
            if day == month or day not in written
            for asset in assets
        ),
        with_month=True,
    )
