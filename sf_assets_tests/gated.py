"""A graph of two assets behind the gate, small enough to see every way through it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckPartitionInfo

from sf_assets.engine.quality.checks import checks_for
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.engine.quality.verdicts import check_months, record_verdicts, require_passed
from sf_assets.engine.resources import WarehouseResource
from sf_assets.engine.storage import Warehouse
from sf_assets.vocabulary.failures import Blocked
from sf_assets.vocabulary.schema import Column, Rule, Table, between

MONTHS = dg.MonthlyPartitionsDefinition("2026-01-01", end_date="2026-07-01")
FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
JUDGED_AT = datetime(2026, 4, 3, 6, 30, tzinfo=UTC)
GOOD, BAD, ODD = 1.0, -1.0, 5000.0
ADVICE = "Ask URSSAF for the file again."

UP = Table(
    "up",
    "one debt",
    (Column("siret", "VARCHAR", "establishment"), Column("montant", "DOUBLE", "what is owed", unit="€")),
    key=("siret",),
    rules=(
        between("montant", 0, None, ADVICE),
        Rule(
            "montant_usual", "ExpectColumnMeanToBeBetween", {"column": "montant", "max_value": 1000}, ADVICE, "warning"
        ),
    ),
    may_be_empty=True,
)


class GatedGraph:
    """A graph of two assets with its warehouse and its instance; `amounts` is what `up` writes for each month."""

    def __init__(self, folder: Path) -> None:
        self.warehouse = Warehouse(str(folder / "catalog.sqlite"), str(folder / "tables"), threads=1)
        self.suite = suite_of(UP)
        self.amounts: dict[date, float] = {}
        self.attempts: list[date] = []
        self.reached: list[date] = []

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """The instance of the graph's runs, made for tests that run it: it takes as long as three writes."""
        return dg.DagsterInstance.ephemeral()

    def write(self, *months: date, amount: float = GOOD, rows: int = 4) -> None:
        query = "select lpad(i::varchar, 14, '0') as siret, $amount::double as montant from range($rows) t(i)"
        with self.warehouse.session() as session:
            for month in months:
                values = {"amount": amount, "rows": rows}
                session.replace({UP: query}, where={"month": month}, author="test", message="test", parameters=values)

    def check(self, *months: date, run_id: str = "run") -> None:
        with self.warehouse.session() as session:
            verdicts = check_months(session, self.suite, months)
            record_verdicts(session, "up", verdicts, run_id=run_id, judged_at=JUDGED_AT)

    def obstacles(self, *months: date) -> list[str]:
        """Return what the gate answers to who reads these months, line by line: nothing when it is open."""
        try:
            with self.warehouse.session() as session:
                require_passed(session, [("up", month) for month in months], {"up": self.suite})
        except Blocked as blocked:
            return str(blocked.description).splitlines()[1:]
        return []

    def run(self, *assets: str, month: date = MARCH) -> dg.ExecuteInProcessResult:
        return self._execute(dg.AssetSelection.assets(*assets), partition_key=month.isoformat())

    def recheck(self, *assets: str, first: date = MARCH, last: date = MARCH) -> dg.ExecuteInProcessResult:
        """Run the checks of `up` without writing it again, and these assets, for a range of months."""
        selection = dg.AssetSelection.checks_for_assets("up") | dg.AssetSelection.assets(*assets)
        return self._execute(selection, tags=_range(first, last))

    def check_alone(self, name: str, *, month: date | None = MARCH) -> dg.ExecuteInProcessResult:
        """Run one check of `up`, as the button of its page does, which names no month."""
        check = frozenset({dg.AssetCheckKey(dg.AssetKey("up"), name)})
        whole = self._definitions().resolve_implicit_global_asset_job_def()
        job = whole.get_subset(asset_selection=frozenset(), asset_check_selection=check)
        return job.execute_in_process(
            instance=self.instance, raise_on_error=False, partition_key=month.isoformat() if month else None
        )

    def backfill(self, *assets: str, first: date, last: date) -> dg.ExecuteInProcessResult:
        return self._execute(dg.AssetSelection.assets(*assets), tags=_range(first, last))

    def _execute(self, selection: dg.AssetSelection, **months: object) -> dg.ExecuteInProcessResult:
        job = self._definitions(selection).resolve_job_def("job")
        return job.execute_in_process(instance=self.instance, raise_on_error=False, **months)  # type: ignore[arg-type]

    def _definitions(self, selection: dg.AssetSelection | None = None) -> dg.Definitions:
        single_run = dg.BackfillPolicy.single_run()

        @dg.asset(partitions_def=MONTHS, backfill_policy=single_run)
        def up(context: dg.AssetExecutionContext) -> None:
            for key in context.partition_keys:
                month = date.fromisoformat(key)
                self.write(month, amount=self.amounts[month])

        @dg.asset(
            partitions_def=MONTHS, backfill_policy=single_run, deps=[up], retry_policy=dg.RetryPolicy(max_retries=2)
        )
        def down(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> None:
            wanted = [date.fromisoformat(key) for key in context.partition_keys]
            self.attempts += wanted
            with warehouse.session() as session:
                require_passed(session, [("up", month) for month in wanted], {"up": self.suite})
            self.reached += wanted

        return dg.Definitions(
            assets=[up, down],
            asset_checks=[checks_for(self.suite, MONTHS)],
            resources={"warehouse": self.warehouse},
            jobs=[dg.define_asset_job("job", selection)] if selection else [],
        )

    def statuses(self, check: str) -> dict[str | None, str]:
        """Return the last status of a check for each partition, as Dagster's pages and automation see it."""
        return {info.partition_key: info.latest_execution_status.value for info in self._infos(check)}

    def all_current(self, check: str) -> bool:
        """Return whether the last results of a check are about the last materialisation of each partition."""
        return all(info.is_current for info in self._infos(check))

    def _infos(self, check: str) -> Sequence[AssetCheckPartitionInfo]:
        key = dg.AssetCheckKey(dg.AssetKey("up"), check)
        return self.instance.event_log_storage.get_asset_check_partition_info([key])


def _range(first: date, last: date) -> dict[str, str]:
    return {
        f"dagster/asset_partition_range_{end}": month.isoformat() for end, month in (("start", first), ("end", last))
    }
