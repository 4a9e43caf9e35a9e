"""The asset that shows where every month stands, whatever is blocked, and the check that the month due is there."""

import dagster as dg

from sf_assets.engine.charts.svg import embedded
from sf_assets.engine.materialization import OWNERS, column_schema
from sf_assets.engine.resources import FoldersResource, WarehouseResource, run_created_at
from sf_assets.operations.charts import arrivals_of
from sf_assets.operations.status import STATUS, months_with_something, page, record, standings
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
    description=f"One row is {STATUS.grain}. It depends on nothing, so that it can be computed when everything else is "
    "blocked; a run of it follows each run of a month, and it is looked at again every morning.",
    metadata={
        "dagster/column_schema": column_schema(STATUS),
        "dagster/table_name": f"lake.{STATUS.name}",
        "one_row_is": STATUS.grain,
    },
)
def status(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, folders: FoldersResource
) -> dg.MaterializeResult[None]:
    """Work out where every month stands, keep it, and show it on one page."""
    with warehouse.session() as session:
        months = months_with_something(session, folders.incoming)
        found = standings(session, folders.incoming, months)
        if found:
            record(session, found, author=context.run_id)
        calendar = arrivals_of(session, months)
    states = [one.state for one in found]
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.md("\n".join(page(found)) if found else "Nothing was delivered yet."),
            "arrivals": dg.MetadataValue.md(embedded(calendar, "arrivals by source and month")),
            "dagster/row_count": len(found),
            "months": len(months),
            "blocked": states.count("blocked"),
            "waiting": states.count("waiting"),
            "accepted": sum(len(one.accepted) for one in found),
        }
    )


@dg.asset_check(
    asset=STATUS.name,
    description=f"The list of the month due is there: last month's from the {DUE_DAY + 1}th on, the one before until then. "
    "Look at the page of `status` for what blocks it or which file it waits for.",
)
def latest_month_there(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Look whether the lists of the month due are done, as of the day of the run."""
    due = month_due(run_created_at(context.instance, context.run.run_id).astimezone(PARIS).date())
    with warehouse.session() as session:
        session.bind({STATUS: due})
        found = session.connection.execute("select state, detail from status where layer = 'lists'").fetchone()
    state, detail = found or ("no batch", "")
    return dg.AssetCheckResult(
        passed=state == "done",
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"The list of {due:%Y-%m} is {'there' if state == 'done' else f'not there: {_told(state, detail)}'}.",
        metadata={"month": f"{due:%Y-%m}", "state": state, "late": int(state != "done")},
    )


def _told(state: str, detail: str | None) -> str:
    return f"{state}, {detail}" if detail else state


ASSETS = (status,)
CHECKS = (latest_month_there,)
