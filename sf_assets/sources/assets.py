"""One asset per source: the files delivered for a month, inspected in one step for the whole batch."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import combinations
from pathlib import Path

import dagster as dg

from sf_assets.engine.code_versions import code_digest
from sf_assets.engine.materialization import OWNERS, tag_value
from sf_assets.engine.resources import FoldersResource, WarehouseResource
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.engine.storage.packed import UnreadableFile, plain_name
from sf_assets.sources.arrival import ARRIVALS, Arrival, inspect
from sf_assets.sources.batch import BadBatch, Batch, read_batch
from sf_assets.sources.corrections import CORRECTIONS, edition_of
from sf_assets.sources.description import Source
from sf_assets.sources.inspection import LABELS, label_table_fault
from sf_assets.sources.known import KNOWN
from sf_assets.sources.log import ARRIVED, LOG
from sf_assets.sources.registry import BY_NAME, sources_in
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.failures import BadFile
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.partitions import add_months, months, parse_month

_LINES = "select source, sum(lines)::bigint from lake.src_arrivals where month = $month group by source"


def _spec(source: Source) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(
            name=cell.header, type=cell.reader, description=f"becomes {cell.column}" if cell.column else None
        )
        for cell in {cell.header: cell for cell in source.cells}.values()
    ]
    names = " or ".join(f"`{name}`" for name in source.names) or f"`{source.pattern}`"
    return dg.AssetSpec(
        f"src_{source.name}",
        group_name="sources",
        owners=list(OWNERS),
        kinds={"csv", "file"},
        tags={
            "layer": "sources",
            "producer": tag_value(source.producer),
            "legal_basis": tag_value(source.legal_basis),
            "confidentiality": "identifiers",
        },
        code_version=code_digest(__name__, texts=(repr(source),)),
        description=(
            f"{names} as {source.producer} delivers it, plain, gzipped or alone in a zip archive: one record is {source.grain}. "
            f"A value is known from: {KNOWN[source.name].describe(DELAYS)}."
        ),
        partitions_def=months,
        skippable=True,
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/table_name": "lake.src_arrivals",
            "expected_every_month": source.expected,
        },
    )


def arrivals_of(mode: Mode = FULL) -> dg.AssetsDefinition:
    """Return the step that inspects the files of a month, with one asset per source of a mode."""
    sources = sources_in(mode)

    @dg.multi_asset(name="arrivals", specs=[_spec(source) for source in sources], can_subset=True)
    def arrivals(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Inspect every file of the selected sources: bytes, checksums, encoding, compression, header, records."""
        month = parse_month(context.partition_key)
        wanted = [source for source in sources if dg.AssetKey(f"src_{source.name}") in context.selected_asset_keys]
        try:
            batch = read_batch(folders.incoming.of(month), month, mode)
        except BadBatch as error:
            raise BadFile(str(error)) from error
        if batch.unsupported:
            context.log.warning(f"type de fichier non supporté : {', '.join(batch.unsupported)}")
        _require_own_warehouse(warehouse, mode)
        arrived = {
            source.name: [_inspect(batch, path, source) for path in batch.files.get(source.name, ())]
            for source in wanted
        }
        labels = {name: _inspect_labels(batch, batch.files.get(name, ()), name) for name in LABELS}
        for label in (label for files in labels.values() for label in files):
            context.log.info(label.fault or f"{label.file} takes the place of the packaged table {label.source}")
        snapshot, former = _record(warehouse, month, arrived | labels, run_id=context.run_id)
        for source in wanted:
            files = arrived[source.name]
            faults = _faults(source, files, batch.folder)
            for fault in faults:
                context.log.error(fault)
            yield dg.MaterializeResult(
                asset_key=f"src_{source.name}",
                metadata=_files_metadata(files, batch, source, former.get(source.name))
                | {"fault": "; ".join(faults) or "none", "snapshot": snapshot},
            )

    return arrivals


def _require_own_warehouse(warehouse: Warehouse, mode: Mode) -> None:
    """Refuse a warehouse that holds files of the other mode: months of two modes would be learned from together."""
    with warehouse.session() as session:
        if not session.months(ARRIVALS.name):
            return
        found = session.connection.execute(f"select distinct source from lake.{ARRIVALS.name}").fetchall()
    if others := sorted({name for (name,) in found if name in BY_NAME and mode not in BY_NAME[name].modes}):
        raise BadFile(
            f"SF_MODE={mode}: expected a data folder of this mode, found one with files of {', '.join(others)}. Give each "
            "mode an SF_DATA_DIR of its own."
        )


