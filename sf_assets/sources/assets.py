"""One asset per source: the files of the month as they arrived, inspected in one step for the whole batch."""

import dataclasses
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path

import dagster as dg
import polars as pl

from sf_assets.failures import BadFile
from sf_assets.materialization import OWNERS, tag_value
from sf_assets.partitions import months, parse_month
from sf_assets.resources import Folders
from sf_assets.sources import SOURCES, Source
from sf_assets.sources.arrival import ARRIVALS, Arrival, edition_of, inspect
from sf_assets.sources.batch import BadBatch, read_batch
from sf_assets.storage import Warehouse


def _spec(source: Source) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(
            name=cell.header, type=cell.reader, description=f"becomes {cell.column}" if cell.column else None
        )
        for cell in {cell.header: cell for cell in source.cells}.values()
    ]
    names = " or ".join(f"`{name}`" for name in source.names) or "`filter*`"
    return dg.AssetSpec(
        f"src_{source.name}",
        group_name="sources",
        owners=list(OWNERS),
        kinds={"csv", "file"},
        tags={"layer": "sources", "producer": tag_value(source.producer), "legal_basis": tag_value(source.legal_basis)},
        description=(
            f"{names} as {source.producer} delivers it, plain or gzipped: one record is {source.grain}. "
            f"A value is known from: {source.known or 'its delivery'}."
        ),
        partitions_def=months,
        skippable=True,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/table_name": "lake.src_arrivals",
            "expected_every_month": source.expected,
        },
    )


@dg.multi_asset(name="arrivals", specs=[_spec(source) for source in SOURCES], can_subset=True)
def arrivals(
    context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders
) -> Iterator[dg.MaterializeResult[None]]:
    """Inspect every file of the batch: bytes, checksum, encoding, compression, header."""
    month = parse_month(context.partition_key)
    wanted = [source for source in SOURCES if dg.AssetKey(f"src_{source.name}") in context.selected_asset_keys]
    try:
        batch = read_batch(folders.incoming_path, month)
    except BadBatch as error:
        raise BadFile(str(error)) from error
    if batch.unsupported:
        context.log.warning(f"type de fichier non supporté : {', '.join(batch.unsupported)}")
    found = {
        source.name: [inspect(path, edition_of(source, path)) for path in batch.files.get(source.name, ())]
        for source in wanted
    }
    snapshot = _record(warehouse, month, found, run_id=context.run_id)
    for source in wanted:
        files = found[source.name]
        faults = _faults(source, files, batch.folder)
        for fault in faults:
            context.log.error(fault)
        yield dg.MaterializeResult(
            asset_key=f"src_{source.name}",
            metadata=_told(files, batch.folder) | {"fault": "; ".join(faults) or "none", "snapshot": snapshot},
        )


def _record(warehouse: Warehouse, month: date, found: dict[str, list[Arrival]], *, run_id: str) -> int:
    """Replace what is known of the files of these sources for the month; return the snapshot."""
    types = {"VARCHAR": pl.String(), "BIGINT": pl.Int64(), "TIMESTAMP": pl.Datetime("us")}
    columns = {column.name: types[column.type] for column in ARRIVALS.columns}
    rows = [
        {name: value for name, value in dataclasses.asdict(arrival).items() if name in columns}
        for files in found.values()
        for arrival in files
    ]
    with warehouse.session() as session:
        session.connection.register("arrived", pl.DataFrame(rows, schema=columns).to_arrow())
        writes = session.replace(
            {ARRIVALS: "select * from arrived"},
            where={"month": month, "source": list(found)},
            author=run_id,
            message=f"arrivals of {month:%Y-%m}",
        )
    return writes[ARRIVALS.name].snapshot


def _faults(source: Source, files: list[Arrival], folder: Path) -> list[str]:
    """Return what the checks of the source refuse, in full: a check has counts, an operator needs names."""
    faults = [arrival.fault for arrival in files if arrival.fault]
    if source.expected and not files:
        faults.append(f"src_{source.name}: expected {' or '.join(source.names)} in {folder}, found no such file")
    if source.exclusive and len(files) > 1:
        faults.append(f"src_{source.name}: expected one file, found {', '.join(arrival.file for arrival in files)}")
        return faults
    for one, other in combinations(files, 2):
        if one.sha256 == other.sha256 or one.file.removesuffix(".gz") == other.file.removesuffix(".gz"):
            faults.append(f"src_{source.name}: expected each delivery once, found {one.file} and {other.file}")
    return faults


def _told(files: list[Arrival], folder: Path) -> dict[str, dg.MetadataValue | int | str | bool]:
    if not files:
        return {"delivered": False, "files": 0, "expected_in": dg.MetadataValue.path(str(folder))}
    return {
        "delivered": True,
        "files": len(files),
        "bytes": sum(arrival.bytes for arrival in files),
        "lines": sum(arrival.lines for arrival in files),
        "path": dg.MetadataValue.path(str(folder / files[0].file)),
        "sha256": files[0].sha256,
        "delivered_at": f"{max(arrival.delivered_at for arrival in files):%Y-%m-%d %H:%M:%S} UTC",
    }
