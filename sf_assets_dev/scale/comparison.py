"""Comparison of two warehouses and of the files of their lists: every row and every byte, without what tells two runs apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.shape import sql_identifier

_TABLES = "select table_name from duckdb_tables() where database_name = 'lake' order by table_name"
# Numbers of snapshots and names of runs, in the tables that record them; `version` of a model has its features' snapshot.
_OF_THE_RUN = {
    "check_verdicts": ("run_id", "judged_at", "snapshot"),
    "asset_inputs": ("snapshot",),
    "model_fitted": ("features_snapshot", "target_snapshot"),
    "src_arrivals": ("changed_at",),
}
# The state of every month when it was last refreshed.
_NOT_OF_MONTHS = {"status"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One table: the rows of the first warehouse, and the rows that only one of the two has, with all their digits."""

    table: str
    rows: int
    only_first: int
    only_second: int


def differences(first: Warehouse, second: Warehouse) -> Iterator[Difference]:
    """Yield one comparison per table of either warehouse; a table that one of them lacks counts as empty."""
    names = sorted({name for one in (first, second) for name in one.query(_TABLES)["table_name"]} - _NOT_OF_MONTHS)
    for name in names:
        with duckdb.connect() as connection:
            for side, warehouse in (("first", first), ("second", second)):
                if name in set(warehouse.query(_TABLES)["table_name"]):
                    rows = warehouse.query(f"select * from lake.{sql_identifier(name)}")
                    connection.register(side, rows.drop(_OF_THE_RUN.get(name, ()), strict=False).to_arrow())
            present = {view for (view,) in connection.execute("select view_name from duckdb_views()").fetchall()}
            for side, other in (("first", "second"), ("second", "first")):
                if side not in present:
                    connection.execute(f"create view {side} as from {other} limit 0")
            columns = ", ".join(sql_identifier(row[0]) for row in connection.execute("describe first").fetchall())
            first_only, second_only = (
                f"from (select {columns} from {side} except all select {columns} from {other})"
                for side, other in (("first", "second"), ("second", "first"))
            )
            counts = (_count(connection, rows) for rows in ("from first", first_only, second_only))
            yield Difference(name, *counts)


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(connection.execute(f"select count(*) {rows}").fetchall()[0][0])


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
