"""A fault played on a deployment: a good month, the fault, what the gates do, and the good delivery again."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.verdicts import require_passed
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.settings import Settings, resources_for
from sf_assets.sources.batch import batch_key, source_of
from sf_assets.sources.log import LOG
from sf_assets.staging.tables import IMPORTS, QUARANTINE
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.faults.description import Fault, FileFault
from sf_assets_dev.faults.injection import VERSIONS, spoil_file, spoil_table

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_SHARED = ("stg_filter_import", "stg_filter", "stg_admin_urssaf")
# A source that no fault touches, and whose arrival costs little.
_OTHER = "src_ccsf"


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one run: the assets written, the checks that refused, by asset."""

    success: bool
    written: frozenset[str]
    refused: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a fault met.

    `caught`: its check refused, and blocks; `stopped`: nothing downstream was written for the month, and the gate says
    which check holds it; `went_on`: another branch of the month was written, and the month before stayed open;
    `cleared`: a good delivery opened the gate, with the rows of before. `told` is what the gate says to an operator.
    """

    fault: Fault
    caught: bool
    stopped: bool
    went_on: bool
    cleared: bool
    told: str

    @property
    def held(self) -> bool:
        """Whether everything went as it must."""
        return self.caught and self.stopped and self.went_on and self.cleared


class Deployment:
    """One deployment below the data folder of `settings`, whose runs are made in this process and kept nowhere else."""

    def __init__(self, settings: Settings) -> None:
        from sf_assets.definitions import defs  # noqa: PLC0415 - loads every layer, which listing faults does not need

        resources = resources_for(settings)
        self.incoming = settings.data_dir.absolute() / "incoming"
        self.warehouse: Warehouse = resources["warehouse"]  # type: ignore[assignment]
        self._instance = dg.DagsterInstance.ephemeral()
        self._definitions = dg.Definitions(
            assets=defs.assets,
            asset_checks=defs.asset_checks,
            jobs=defs.jobs,
            resources=resources,
            executor=dg.in_process_executor,
        )
        self._graph = self._definitions.resolve_asset_graph()

    def run(self, job: str, month: date) -> Run:
        """Run a job for one month."""
        return self._execute(self._definitions.resolve_job_def(job), month)

    def build(self, month: date, assets: Sequence[str]) -> Run:
        """Materialise some assets of one month, with their checks."""
        keys = [dg.AssetKey(name) for name in assets]
        return self._execute(self._definitions.resolve_implicit_global_asset_job_def(), month, asset_selection=keys)

    def judge(self, month: date, asset: str) -> Run:
        """Run the checks of an asset alone."""
        checks = frozenset(dg.AssetCheckKey(dg.AssetKey(asset), check.name) for check in SUITES[asset].checks)
        whole = self._definitions.resolve_implicit_global_asset_job_def()
        return self._execute(whole.get_subset(asset_selection=frozenset(), asset_check_selection=checks), month)

    def downstream(self, asset: str) -> set[str]:
        """Return every asset that depends on one."""
        return self._names(dg.AssetSelection.assets(asset).downstream(include_self=False))

    def path(self, first: str, last: str) -> list[str]:
        """Return the assets between two, both included, with those that are only made together with them."""
        between = dg.AssetSelection.assets(first).downstream() & dg.AssetSelection.assets(last).upstream()
        return sorted(self._names(between.required_multi_asset_neighbors()))

    def _names(self, selection: dg.AssetSelection) -> set[str]:
        return {key.to_user_string() for key in selection.resolve(self._graph)}

    def _execute(self, job: dg.JobDefinition, month: date, asset_selection: list[dg.AssetKey] | None = None) -> Run:
        result = job.execute_in_process(
            instance=self._instance,
            run_config=_QUIET,
            raise_on_error=False,
            partition_key=month.isoformat(),
            asset_selection=asset_selection,
        )
        refused: dict[str, tuple[str, ...]] = {}
        for found in result.get_asset_check_evaluations():
            if not found.passed and found.severity is dg.AssetCheckSeverity.ERROR:
                asset = found.asset_key.to_user_string()
                refused[asset] = (*refused.get(asset, ()), found.check_name)
        written = frozenset(
            event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key
        )
        return Run(result.success, written, refused)


def try_fault(deployment: Deployment, fault: Fault, month: date) -> Trial:
    """Play a fault on a month that is sound, and leave the month as it was."""
    kept = _Kept(deployment, fault, month)
    path = kept.path
    if isinstance(fault, FileFault):
        spoil_file(fault, deployment.incoming, month)
        spoiled = deployment.build(month, [*path, _OTHER])
        with deployment.warehouse.session() as session:
            went_on = _OTHER in spoiled.written and not _obstacles(session, _OTHER, month)
    else:
        spoil_table(fault, deployment.warehouse, month)
        spoiled = deployment.judge(month, fault.asset)
        went_on = True
    caught = spoiled.refused.get(fault.asset, ())
    with deployment.warehouse.session() as session:
        told = _obstacles(session, fault.asset, month)
        stopped = f"{fault.asset}, {month:%Y-%m}: {fault.check} " in told and kept.untouched(session)
        went_on = went_on and not _obstacles(session, fault.asset, add_months(month, -1))
    kept.restore()
    mended = deployment.build(month, [*path, *kept.shared])
    with deployment.warehouse.session() as session:
        cleared = mended.success and not _obstacles(session, fault.asset, month) and kept.same(session)
    line = next((one for one in told.splitlines() if f": {fault.check} " in one), "")
    return Trial(fault, fault.check in caught, stopped, went_on, cleared, line.removeprefix("- "))


def _obstacles(session: Session, asset: str, month: date) -> str:
    """Return what the gate answers to who would read an asset; nothing when it is open."""
    try:
        require_passed(session, [(asset, month)], SUITES)
    except Blocked as blocked:
        return str(blocked.description)
    return ""


class _Kept:
    """What stood before a fault: the file, the rows of the asset, the last writes of what depends on it."""

    def __init__(self, deployment: Deployment, fault: Fault, month: date) -> None:
        self._month = month
        self._fault = fault
        self._file: Path | None = None
        self.path = deployment.path(fault.asset, "list_export")
        # What every other source is read with, and would find stale.
        self.shared: list[str] = []
        if isinstance(fault, FileFault):
            source = source_of(fault.file)
            if source is None:
                raise ValueError(f"{fault.name}: expected the name of a known file, found {fault.file}")
            self._file = deployment.incoming / batch_key(month) / fault.file
            # Hidden, so that no batch lists it.
            shutil.copy2(self._file, self._file.with_name(f".kept.{fault.file}"))
            self.path = deployment.path(f"src_{source.name}", fault.asset)
            reached = {name for last in _SHARED for name in deployment.path(f"src_{source.name}", last)}
            self.shared = sorted(reached.difference(self.path))
        self._below = deployment.downstream(fault.asset) - _LEDGERS
        with deployment.warehouse.session() as session:
            ((self._snapshot,),) = session.connection.execute("from lake.current_snapshot()").fetchall()
            self._rows = self._content(session)

    def restore(self) -> None:
        """Put the good file back, as it was."""
        if self._file is not None:
            self._file.with_name(f".kept.{self._file.name}").replace(self._file)

    def untouched(self, session: Session) -> bool:
        """Tell whether nothing that depends on the asset was written since."""
        written = {name for (name,) in session.connection.execute(_WRITTEN, [self._snapshot]).fetchall()}
        return written.isdisjoint(self._below)

    def same(self, session: Session) -> bool:
        """Tell whether the asset holds the rows it held."""
        return self._content(session) == self._rows

    def _content(self, session: Session) -> tuple[int, int]:
        """Return how many rows the asset has and a sum of what they hold, in their last version where there are some."""
        suite = SUITES[self._fault.asset]
        if suite.table is None:
            raise ValueError(f"{self._fault.asset}: expected a table, found none")
        columns = [name for name in suite.table.column_names if name not in _OF_THE_RUN]
        scope = "".join(f" and {column} = '{value}'" for column, value in suite.scope.items())
        for version in VERSIONS.intersection(suite.table.key):
            scope += f" and {version} = (select max({version}) from lake.{suite.table.name} where month = $month)"
        ((rows, held),) = session.connection.execute(
            f"select count(*), sum(hash({', '.join(columns)})::hugeint) from lake.{suite.table.name} "
            f"where month = $month{scope}",
            {"month": self._month},
        ).fetchall()
        return rows, held


_WRITTEN = """
    with changes as (
        select distinct unnest(flatten(map_values(changes))) as id from lake.snapshots() where snapshot_id > $1
    )
    select table_name from ducklake_table_info('lake') join changes on id = table_id::varchar
"""
# Every source writes its own rows of them.
_LEDGERS = {IMPORTS.name, QUARANTINE.name, LOG.name}
# What tells one run from another.
_OF_THE_RUN = {"model_version", "features_snapshot", "target_snapshot", *VERSIONS}
