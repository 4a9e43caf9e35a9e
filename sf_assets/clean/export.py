"""The clean tables as Parquet files, in exports/<AAMM>/: what data scientists and the application load.

The same rows give the same bytes, on any day.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.folders import replace_folder
from sf_assets.engine.storage.shape import sql_identifier
from sf_assets.vocabulary.schema import Column, Table, not_null

EXPORT = Table(
    name="clean_export",
    grain="one file of the month's clean tables, as handed over",
    columns=(
        Column("file", "VARCHAR", "name of the file, in the folder of the month"),
        Column("rows", "BIGINT", "rows of the table", unit="row"),
        Column("bytes", "BIGINT", "size", unit="byte"),
        Column("sha256", "VARCHAR", "checksum"),
    ),
    key=("file",),
    rules=(not_null("sha256", "A table without its file: look at clean_export.sql and at what was written."),),
)

_SCHEMA = {"file": pl.String, "bytes": pl.Int64, "sha256": pl.String}


def write_tables(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], target: Path) -> pl.DataFrame:
    """Write each table, read by its plain name, to `<name>.parquet` of the folder `target`; return file, bytes, sha256.

    The folder is replaced as a whole, once every file is complete; what else it held stays. Rows are in the order of the
    key, or of all columns where copies are legitimate, so that nothing depends on how they are stored.
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
        [{"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)} for path in written], schema=_SCHEMA
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
