"""Jobs beside those of a month: acceptance, publication and its proof, maintenance of the warehouse, refresh of the status."""

from datetime import date

import dagster as dg
from pydantic import Field

from sf_assets.engine.quality.checks import POOL
from sf_assets.engine.resources import (
    FoldersResource,
    GateResource,
    ParametersResource,
    WarehouseResource,
    run_created_at,
)
from sf_assets.engine.storage.maintenance import LEAST_MONTHS
from sf_assets.operations.acceptance import CannotAccept, accept
from sf_assets.operations.assets import GROUP
from sf_assets.operations.automation import RUN_KIND
from sf_assets.operations.maintenance import run_maintenance
from sf_assets.operations.reruns import rerun_command
from sf_assets.operations.retention import run_retention
from sf_assets.publication.assets import JOB as PUBLISH
from sf_assets.publication.assets import REBUILT
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.partitions import PARIS, parse_month

_UPKEEP = {RUN_KIND: "upkeep"}


class AcceptanceConfig(dg.Config):
    """A failed check to allow for one month."""

    asset: str = Field(description="asset whose check failed")
    check: str = Field(description="name of the failed check")
    month: str = Field(description="month of the batch, YYYY-MM", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    reason: str = Field(description="reason for which the month may go on")
    by: str = Field(description="name of the person who answers for it")


@dg.op(description="Record the acceptance of one failed check for one month; the next write of its rows ends it.")
def accept_failed_check(
    context: dg.OpExecutionContext, config: AcceptanceConfig, warehouse: WarehouseResource, gate: GateResource
) -> None:
    """Store an acceptance, or fail with the reason why it cannot be stored."""
    known = gate.suites.keys() - gate.outside
    if config.asset not in known:
        raise PermanentFailure(f"asset: expected one of {', '.join(sorted(known))}, found {config.asset}")
    month: date = parse_month(f"{config.month}-01")
    with warehouse.session() as session:
        try:
            acceptance = accept(
                session,
                gate.suites[config.asset],
                config.check,
                month,
                reason=config.reason,
                accepted_by=config.by,
                accepted_at=run_created_at(context.instance, context.run_id),
            )
        except CannotAccept as error:
            raise PermanentFailure(str(error)) from error
    command = rerun_command(month, after=[acceptance.asset])
    context.log.info(
        f"{acceptance.asset}, {acceptance.check_name} accepted for {acceptance.month:%Y-%m}: {acceptance.unexpected_count} of "
        f"{acceptance.element_count}. Materialise what follows {acceptance.asset}, without itself"
        + (f": {command}" if command else ".")
    )


@dg.job(tags=_UPKEEP, description="Allow a failed check for one month, with a reason and a name.")
def accept_check() -> None:
    """Accept one failed check."""
    accept_failed_check()


class MaintenanceConfig(dg.Config):
    """Settings of a maintenance; by default a dry run."""

    dry_run: bool = Field(default=True, description="only count what would be done")
    keep_months: int = Field(default=LEAST_MONTHS, ge=LEAST_MONTHS, description="months of snapshots that are retained")


@dg.op(
    description="Merge small files, expire snapshots older than the retained months, remove unreferenced files and "
    "what killed runs left. Writers wait meanwhile. Back up the catalog and the files first.",
    pool=POOL,
)
def maintain_warehouse(
    context: dg.OpExecutionContext, config: MaintenanceConfig, warehouse: WarehouseResource, folders: FoldersResource
) -> None:
    """Run the maintenance of the warehouse, or count what it would do."""
    done = run_maintenance(
        warehouse,
        folders,
        at=run_created_at(context.instance, context.run_id),
        keep_months=config.keep_months,
        dry_run=config.dry_run,
    )
    for warning in done.warnings():
        context.log.warning(warning)
    context.add_output_metadata(done.metadata)
    context.log.info(done.summary)


@dg.job(tags=_UPKEEP, description="Maintenance of the warehouse; a dry run unless its configuration says otherwise.")
def maintenance() -> None:
    """Maintain the warehouse."""
    maintain_warehouse()


status_job = dg.define_asset_job(
    "refresh_status",
    tags=_UPKEEP,
    selection=dg.AssetSelection.groups(GROUP),
    description="Refresh the state of every month, and check that the list of the month due exists.",
)

# After the night, before people come.
morning_refresh = dg.ScheduleDefinition(
    name="morning_refresh", job=status_job, cron_schedule="0 7 * * *", execution_timezone=str(PARIS)
)

publish_job = dg.define_asset_job(
    PUBLISH,
    tags={RUN_KIND: "month"},
    selection=dg.AssetSelection.groups("publication"),
    description="Publish a month's list, with a name and a reason: its files are frozen, then made again to prove them.",
)

proof_job = dg.define_asset_job(
    "prove_published",
    tags=_UPKEEP,
    selection=dg.AssetSelection.checks(REBUILT),
    description="Make the newest published list again from its snapshot and model, and compare every byte.",
)

# After the month's list is due, in the night.
monthly_proof = dg.ScheduleDefinition(
    name="monthly_proof", job=proof_job, cron_schedule="0 5 20 * *", execution_timezone=str(PARIS)
)


class RetentionConfig(dg.Config):
    """Settings of a retention; by default a dry run."""

    dry_run: bool = Field(default=True, description="only count what would be removed")


def require_no_month(instance: dg.DagsterInstance) -> None:
    """Refuse to go on while a run of months works: where several share the pool, it does not keep them away.

    Raises:
        PermanentFailure: names the runs.

    """
    working = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    if runs := instance.get_runs(dg.RunsFilter(statuses=working, tags={RUN_KIND: "month"})):
        raise PermanentFailure(
            f"retention: expected no run of a month meanwhile, found {', '.join(run.run_id for run in runs)}. Launch it again "
            "when they have ended: nothing was removed, or only what is past its time."
        )


@dg.op(
    description="Remove rows, snapshots and folders past their time, then scan the files of the warehouse for what they named. "
    "Nothing else may run meanwhile.",
    pool=POOL,
)
def remove_expired(
    context: dg.OpExecutionContext,
    config: RetentionConfig,
    warehouse: WarehouseResource,
    folders: FoldersResource,
    parameters: ParametersResource,
) -> None:
    """Run the retention, or count what it would remove."""
    at = run_created_at(context.instance, context.run_id)
    if not config.dry_run:
        require_no_month(context.instance)
    done = run_retention(
        warehouse,
        folders.data,
        at=at,
        dry_run=config.dry_run,
        dropped=parameters.dropped_by_table(),
        shelves=folders.by_name,
    )
    context.add_output_metadata(done.metadata)
    for line in done.lines():
        context.log.info(line)
    if not done.clean:
        raise PermanentFailure(
            f"retention: expected no expired identifier on disk, found some in {len(done.left)} files and {done.in_catalog} "
            "statistics of the catalog."
        )


@dg.job(
    tags=_UPKEEP, description="Removal of what is past its time; a dry run unless its configuration says otherwise."
)
def retention() -> None:
    """Remove what is past its time."""
    remove_expired()


JOBS = (status_job, accept_check, maintenance, publish_job, proof_job, retention)
