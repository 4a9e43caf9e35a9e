"""Faults put into a batch folder or a month of a table."""

import gzip
from datetime import date
from pathlib import Path

from sf_assets.catalogue.tables import TABLES
from sf_assets.engine.storage import Warehouse
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults.description import Delivered, FileFault, TableFault

# What numbers the versions of a published month, each of which is kept.
VERSIONS = frozenset({"version", "scores_version"})


def spoil_file(fault: FileFault, incoming: Path, month: date) -> Path:
    """Rewrite the file that a fault spoils in the batch of a month, and return its path.

    Raises:
        FileNotFoundError: the batch, or the month before when the fault needs it, does not hold the file.

    """
    path = incoming / batch_key(month) / fault.file
    former = incoming / batch_key(add_months(month, -1)) / fault.file
    packed = path.suffix == ".gz" and not fault.compressed
    content, before = (_content(one, packed=packed) if one.is_file() else b"" for one in (path, former))
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
    """Replace the rows of a month of the table that a fault spoils; of several versions, those of the last."""
    table = TABLES[fault.asset]
    columns = ", ".join(f'cast("{column.name}" as {column.type}) as "{column.name}"' for column in table.columns)
    last = " and ".join(f"{name} = max({name}) over ()" for name in VERSIONS.intersection(table.key)) or "true"
    query = f"""
        with months as (select * exclude (month), {last} as stands from lake.{table.name} where month = $month),
        batch as (select * exclude (stands) from months where stands),
        spoiled as ({fault.query})
        select {columns} from spoiled
        union all
        select {columns} from months where not stands
    """
    with warehouse.session() as session:
        session.replace(
            {table: query},
            where={"month": month},
            author="faults",
            message=f"{fault.name}: {fault.does}",
            parameters={"month": month},
        )
