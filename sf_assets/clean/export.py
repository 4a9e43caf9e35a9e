"""The export of the clean tables as Parquet files in exports/<AAMM>/, for data scientists and the application.

The same rows give the same bytes, on any day.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.checksums import sha256_of
from sf_assets.engine.storage.folders import replace_folder
from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.vocabulary.schema import Column, Table, not_null

EXPORT = Table(
    name="clean_export",
    grain="one Parquet file of the month's export",
    columns=(
        Column("file", "VARCHAR", "name of the file, in the folder of the month"),
        Column("rows", "BIGINT", "rows of the table", unit="row"),
        Column("bytes", "BIGINT", "size", unit="byte"),
        Column("sha256", "VARCHAR", "checksum"),
    ),
    key=("file",),
    rules=(
        not_null("sha256", "A table has no file: compare the tables of clean_export.sql with the files of the folder."),
    ),
)

_SCHEMA = {"file": pl.String, "bytes": pl.Int64, "sha256": pl.String}


def write_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], target: Path) -> pl.DataFrame:
    """Write each table to `<name>.parquet` in the folder `target`; return one row per file: file, bytes, sha256.

    Tables are read from `connection` by their names. The folder is replaced as a whole once every file is complete; its
    other files stay. Rows are sorted by the key, or by all columns where duplicates are legitimate, so that the bytes do
    not depend on the order in which rows are stored.

    Raises:
        duckdb.Error: a table cannot be read or written; the folder is then unchanged.

    """
    names = {f"{table.name}.parquet" for table in tables}
    with replace_folder(target) as draft:
        for table in tables:
            order = ", ".join(sql_identifier(column) for column in table.key) or "all"
            connection.execute(
                f"copy (select * from {sql_identifier(table.name)} order by {order}) "
                f"to {sql_literal(str(draft / f'{table.name}.parquet'))} (format parquet, compression zstd)"
            )
        if target.is_dir():
            for path in target.iterdir():
                if path.is_file() and path.name not in names:
                    shutil.copy2(path, draft)
    written = [target / name for name in sorted(names)]
    return pl.DataFrame(
        [{"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in written],
        schema=_SCHEMA,
    )
