"""The asset `status`, which gives the state of every month, and the check that the list of the month due exists."""

import dagster as dg

from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import OWNERS, column_schema
from sf_assets.engine.resources import FoldersResource, ParametersResource, WarehouseResource, run_created_at
from sf_assets.engine.storage.blanking import files_with_values
from sf_assets.engine.storage.maintenance import MOST_FILES, crowded_tables
from sf_assets.engine.storage.retention import needed_files
from sf_assets.operations.charts import arrivals_of
from sf_assets.operations.status import STATUS, known_months, layer_statuses, record_statuses, status_page
from sf_assets.publication.versions import published_snapshots
from sf_assets.vocabulary.partitions import DUE_DAY, PARIS, month_due
from sf_assets.vocabulary.version import VERSION

GROUP = "cockpit"


@dg.asset(
    key=STATUS.name,
    group_name=GROUP,
    owners=list(OWNERS),
    kinds={"duckdb", "python"},
    tags={"confidentiality": "aggregates"},
    code_version=VERSION,
    description=f"One row is {STATUS.grain}. It has no inputs, so that it can be computed when everything else is "
    "blocked. It is refreshed after each run of a month, and every morning.",
    metadata={
        "dagster/column_schema": column_schema(STATUS),
        "dagster/table_name": f"lake.{STATUS.name}",
        "one_row_is": STATUS.grain,
    },
)
def status(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource
) -> dg.MaterializeResult[None]:
    """Compute the state of every month, store it, and return it as a page."""
    with warehouse.session() as session:
        delivered = folders.incoming.names()
        months = known_months(session, delivered)
        statuses = layer_statuses(session, delivered, months, folders.mode)
        if statuses:
            record_statuses(session, statuses, author=context.run_id)
        calendar = arrivals_of(session, months)
    states = [item.state for item in statuses]
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.md("\n".join(status_page(statuses)) if statuses else "No file was delivered yet."),
            "arrivals": dg.MetadataValue.md(embedded(calendar, "arrivals by source and month")),
            "dagster/row_count": len(statuses),
            "months": len(months),
            "blocked": states.count("blocked"),
            "waiting": states.count("waiting"),
            "accepted": sum(len(item.accepted) for item in statuses),
        }
    )


@dg.asset_check(
    asset=STATUS.name,
    description=f"The list of the month due exists: last month's from the {DUE_DAY + 1}th on, before that the one before it. "
    "The page of `status` names the check that blocks it or the file it waits for.",
)
def latest_month_there(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Check that the lists of the month due are done, as of the day of the run."""
    due = month_due(run_created_at(context.instance, context.run.run_id).astimezone(PARIS).date())
    with warehouse.session() as session:
        session.bind({STATUS: due})
        row = session.connection.execute("select state, detail from status where layer = 'lists'").fetchone()
    state, detail = row or ("no batch", "")
    return dg.AssetCheckResult(
        passed=state == "done",
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"The list of {due:%Y-%m} is {'there' if state == 'done' else f'not there: {_describe(state, detail)}'}.",
        metadata={"month": f"{due:%Y-%m}", "state": state, "late": int(state != "done")},
    )


@dg.asset_check(
    asset=STATUS.name,
    description="No Parquet file of the warehouse holds a value of a column that the deployment drops, except files that a "
    "published list is rebuilt from.",
)
def dropped_columns_absent(warehouse: WarehouseResource, parameters: ParametersResource) -> dg.AssetCheckResult:
    """Read the dropped columns in every file on disk."""
    dropped = parameters.dropped_columns
    if not dropped:
        return dg.AssetCheckResult(passed=True, description="No column is dropped.")
    with warehouse.session() as session:
        needed = needed_files(session, published_snapshots(session))
        left = files_with_values(session, parameters.dropped_by_table(), needed)
    found = f"{len(left)} files still hold values" if left else "no file holds a value"
    return dg.AssetCheckResult(
        passed=not left,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{', '.join(dropped)}: {found}." + (" Run sf retention --apply." if left else ""),
        metadata={"files": len(left)},
    )


@dg.asset_check(
    asset=STATUS.name,
    description=f"No table has more than {MOST_FILES:,} files: the catalog is asked for all of them by each statement.",
)
def few_files(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Count the files of each table."""
    with warehouse.session() as session:
        crowded = crowded_tables(session)
    listed = ", ".join(f"{table} has {files:,} files" for table, files in crowded.items())
    return dg.AssetCheckResult(
        passed=not crowded,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{listed}: run sf maintenance --apply, which merges the small ones."
        if crowded
        else f"No table has more than {MOST_FILES:,} files.",
        metadata={"tables": len(crowded), "files": sum(crowded.values())},
    )


def _describe(state: str, detail: str | None) -> str:
    return f"{state}, {detail}" if detail else state


ASSETS = (status,)
CHECKS = (latest_month_there, dropped_columns_absent, few_files)
