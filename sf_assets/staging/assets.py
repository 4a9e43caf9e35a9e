"""The staging assets: one table per source, the import perimeter, the account of records, the quarantine and the log."""

from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files

import dagster as dg
import polars as pl

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.queries import read_query
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session, frame_of
from sf_assets.sources.description import Source
from sf_assets.sources.inspection import counted_records, delivered_label_tables, inspected_files, require_batch
from sf_assets.sources.log import LOG
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.nomenclatures.label_tables import label_files
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.staging.bands import BANDS, apply_band_rules
from sf_assets.staging.delivery import account_rows, read_delivered, read_headcounts
from sf_assets.staging.dropped import forget_refused, without_columns
from sf_assets.staging.in_force import in_force, reads_at
from sf_assets.staging.published import load_published
from sf_assets.staging.tables import FILTER_IMPORT, FILTER_STEPS, IMPORTS, QUARANTINE, STAGING, query_of
from sf_assets.vocabulary.partitions import parse_month

_FOLDER = files("sf_assets.staging")
_PERIMETER = {table: read_query(_FOLDER, table.name) for table in (FILTER_IMPORT, FILTER_STEPS)}
# The label tables that the readers of a source use.
_LABELS = {"sirene": ("types_voie",), "bodacc": ("bodacc_natures",)}
_LOG = read_query(_FOLDER, LOG.name)
_COUNTS = ("records", "accepted", "filtered", "quarantined", "cells", "corrected")


def _staging_asset(source: Source) -> dg.AssetsDefinition:
    table = STAGING[source.name]
    query = query_of(source)
    perimeter = [FILTER_IMPORT.name, STAGING["filter"].name] if source.filtered else []
    accounts = [STAGING["admin_urssaf"].name] if source.account else []

    @dg.asset(
        **asset_arguments(
            table,
            "staging",
            description=f"One row is {table.grain}, typed, within the perimeter."
            if source.filtered
            else f"One row is {table.grain}, typed.",
            query=query,
            kinds={"duckdb"},
            made_in=__name__,
            made_with=(repr(source),),
            settings=(f"dropped_columns.{table.name}",),
            data=label_files(_LABELS.get(source.name, ())),
        ),
        deps=[f"src_{source.name}", *perimeter, *accounts],
    )
    def stage(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        folders: FoldersResource,
        parameters: ParametersResource,
        gate: GateResource,
    ) -> dg.MaterializeResult[None]:
        month = parse_month(context.partition_key)
        dropped = parameters.dropped_by_table().get(table.name, ())
        with warehouse.session() as session:
            gate.require(session, [(f"src_{source.name}", month), *((name, month) for name in perimeter)])
            incoming = folders.incoming.of(month)
            batch = require_batch(incoming, month, folders.mode)
            updates = delivered_label_tables(session, incoming, month, _LABELS.get(source.name, ()))
            label_tables.load(session.connection, updates)
            if source.filtered:
                _load_perimeter(session, month)
            if source.about_lists:
                load_published(session, gate, month)
            if accounts:
                _load_accounts(gate, session, accounts, month)
            with inspected_files(
                session, batch, source.name, reader=table.name, asset=f"src_{source.name}"
            ) as delivered:
                if not delivered:
                    context.log.info(
                        f"{source.name}: nothing delivered, {in_force(session, source.name, month)} stays in force"
                    )
                counts = read_delivered(session.connection, batch, source, delivered)
                forget_refused(session.connection, source, dropped)
                account = account_rows(counts, counted_records(session, batch, source.name, asset=f"src_{source.name}"))
                counted = frame_of(IMPORTS, ({"source": source.name} | row for row in account))
                session.connection.register("counted", counted.to_arrow())
                writes = session.replace(
                    {
                        table: without_columns(query, table, dropped),
                        IMPORTS: "select * from counted",
                        QUARANTINE: "select * from quarantine",
                        LOG: _LOG.text,
                    },
                    where={"month": month, "source": source.name},
                    author=context.run_id,
                    message=f"{table.name} {month:%Y-%m}",
                    streamed=(table,),
                    shared=(IMPORTS, QUARANTINE, LOG),
                    verify=delivered.require_unchanged,
                )
            preview = preview_metadata(session, table, month)
        return dg.MaterializeResult(
            metadata={"delivered": bool(delivered)} | write_metadata(writes[table.name]) | _totals(counted) | preview
        )

    return stage


def _load_perimeter(session: Session, month: date) -> None:
    """Create the temporary table `perimeter`: the companies of the batch's explicit filter, otherwise of `stg_filter_import`."""
    explicit = in_force(session, "filter", month) == month
    table = STAGING["filter"] if explicit else FILTER_IMPORT
    session.bind({table: month})
    session.connection.execute(f"create or replace temp table perimeter as select siren from {table.name}")


def _load_accounts(gate: Gate, session: Session, names: Sequence[str], month: date) -> None:
    """Create the temporary table `accounts`: one row per account and closing day, with its siret."""
    reads, gates = reads_at(gate, session, names, month)
    gate.require(session, gates)
    session.bind(reads)
    session.connection.execute(
        "create or replace temp table accounts as select compte, date_disparition, min(siret) as siret "
        "from stg_admin_urssaf group by all"
    )


def _totals(counted: pl.DataFrame) -> dict[str, int]:
    return {name: int(counted[name].sum()) for name in _COUNTS}


