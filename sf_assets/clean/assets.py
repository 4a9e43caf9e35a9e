"""The clean assets: one per table, in dependency order, then the perimeter report and the export of files."""

import dagster as dg

from sf_assets.clean.export import EXPORT, write_tables
from sf_assets.clean.queries import clean_query
from sf_assets.clean.query_asset import query_asset
from sf_assets.clean.report import REPORT, Perimeter, report, write_report
from sf_assets.clean.tables import TABLES
from sf_assets.engine.materialization import asset_arguments, preview_metadata, write_metadata
from sf_assets.engine.resources import FoldersResource, GateResource, ParametersResource, WarehouseResource
from sf_assets.engine.storage import Session
from sf_assets.sources.batch import batch_key
from sf_assets.staging.in_force import in_force
from sf_assets.staging.tables import STAGING
from sf_assets.vocabulary.modes import OPEN
from sf_assets.vocabulary.partitions import cutoff_of, parse_month
from sf_assets.vocabulary.schema import Table

_REPORT = clean_query(REPORT.name)
_EXPORT = clean_query(EXPORT.name)


@dg.asset(
    **asset_arguments(
        REPORT,
        "clean",
        description=_REPORT.header,
        query=_REPORT,
        kinds={"duckdb", "sql", "markdown"},
        made_in=__name__,
        settings=("cutoff_shift_days", "mode", "perimeter_months", "perimeter_recent", "perimeter_staff"),
    ),
    deps=[*_REPORT.reads, STAGING["filter"].name],
)
def perimeter_report(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
    gate: GateResource,
) -> dg.MaterializeResult[None]:
    """Count the companies at each step of the perimeter, and write the report `detail-filtres.md` for public officers."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        explicit = [STAGING["filter"]] if in_force(session, "filter", month) == month else []
        reads = [*map(gate.table, _REPORT.reads), *explicit]
        gate.require(session, [(table.name, month) for table in reads])
        session.bind(dict.fromkeys(reads, month))
        write = session.replace(
            {REPORT: _REPORT.text},
            where={"month": month},
            author=context.run_id,
            message=f"{REPORT.name} {month:%Y-%m}",
        )[REPORT.name]
        seen = preview_metadata(session, REPORT, month)
        session.bind({REPORT: month, **dict.fromkeys(explicit, month)})
        text = report(
            session.connection.execute(f"from {REPORT.name}").pl(),
            Perimeter(
                month=month,
                cutoff=cutoff_of(month, parameters.cutoff_shift_days),
                window=parameters.perimeter_months,
                staff=parameters.perimeter_staff,
                recent=parameters.perimeter_recent,
                explicit=_count(session, explicit[0]) if explicit else None,
                bands=parameters.mode == OPEN,
            ),
        )
    with folders.exports.writing(month) as root:
        path = write_report(text, root / batch_key(month))
    return dg.MaterializeResult(
        metadata=write_metadata(write)
        | seen
        | {"report": dg.MetadataValue.md(text), "path": dg.MetadataValue.path(str(path))}
    )


def _count(session: Session, table: Table) -> int:
    """Return the number of rows of a table bound in the session."""
    return int(session.connection.execute(f"select count(*) from {table.name}").fetchall()[0][0])


@dg.asset(
    **asset_arguments(
        EXPORT, "clean", description=_EXPORT.header, query=_EXPORT, kinds={"duckdb", "sql", "parquet"}, made_in=__name__
    ),
    deps=list(_EXPORT.reads),
)
def clean_export(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource, gate: GateResource
) -> dg.MaterializeResult[None]:
    """Write the month's clean tables as Parquet files, all of them or none."""
    month = parse_month(context.partition_key)
    with warehouse.session() as session:
        gate.require(session, [(name, month) for name in _EXPORT.reads])
        session.bind({gate.table(name): month for name in _EXPORT.reads})
        tables = [gate.table(name) for name in _EXPORT.reads if name not in gate.outside]
        with folders.exports.writing(month) as root:
            folder = root / batch_key(month)
            written = write_tables(session.connection, tables, folder)
        session.connection.register("written", written.to_arrow())
        write = session.replace(
            {EXPORT: f"select counted.*, bytes, sha256 from ({_EXPORT.text}) as counted join written using (file)"},
            where={"month": month},
            author=context.run_id,
            message=f"{EXPORT.name} {month:%Y-%m}",
        )[EXPORT.name]
        seen = preview_metadata(session, EXPORT, month)
        session.bind({EXPORT: month})
        files_of_month = session.connection.execute(f"from {EXPORT.name} order by file").pl()
    return dg.MaterializeResult(
        metadata=write_metadata(write)
        | seen
        | {
            "path": dg.MetadataValue.path(str(folder)),
            "bytes": int(files_of_month["bytes"].sum()),
            "files": dg.MetadataValue.table([dg.TableRecord(row) for row in files_of_month.iter_rows(named=True)]),
        }
    )


ASSETS = (
    *(query_asset(table, clean_query(table.name)) for table in TABLES),
    perimeter_report,
    clean_export,
)
