"""The table `asset_inputs`: which writes each month of an asset was computed from.

Its rows are written in the transaction that writes the asset. A month without rows here was computed before this table
existed: it is never considered stale, until it is computed again.
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
    "one input of one asset for the month: the asset and month that it read",
    (
        Column("asset", "VARCHAR", "asset that was computed"),
        Column("input", "VARCHAR", "asset that it read"),
        Column("input_month", "DATE", "month of the input that it read"),
        Column("snapshot", "BIGINT", "snapshot of the warehouse that wrote the rows read; NULL when there were none"),
    ),
    key=("asset", "input", "input_month"),
    may_be_empty=True,
)


def input_rows(
    assets: Collection[str],
    months: Collection[date],
    read: Mapping[AssetMonth, int | None],
    readers: Mapping[AssetMonth, Collection[date]],
) -> pl.DataFrame:
    """Return the rows of `asset_inputs` for a write of `assets` in `months`, from the assets and months that were read.

    `readers` are the written months that read an input, where not all of them do: months of one write are computed side by
    side.
    """
    return frame_of(
        ASSET_INPUTS,
        (
            {"month": month, "asset": asset, "input": name, "input_month": input_month, "snapshot": snapshot}
            for month in months
            for (name, input_month), snapshot in read.items()
            if month in readers.get((name, input_month), months)
            for asset in assets
        ),
        with_month=True,
    )
