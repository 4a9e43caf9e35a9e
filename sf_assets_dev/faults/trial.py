"""Trials: a fault is played on a good month, the reaction of the gates is observed, and the good data is delivered again."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.verdicts import require_passed
from sf_assets.engine.storage import Session
from sf_assets.sources.batch import batch_key, source_of
from sf_assets.sources.log import LOG
from sf_assets.staging.tables import IMPORTS, QUARANTINE
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.deployment import Deployment
from sf_assets_dev.faults.description import Fault, FileFault
from sf_assets_dev.faults.injection import VERSIONS, spoil_file, spoil_table

_SHARED = ("stg_filter_import", "stg_filter", "stg_admin_urssaf")
# A source that no fault changes and that is quick to read.
_OTHER = "src_ccsf"


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of a trial.

    `caught`: the expected check failed, and blocks. `stopped`: nothing downstream was written for the month, and the gate
    names that check. `others_ran`: another source of the month was written, and the month before stayed readable.
    `cleared`: a good delivery opened the gate again and restored the former rows. `gate_message` is the line of the gate's
    message about that check.
    """

    fault: Fault
    caught: bool
    stopped: bool
    others_ran: bool
    cleared: bool
    gate_message: str

    @property
    def succeeded(self) -> bool:
        """Whether the fault was caught, stopped and cleared, without stopping anything else."""
        return self.caught and self.stopped and self.others_ran and self.cleared


def play_fault(deployment: Deployment, fault: Fault, month: date) -> Trial:
    """Play a fault on a month whose checks all pass, and restore the month."""
    if isinstance(fault, FileFault):
        # Tables above the fault may be older than a file that another trial has restored.
        above = dg.AssetSelection.assets(fault.asset).upstream(include_self=False) & dg.AssetSelection.groups(
            "staging", "clean"
        )
        names = sorted(deployment.names_of(above))
        with deployment.warehouse.session() as session:
            outdated = _obstacles(session, month, *names)
        if outdated:
            deployment.build(month, *names)
    before = _StateBefore(deployment, fault, month)
    path = before.path
    if isinstance(fault, FileFault):
        spoil_file(fault, deployment.incoming, month)
        spoiled = deployment.build(month, *path, _OTHER)
        with deployment.warehouse.session() as session:
            others_ran = _OTHER in spoiled.written and not _obstacles(session, month, _OTHER)
    else:
        spoil_table(fault, deployment.warehouse, month)
        spoiled = deployment.run_checks(month, fault.asset)
        others_ran = True
    with deployment.warehouse.session() as session:
        message = _obstacles(session, month, fault.asset)
        stopped = f"{fault.asset}, {month:%Y-%m}: {fault.check} " in message and before.untouched(session)
        others_ran = others_ran and not _obstacles(session, add_months(month, -1), fault.asset)
    before.restore()
    repaired = deployment.build(month, *path, *before.shared)
    with deployment.warehouse.session() as session:
        cleared = repaired.success and not _obstacles(session, month, fault.asset) and before.same(session)
    line = next((text for text in message.splitlines() if f": {fault.check} " in text), "")
    return Trial(
        fault, fault.check in spoiled.blocking(fault.asset), stopped, others_ran, cleared, line.removeprefix("- ")
    )


def downstream_of(deployment: Deployment, asset: str) -> set[str]:
    """Return the names of all assets downstream of an asset."""
    return deployment.names_of(dg.AssetSelection.assets(asset).downstream(include_self=False))


def _path(deployment: Deployment, first: str, last: str) -> list[str]:
    """Return the assets on the way from one to another, both included, with assets that the same step makes."""
    between = dg.AssetSelection.assets(first).downstream() & dg.AssetSelection.assets(last).upstream()
    return sorted(deployment.names_of(between.required_multi_asset_neighbors()))


def _obstacles(session: Session, month: date, *assets: str) -> str:
    """Return the gate's message to a reader of the assets; empty when the gate is open."""
    try:
        require_passed(session, [(asset, month) for asset in assets], SUITES)
    except Blocked as blocked:
        return str(blocked.description)
    return ""


class _StateBefore:
    """The state before a fault: the file, the rows of the asset, the last writes of the assets downstream."""

    def __init__(self, deployment: Deployment, fault: Fault, month: date) -> None:
        self._month = month
        self._fault = fault
        self._file: Path | None = None
        self.path = _path(deployment, fault.asset, "list_export")
        # Inputs shared by all sources: they must be computed again, or the gate finds other sources stale.
        self.shared: list[str] = []
        if isinstance(fault, FileFault):
            source = source_of(fault.file)
            if source is None:
                raise ValueError(f"{fault.name}: expected the name of a known file, found {fault.file}")
            self._file = deployment.incoming / batch_key(month) / fault.file
            # A hidden file is not part of the batch.
            shutil.copy2(self._file, self._file.with_name(f".kept.{fault.file}"))
            self.path = _path(deployment, f"src_{source.name}", fault.asset)
            reached = {name for last in _SHARED for name in _path(deployment, f"src_{source.name}", last)}
            self.shared = sorted(reached.difference(self.path))
        self._below = downstream_of(deployment, fault.asset) - _SHARED_TABLES
        with deployment.warehouse.session() as session:
            ((self._snapshot,),) = session.connection.execute("from lake.current_snapshot()").fetchall()
            self._rows = self._content(session)

    def restore(self) -> None:
        """Restore the good file."""
        if self._file is not None:
            self._file.with_name(f".kept.{self._file.name}").replace(self._file)

    def untouched(self, session: Session) -> bool:
        """Return whether no asset downstream was written since."""
        written = {name for (name,) in session.connection.execute(_WRITTEN, [self._snapshot]).fetchall()}
        return written.isdisjoint(self._below)

    def same(self, session: Session) -> bool:
        """Return whether the asset has the same rows as before."""
        return self._content(session) == self._rows

    def _content(self, session: Session) -> tuple[int, int]:
        """Return the number of rows of the asset and the sum of their hashes; of the last version when there are several."""
        suite = SUITES[self._fault.asset]
        if suite.table is None:
            raise ValueError(f"{self._fault.asset}: expected a table, found none")
        columns = [name for name in suite.table.column_names if name not in _RUN_COLUMNS]
        scope = "".join(f" and {column} = '{value}'" for column, value in suite.scope.items())
        for version in VERSIONS.intersection(suite.table.key):
            scope += f" and {version} = (select max({version}) from lake.{suite.table.name} where month = $month)"
        ((rows, digest),) = session.connection.execute(
            f"select count(*), sum(hash({', '.join(columns)})::hugeint) from lake.{suite.table.name} "
            f"where month = $month{scope}",
            {"month": self._month},
        ).fetchall()
        return rows, digest


_WRITTEN = """
    with changes as (
        select distinct unnest(flatten(map_values(changes))) as id from lake.snapshots() where snapshot_id > $1
    )
    select table_name from ducklake_table_info('lake') join changes on id = table_id::varchar
"""
# Tables in which every source writes rows of its own.
_SHARED_TABLES = {IMPORTS.name, QUARANTINE.name, LOG.name}
# Columns that differ from one run to another.
# A file put back has the bytes and the date of before, and its own time of change.
_RUN_COLUMNS = {"model_version", "features_snapshot", "target_snapshot", "changed_at", *VERSIONS}
