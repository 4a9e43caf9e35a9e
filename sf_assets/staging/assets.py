"""The staging assets: one table per source, the import perimeter, and the two ledgers of records."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import dagster as dg
import polars as pl

from sf_assets import nomenclatures
from sf_assets.failures import BadFile
from sf_assets.materialization import gate, in_force, stamp, told
from sf_assets.partitions import parse_month
from sf_assets.queries import read_query
from sf_assets.resources import Folders, Parameters
from sf_assets.sources import BY_NAME, SOURCES, Source
from sf_assets.sources.arrival import read_header
from sf_assets.sources.batch import BadBatch, read_batch
from sf_assets.staging.reading import READERS, Count, list_months, read_source
from sf_assets.staging.records import read_records
from sf_assets.staging.tables import FILTER_IMPORT, IMPORTS, QUARANTINE, STAGING, query_of
from sf_assets.storage import Session, Warehouse

_FOLDER = files("sf_assets.staging")
_PERIMETER = read_query(_FOLDER, FILTER_IMPORT.name)


_INSPECTED = (
    "select file, bytes, delivered_at from lake.src_arrivals where month = $month and source = $source order by file"
)


def _paths(session: Session, folders: Folders, month: date, source: Source) -> Sequence[Path]:
    """Return the files of a source, provided they are those that were inspected: nothing else was judged sound."""
    try:
        paths = read_batch(folders.incoming_path, month).files.get(source.name, ())
    except BadBatch as error:
        raise BadFile(str(error)) from error
    inspected = session.connection.execute(_INSPECTED, {"month": month, "source": source.name}).fetchall()
    if [_state(path) for path in paths] != inspected:
        raise BadFile(
            f"{source.table}, {month:%Y-%m}: expected {_named(file for file, *_ in inspected)} as inspected on arrival, "
            f"found {_named(path.name for path in paths)}, changed since. Materialise src_{source.name} again."
        )
    return paths


def _state(path: Path) -> tuple[str, int, datetime]:
    stat = path.stat()
    return path.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None, microsecond=0)


def _named(names: Iterable[str]) -> str:
    return ", ".join(names) or "no file"


def _staging_asset(source: Source) -> dg.AssetsDefinition:
    table = STAGING[source.name]
    query = query_of(source)
    perimeter = [FILTER_IMPORT.name, STAGING["filter"].name] if source.filtered else []

    @dg.asset(
        **stamp(
            table,
            "staging",
            description=f"One row is {table.grain}, typed, within the perimeter."
            if source.filtered
            else f"One row is {table.grain}, typed.",
            query=query,
            kinds={"duckdb"},
        ),
        deps=[f"src_{source.name}", *perimeter],
    )
    def stage(context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders) -> dg.MaterializeResult[None]:
        month = parse_month(context.partition_key)
        with warehouse.session() as session:
            gate(session, [(f"src_{source.name}", month), *((name, month) for name in perimeter)])
            paths = _paths(session, folders, month, source)
            if not paths:
                context.log.info(
                    f"{source.name}: nothing delivered, {in_force(session, source.name, month)} stays in force"
                )
            nomenclatures.load(session.connection)
            if source.filtered:
                _load_perimeter(session, month)
            counts = read_source(session.connection, source, paths)
            _register_counts(session, source, counts)
            writes = session.replace(
                {
                    table: query,
                    IMPORTS: "select * from counted",
                    QUARANTINE: "select * from quarantine",
                },
                where={"month": month, "source": source.name},
                author=context.run_id,
                message=f"{table.name} {month:%Y-%m}",
            )
        return dg.MaterializeResult(metadata={"delivered": bool(paths)} | told(writes[table.name]) | _summed(counts))

    return stage


def _load_perimeter(session: Session, month: date) -> None:
    """Make the temporary table `perimeter`: the batch's explicit filter, or the one computed from head-counts."""
    explicit = in_force(session, "filter", month) == month
    table = STAGING["filter"] if explicit else FILTER_IMPORT
    session.connection.execute(
        f"create or replace temp table perimeter as select siren from lake.{table.name} where month = $month",
        {"month": month},
    )