@dg.multi_asset(
    name=FILTER_IMPORT.name,
    specs=[
        dg.AssetSpec(
            **asset_arguments(
                table,
                "staging",
                description=query.header,
                query=query,
                kinds={"duckdb"},
                made_in=__name__,
                settings=("mode", "perimeter_months", "perimeter_recent", "perimeter_staff"),
            ),
            deps=["src_effectif_ent", BANDS.name],
            skippable=True,
        )
        for table, query in _PERIMETER.items()
    ],
    can_subset=True,
)
def stg_filter_import(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Compute the import perimeter from the companies' head-count file (rules §5.2), or from staff bands on open data alone."""
    month = parse_month(context.partition_key)
    wanted = [table for table in _PERIMETER if dg.AssetKey(table.name) in context.selected_asset_keys]
    source = BY_NAME["effectif_ent"]
    with warehouse.session() as session:
        values = parameters.query_values()
        if BANDS.name in gate.outside:
            gate.require(session, [("src_effectif_ent", month)])
            batch = require_batch(folders.incoming.of(month), month)
            label_tables.load(session.connection)
            with inspected_files(
                session, batch, source.name, reader=source.table, asset=f"src_{source.name}"
            ) as delivered:
                counted = counted_records(session, batch, source.name, asset=f"src_{source.name}")
                read_headcounts(session.connection, batch, source, delivered, counted=counted, parameters=values)
        else:
            apply_band_rules(session, gate, month, parameters)
        writes = session.replace(
            {table: _PERIMETER[table].text for table in wanted},
            where={"month": month},
            author=context.run_id,
            message=f"perimeter of {month:%Y-%m}",
            parameters=values,
        )
        previews = {table.name: preview_metadata(session, table, month) for table in wanted}
    for table in wanted:
        yield dg.MaterializeResult(
            asset_key=table.name, metadata=write_metadata(writes[table.name]) | previews[table.name]
        )


_LOADED = [STAGING[source.name].name for source in SOURCES]


_ACCOUNT = (
    "select source, file, records, accepted, filtered, quarantined, cells, corrected from lake.stg_import "
    "where month = $month order by source, file"
)
_SUMMARIES = "select is_fatal, summary from lake.import_log where month = $month order by source, file"
_REASONS = (
    'select source, "column", expected, level, count(*) as refused, min(line) as first_line from lake.stg_quarantine '
    "where month = $month group by all order by refused desc"
)


@dg.asset(
    **asset_arguments(
        IMPORTS,
        "staging",
        description="One row is one file and the number of its records by outcome. Each staging table writes its own rows; this "
        "asset shows the month's account once all are loaded.",
        kinds={"duckdb", "python"},
        made_in=__name__,
    ),
    deps=_LOADED,
)
def stg_import(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Return the month's account of records as metadata: one row per file, and totals."""
    rows = warehouse.query(_ACCOUNT, {"month": parse_month(context.partition_key)})
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": rows.height,
            **_totals(rows),
            "account": dg.MetadataValue.table([dg.TableRecord(row) for row in rows.iter_rows(named=True)]),
        }
    )


@dg.asset(
    **asset_arguments(
        QUARANTINE,
        "staging",
        description="One row is one reason to refuse a record or one of its cells, with the raw record. Each staging table "
        "writes its own rows; this asset counts the month's reasons, without identifiers.",
        kinds={"duckdb", "python"},
        made_in=__name__,
    ),
    deps=_LOADED,
)
def stg_quarantine(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Return the month's quarantined records and cells, counted by source and rule, as metadata."""
    rows = warehouse.query(_REASONS, {"month": parse_month(context.partition_key)})
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": int(rows["refused"].sum()),
            "by_rule": dg.MetadataValue.table([dg.TableRecord(row) for row in rows.head(50).iter_rows(named=True)])
            if rows.height
            else "none",
            "picture": dg.MetadataValue.md(embedded(_by_rule(rows), "quarantine by rule")),
        }
    )


def _by_rule(rows: pl.DataFrame) -> str:
    """Draw the quarantined records and cells of the month by source and rule."""
    shares: dict[str, dict[str, float]] = {}
    for row in rows.iter_rows(named=True):
        parts = shares.setdefault(f"{row['source']}: {row['column'] or 'record'}, {row['expected']}", {})
        parts[row["level"]] = parts.get(row["level"], 0) + row["refused"]
    return bars(list(shares.items()), title="Quarantine by rule")


@dg.asset(
    **asset_arguments(
        LOG,
        "staging",
        description="One row is one delivered file and its last outcome: refused on arrival, or read. Arrivals and "
        "staging tables write their own rows; this asset shows the month's log once all are loaded.",
        query=_LOG,
        kinds={"duckdb"},
        made_in=__name__,
    ),
    deps=_LOADED,
)
def import_log(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> dg.MaterializeResult[None]:
    """Return the summaries of the month's log of imports as metadata, without values of records."""
    rows = warehouse.query(_SUMMARIES, {"month": parse_month(context.partition_key)})
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": rows.height,
            "fatal": int(rows["is_fatal"].sum()),
            "log": dg.MetadataValue.md("\n".join(f"- {line}" for line in rows["summary"].drop_nulls()) or "–"),
        }
    )


ASSETS = (
    stg_filter_import,
    *(_staging_asset(source) for source in SOURCES),
    stg_import,
    stg_quarantine,
    import_log,
)
