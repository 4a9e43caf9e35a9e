"""Parquet files of a write that exist before its transaction, so that writers wait for each other's commit only.

DuckLake writes the files of an `insert` inside its transaction: on a shared catalog the lock would be held during the upload of
every table. Here the files are written first, and the transaction registers them. Files of a process that ends in between
belong to no snapshot; maintenance removes them.
"""

import os
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.objects import is_remote
from sf_assets.vocabulary.schema import Table


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was done for one table before its transaction.

    `rows` is the number of computed rows of each month. The months `same` had these rows when the table was in `state`; the
    `files` hold the rows of the other months.
    """

    rows: Mapping[date, int]
    same: frozenset[date]
    state: tuple[int, int]
    files: tuple[str, ...] = ()


def state_of(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    """Return the number and a digest of the files of a stored table: it changes with every write of its rows."""
    query = (
        "select count(*), coalesce(bit_xor(hash(data_file, delete_file)), 0) from ducklake_list_files('lake', $table)"
    )
    ((files, digest),) = connection.execute(query, {"table": table}).fetchall()
    return files, digest


def write_files(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: str, months: Collection[date], data_path: str
) -> dict[str, int]:
    """Write the rows of a relation of the declared columns where DuckLake would; return the rows of each file, by its path.

    The rows are of the `months`. They are one file, or one for each month of a table that is partitioned by month; none
    when there are none.
    """
    if not months:
        return {}
    remote = is_remote(data_path)
    folder = f"{data_path.rstrip('/') if remote else os.path.realpath(data_path)}/main/{table.name}"
    if not remote:
        make_private_folder(Path(folder))
    if table.partition_by_month:
        target, layout = (
            folder,
            "partition_by (month), write_partition_columns, filename_pattern 'ducklake-{uuidv7}', append, ",
        )
    else:
        target, layout = f"{folder}/ducklake-{uuid.uuid4()}.parquet", "write_empty_file false, "
    # Sorting puts each month into few files.
    order = " order by month" if len(months) > 1 else ""
    copy = f"copy (from {rows}{order}) to {sql_literal(target)} (format parquet, {layout}return_stats)"
    return {file: number for file, number, *_ in connection.execute(copy).fetchall()}


def rows_in_files(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, int], months: Collection[date]
) -> dict[date, int]:
    """Return the rows of each month in written files of the `months`: of several, their column of months is read."""
    if not files or len(months) == 1:
        return dict.fromkeys(months, sum(files.values())) if files else {}
    listed = ", ".join(map(sql_literal, files))
    query = f"select month, count(*) from read_parquet([{listed}], hive_partitioning => false) group by month"
    return dict(connection.execute(query).fetchall())


def add_files(connection: duckdb.DuckDBPyConnection, table: Table, files: Collection[str]) -> None:
    """Register written files as rows of a table, within a transaction."""
    for file in files:
        # Without months in its path, a file has none of DuckLake's partitions either.
        connection.execute(
            f"call ducklake_add_data_files('lake', {sql_literal(table.name)}, {sql_literal(file)}, "
            f"hive_partitioning => {table.partition_by_month})"
        )
