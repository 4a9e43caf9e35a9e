"""Injection of faults into the files of a batch, or into a month of a table."""

import gzip
from datetime import date
from pathlib import Path

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.storage import Warehouse
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults.description import Delivered, FileFault, TableFault

# Columns that number the versions of a published month; every version is retained.
VERSIONS = frozenset({"version", "scores_version"})


def spoil_file(fault: FileFault, incoming: Path, month: date) -> Path:
    """Write the fault into its file of a month's batch, and return the path of that file.

    Raises:
        FileNotFoundError: the batch has no such file.
        ValueError: the fault changes nothing in this file.

    """
    path = incoming / batch_key(month) / fault.file
    former = incoming / batch_key(add_months(month, -1)) / fault.file
    packed = path.suffix == ".gz" and not fault.compressed
    content, before = (_content(file, packed=packed) if file.is_file() else b"" for file in (path, former))
    if not path.is_file():
        raise FileNotFoundError(f"{fault.name}: expected {path}, found none")
    spoiled = fault.rewrite(Delivered(month, content, before))
    if spoiled == content:
        raise ValueError(f"{fault.name}: expected other bytes than those of {path}, found the same")
    path.write_bytes(gzip.compress(spoiled, mtime=0) if packed else spoiled)
    return path


def _content(path: Path, *, packed: bool) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if packed else content


def spoil_table(fault: TableFault, warehouse: Warehouse, month: date) -> None:
    """Write the fault into a month of its table; only the last version is replaced when the month has several."""
    table = TABLES[fault.asset]
    columns = ", ".join(f'cast("{column.name}" as {column.type}) as "{column.name}"' for column in table.columns)
    last = " and ".join(f"{name} = max({name}) over ()" for name in VERSIONS.intersection(table.key)) or "true"
    query = f"""
        with months as (select * exclude (month), {last} as is_last from lake.{table.name} where month = $month),
        batch as (select * exclude (is_last) from months where is_last),
        spoiled as ({fault.query})
        select {columns} from spoiled
        union all
        select {columns} from months where not is_last
    """
    with warehouse.session() as session:
        session.replace(
            {table: query},
            where={"month": month},
            author="faults",
            message=f"{fault.name}: {fault.description}",
            parameters={"month": month},
        )
