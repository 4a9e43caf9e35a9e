"""Deployments of tests: batches through the graph as it is deployed, in process, with a warehouse of their own."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.settings import Settings
from sf_assets_dev.deployment import Deployment

# What tells one run from another; everything else must be the same when a month is run again.
_OF_THE_RUN = {
    "check_verdicts": ["run_id", "judged_at", "snapshot"],
    "asset_inputs": ["snapshot"],
    "model_fitted": ["version", "features_snapshot", "target_snapshot"],
}


class Place(Deployment):
    """The deployment below a folder, and the rows of its tables."""

    def __init__(self, folder: Path, **settings: object) -> None:
        # Tests run two at a time on two cores.
        super().__init__(Settings(data_dir=folder, threads=1, **settings))  # type: ignore[arg-type]

    def rows(self, table: str, month: date) -> pl.DataFrame:
        """Return the rows of a month, in the order of all columns, without what tells one run from another."""
        frame = self.warehouse.query(f"select * from lake.{table} where month = $month", {"month": month})
        frame = frame.drop(_OF_THE_RUN.get(table, []))
        return frame.sort(frame.columns)

    def content(self, month: date, tables: Iterable[str]) -> dict[str, pl.DataFrame]:
        """Return the rows of several tables for a month."""
        return {table: self.rows(table, month) for table in tables}

    def tables(self) -> list[str]:
        """Return the names of the stored tables."""
        found = self.warehouse.query("select table_name from duckdb_tables() where database_name = 'lake' order by 1")
        return found["table_name"].to_list()
