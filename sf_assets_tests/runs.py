"""Deployments of tests: batches through the graph as it is deployed, in process, with a warehouse of their own."""

import os
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.storage.locks import file_lock
from sf_assets.settings import Settings
from sf_assets_dev.deployment import Deployment
from sf_assets_dev.synthetic import write_batch

# The month that several test files load, each in a copy of its own.
LOADED = date(2025, 9, 1)

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


def load_once(base: Path) -> Path:
    """Return the data folder of a deployment that ran the job `batch` of `LOADED`, below the folder of the test session.

    The processes of a session share it: one of them fills it while the others wait.
    """
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "loaded"
    with file_lock(shared / "loaded.lock", "load of a month"):
        if not folder.exists():
            place = Place(shared / "loading")
            write_batch(place.batch(LOADED), month=LOADED, companies=80, years=3)
            assert place.run("batch", LOADED).failures == {}
            place.settings.data.rename(folder)
    return folder


def copy_of(loaded: Path, folder: Path) -> Place:
    """Return a deployment whose data folder is a copy of another one's."""
    shutil.copytree(loaded, folder, dirs_exist_ok=True)
    return Place(folder)