def _inspect(batch: Batch, path: Path, source: Source) -> Arrival:
    """Inspect one file under its name in the batch; a file named by the description may be missing."""
    name = batch.name_of(path)
    if not path.is_file():
        fault = f"{name}: expected a file as named in the description of the batch, found none"
        return dataclasses.replace(_unread(source, name), fault=fault)
    try:
        arrival = inspect(path, edition_of(source, path))
    except OSError as error:
        fault = f"{name}: expected a file that this service may read, found none ({error.strerror})"
        return dataclasses.replace(_unread(source, name), fault=fault)
    except UnreadableFile as error:
        return dataclasses.replace(_unread(source, name), fault=str(error))
    return dataclasses.replace(arrival, file=name, fault=batch.doubtful.get(path) or arrival.fault)


def _unread(source: Source, name: str) -> Arrival:
    return Arrival(source.name, name, 0, "", datetime(1970, 1, 1), None, 0)  # noqa: DTZ001 - UTC, as stored


def _inspect_labels(batch: Batch, paths: Sequence[Path], name: str) -> list[Arrival]:
    """Inspect each file of a label table as a text, then the codes of all its files together."""
    text = Source(name, "", LABELS[name].grain, (), ())
    arrived = [_inspect(batch, path, text) for path in paths]
    fault = None
    if any(arrival.fault for arrival in arrived):
        fault = f"{name}: expected all its files to be valid, found one that is not"
    elif paths:
        fault = label_table_fault(paths, name)
    return [dataclasses.replace(arrival, fault=arrival.fault or fault) for arrival in arrived]


def _record(
    warehouse: Warehouse, month: date, arrivals: dict[str, list[Arrival]], *, run_id: str
) -> tuple[int, dict[str, int]]:
    """Replace the rows of `src_arrivals` and the log for these sources and this month.

    Return the snapshot of the write, and the number of lines that each source had the month before.
    """
    rows = frame_of(ARRIVALS, (dataclasses.asdict(arrival) for files in arrivals.values() for arrival in files))
    with warehouse.session() as session:
        session.connection.register("arrived", rows.to_arrow())
        writes = session.replace(
            {ARRIVALS: "select * from arrived", LOG: ARRIVED},
            where={"month": month, "source": list(arrivals)},
            author=run_id,
            message=f"arrivals of {month:%Y-%m}",
        )
        former = session.connection.execute(_LINES, {"month": add_months(month, -1)}).fetchall()
    return writes[ARRIVALS.name].snapshot, dict(former)


def _faults(source: Source, files: list[Arrival], folder: Path) -> list[str]:
    """Return the reasons why the checks of the source will fail, with file names: check results hold counts alone."""
    faults = [arrival.fault for arrival in files if arrival.fault]
    if source.expected and not files:
        faults.append(f"src_{source.name}: expected {' or '.join(source.names)} in {folder}, found no such file")
    whole = [arrival.file for arrival in files if f"/{CORRECTIONS}/" not in arrival.file]
    if source.exclusive and len(whole) > 1:
        return [*faults, f"src_{source.name}: expected one file, found {', '.join(whole)}"]
    for first, second in combinations(files, 2):
        if first.sha256 == second.sha256 or plain_name(first.file) == plain_name(second.file):
            faults.append(f"src_{source.name}: expected each delivery once, found {first.file} and {second.file}")
    return faults


def _files_metadata(
    files: list[Arrival], batch: Batch, source: Source, former: int | None
) -> dict[str, dg.MetadataValue | int | str | bool]:
    """Return the metadata of a source's files; `former` is the number of lines of the month before, None if unknown."""
    if not files:
        return {"delivered": False, "files": 0, "expected_in": dg.MetadataValue.path(str(batch.folder))}
    lines = sum(arrival.lines for arrival in files)
    change: dict[str, dg.MetadataValue | int | str | bool] = {} if former is None else {"line_change": lines - former}
    return change | {
        "delivered": True,
        "files": len(files),
        "bytes": sum(arrival.bytes for arrival in files),
        "lines": lines,
        "path": dg.MetadataValue.path(str(batch.files[source.name][0])),
        "sha256": files[0].sha256,
        "delivered_at": f"{max(arrival.delivered_at for arrival in files):%Y-%m-%d %H:%M:%S} UTC",
    }