def _register_counts(session: Session, source: Source, counts: Sequence[Count]) -> None:
    columns = {column.name: pl.Int64 if column.type == "BIGINT" else pl.String for column in IMPORTS.columns}
    rows = [{"source": source.name} | dataclasses.asdict(count) for count in counts]
    session.connection.register("counted", pl.DataFrame(rows, schema=columns).to_arrow())


def _summed(counts: Sequence[Count]) -> dict[str, int]:
    names = ("records", "accepted", "filtered", "quarantined", "cells")
    return {name: sum(getattr(count, name) for count in counts) for name in names}


@dg.asset(
    **stamp(FILTER_IMPORT, "staging", description=_PERIMETER.header, query=_PERIMETER, kinds={"duckdb"}),
    deps=["src_effectif_ent"],
)
def stg_filter_import(
    context: dg.AssetExecutionContext, warehouse: Warehouse, folders: Folders, parameters: Parameters
) -> dg.MaterializeResult[None]:
    """Compute the import perimeter from the companies' head-count file, by rules of its own (sources.md §5.2)."""
    month = parse_month(context.partition_key)
    source = BY_NAME["effectif_ent"]
    with warehouse.session() as session:
        gate(session, [("src_effectif_ent", month)])
        paths = _paths(session, folders, month, source)
        if len(paths) != 1:
            raise BadFile(
                f"stg_filter_import, {month:%Y-%m}: expected one head-count file of companies, found {len(paths)}"
            )
        header_line, header = read_header(paths[0], source)
        nomenclatures.load(session.connection)
        session.connection.execute(READERS)
        read_records(
            session.connection,
            paths[0],
            separator=source.separator,
            lenient=True,
            header_line=header_line,
            width=len(header),
        )
        list_months(session.connection, header)
        place = [name.lower() for name in header].index("siren") + 1
        writes = session.replace(
            {FILTER_IMPORT: _PERIMETER.text},
            where={"month": month},
            author=context.run_id,
            message=f"perimeter of {month:%Y-%m}",
            parameters=_PERIMETER.bound(parameters.of_queries() | {"siren": place}),
        )
    return dg.MaterializeResult(metadata=told(writes[FILTER_IMPORT.name]))


_LOADED = [STAGING[source.name].name for source in SOURCES]


_ACCOUNT = (
    "select source, file, records, accepted, filtered, quarantined, cells from lake.stg_import "
    "where month = $month order by source, file"
)
_REASONS = (
    'select source, "column", expected, level, count(*) as refused, min(line) as first_line from lake.stg_quarantine '
    "where month = $month group by all order by refused desc"
)


@dg.asset(
    **stamp(
        IMPORTS,
        "staging",
        description="One row is one file and what became of its records. Each staging table writes its own rows; this "
        "asset shows the month's account once all are loaded.",
        query=_ACCOUNT,
        kinds={"duckdb"},
    ),
    deps=_LOADED,
)
def stg_import(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Show the month's account of records."""
    rows = warehouse.query(_ACCOUNT, {"month": parse_month(context.partition_key)})
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": rows.height,
            **{name: int(rows[name].sum()) for name in ("records", "accepted", "filtered", "quarantined", "cells")},
            "account": dg.MetadataValue.table([dg.TableRecord(row) for row in rows.iter_rows(named=True)]),
        }
    )


@dg.asset(
    **stamp(
        QUARANTINE,
        "staging",
        description="One row is one reason to refuse a record, or one cell of it, with the raw record. Each staging table "
        "writes its own rows; this asset counts the month's reasons, without identifiers.",
        query=_REASONS,
        kinds={"duckdb"},
    ),
    deps=_LOADED,
)
def stg_quarantine(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult[None]:
    """Count the month's quarantine by source and rule."""
    rows = warehouse.query(_REASONS, {"month": parse_month(context.partition_key)})
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": int(rows["refused"].sum()),
            "by_rule": dg.MetadataValue.table([dg.TableRecord(row) for row in rows.head(50).iter_rows(named=True)])
            if rows.height
            else "none",
        }
    )


ASSETS = (stg_filter_import, *(_staging_asset(source) for source in SOURCES), stg_import, stg_quarantine)
