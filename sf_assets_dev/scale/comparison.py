"""Comparison of two warehouses and of the files of their lists: every row and every byte, without what tells two runs apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.shape import sql_identifier

_TABLES = "select table_name from duckdb_tables() where database_name = 'lake' order by table_name"
# Numbers of snapshots, names of runs and dates of files, in the tables that record them.
_OF_THE_RUN = {
    # A check that compares a month with those before measures what was there: of runs side by side, the later half may be first.
    "check_verdicts": ("run_id", "judged_at", "snapshot", "unexpected_count", "element_count", "value", "statement"),
    "asset_inputs": ("snapshot",),
    "model_fitted": ("features_snapshot", "target_snapshot"),
    # Two runs at once commit in any order.
    "model_scores": ("features_snapshot",),
    "src_arrivals": ("delivered_at", "changed_at"),
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
    with duckdb.connect() as connection:
        # One session each: a process keeps one database attached, and attaching another takes a second.
        stored = {side: _copy(connection, side, one) for side, one in (("first", first), ("second", second))}
        for name in sorted({*stored["first"], *stored["second"]} - _NOT_OF_MONTHS):
            one, other = (sql_identifier(f"{side} {name}") for side in ("first", "second"))
            for side, missing, there in (("first", one, other), ("second", other, one)):
                if name not in stored[side]:
                    connection.execute(f"create table {missing} as from {there} limit 0")
            columns = ", ".join(sql_identifier(row[0]) for row in connection.execute(f"describe {one}").fetchall())
            first_only, second_only = (
                f"from (select {columns} from {left} except all select {columns} from {right})"
                for left, right in ((one, other), (other, one))
            )
            counts = (_count(connection, rows) for rows in (f"from {one}", first_only, second_only))
            yield Difference(name, *counts)


def _copy(connection: duckdb.DuckDBPyConnection, side: str, warehouse: Warehouse) -> list[str]:
    """Copy the tables of a warehouse, without what tells two runs apart; return their names."""
    with warehouse.session() as session:
        names = [name for (name,) in session.connection.execute(_TABLES).fetchall()]
        for name in names:
            rows = session.connection.execute(f"select * from lake.{sql_identifier(name)}").pl()
            connection.register("rows", rows.drop(_OF_THE_RUN.get(name, ()), strict=False).to_arrow())
            connection.execute(f"create table {sql_identifier(f'{side} {name}')} as from rows")
            connection.unregister("rows")
    return names


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    return int(connection.execute(f"select count(*) {rows}").fetchall()[0][0])


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
