"""Batches through the graph as it is deployed, in process, with a warehouse and an instance of their own."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl

from sf_assets.catalogue.tables import SUITES
from sf_assets.definitions import defs
from sf_assets.engine.storage import Warehouse
from sf_assets.operations.launching import QUIET
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.batch import batch_key

# What tells one run from another; everything else must be the same when a month is run again.
_OF_THE_RUN = {
    "check_verdicts": ["run_id", "judged_at", "snapshot"],
    "asset_inputs": ["snapshot"],
    "model_fitted": ["version", "features_snapshot", "target_snapshot"],
}


class Place:
    """One deployment below a folder, as `SF_DATA_DIR` would make it."""

    def __init__(self, folder: Path, **settings: object) -> None:
        # Tests run two at a time on two cores.
        self.settings = Settings(data_dir=folder, threads=1, **settings)  # type: ignore[arg-type]
        self.instance = dg.DagsterInstance.ephemeral()
        resources = resources_for(self.settings)
        self.warehouse: Warehouse = resources["warehouse"]  # type: ignore[assignment]
        self.definitions = dg.Definitions(
            assets=defs.assets,
            asset_checks=defs.asset_checks,
            jobs=defs.jobs,
            resources=resources,
            executor=dg.in_process_executor,
        )

    def batch(self, month: date) -> Path:
        """Return the folder of a month's files."""
        return self.settings.data_dir / "incoming" / batch_key(month)

    def run(self, job: str, month: date, config: dict[str, dict[str, str]] | None = None) -> "Run":
        """Run a job for one month; `config` holds the configuration of its steps by name."""
        steps = {name: {"config": given} for name, given in (config or {}).items()}
        return self._execute(self.definitions.resolve_job_def(job), {"ops": steps}, partition_key=month.isoformat())

    def prove(self) -> "Run":
        """Run the job that makes the newest published list again."""
        return self._execute(self.definitions.resolve_job_def("prove_published"))

    def run_range(self, job: str, first: date, last: date) -> "Run":
        """Run a job for a range of months, in one run."""
        bounds = {"start": first.isoformat(), "end": last.isoformat()}
        tags = {f"dagster/asset_partition_range_{end}": key for end, key in bounds.items()}
        return self._execute(self.definitions.resolve_job_def(job), tags=tags)

    def build(self, month: date, *assets: str) -> "Run":
        """Materialise some assets of one month, with their checks, as from the page of the assets."""
        return self._execute(
            self.definitions.resolve_implicit_global_asset_job_def(),
            partition_key=month.isoformat(),
            asset_selection=[dg.AssetKey(name) for name in assets],
        )

    def judge(self, month: date, asset: str) -> "Run":
        """Run the checks of an asset alone, as the gate asks for."""
        checks = frozenset(dg.AssetCheckKey(dg.AssetKey(asset), check.name) for check in SUITES[asset].checks)
        whole = self.definitions.resolve_implicit_global_asset_job_def()
        job = whole.get_subset(asset_selection=frozenset(), asset_check_selection=checks)
        return self._execute(job, partition_key=month.isoformat())

    def _execute(self, job: dg.JobDefinition, config: dict[str, object] | None = None, **what: object) -> "Run":
        run_config = {**QUIET, **(config or {})}
        result = job.execute_in_process(instance=self.instance, run_config=run_config, raise_on_error=False, **what)  # type: ignore[arg-type]
        return Run(self, result)

    def rows(self, table: str, month: date) -> pl.DataFrame:
        """Return the rows of a month, in the order of all columns, without what tells one run from another."""
        frame = self.warehouse.query(f"select * from lake.{table} where month = $month", {"month": month})
        frame = frame.drop(_OF_THE_RUN.get(table, []))
        return frame.sort(frame.columns)

    def content(self, month: date, tables: Iterable[str]) -> dict[str, pl.DataFrame]:
        """Return the rows of several tables for a month."""
        return {table: self.rows(table, month) for table in tables}

    def tables(self) -> list[str]:
        """Return the names of the stored tables."""
        found = self.warehouse.query("select table_name from duckdb_tables() where database_name = 'lake' order by 1")
        return found["table_name"].to_list()


class Run:
    """What became of one run."""

    def __init__(self, place: Place, result: dg.ExecuteInProcessResult) -> None:
        self.success = result.success
        self.failures = {event.step_key: _told(event.step_failure_data) for event in result.get_step_failure_events()}
        self.materialized = {
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        }
        self.refused = {
            evaluation.asset_key.to_user_string(): evaluation
            for evaluation in result.get_asset_check_evaluations()
            if not evaluation.passed
        }
        # Dagster itself says, in the name of a step that never starts, why it leaves it out: no step says that.
        started = {event.step_key for event in result.all_events if event.is_step_start}
        entries = place.instance.all_logs(result.run_id)
        said = [entry for entry in entries if entry.dagster_event is None and entry.step_key in started]
        self.warnings = [entry.user_message for entry in said if entry.level == 30]
        self.errors = [entry.user_message for entry in said if entry.level == 40]
        self.metadata = {
            event.asset_key.to_user_string(): {
                name: value.value for name, value in event.materialization.metadata.items()
            }
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }


def _told(data: object) -> str:
    """Return what an operator reads of a failed step: the description of a failure, otherwise the error with its stack."""
    failure = getattr(data, "user_failure_data", None)
    return str(failure.description if failure else data.error_display_string)  # type: ignore[attr-defined]
