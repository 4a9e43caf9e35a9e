"""What operators launch beside the months: an acceptance, the upkeep of the warehouse, the look at every month."""

from datetime import date

import dagster as dg
from pydantic import Field

from sf_assets.catalogue.tables import SUITES
from sf_assets.engine.quality.checks import POOL
from sf_assets.engine.resources import FoldersResource, WarehouseResource, run_created_at
from sf_assets.engine.storage.maintenance import LEAST_MONTHS
from sf_assets.operations.acceptance import CannotAccept, accept
from sf_assets.operations.assets import GROUP
from sf_assets.operations.maintenance import run_maintenance
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.partitions import PARIS, parse_month


class AcceptanceConfig(dg.Config):
    """A failed check to allow for one month."""

    asset: str = Field(description="asset whose check failed")
    check: str = Field(description="name of the failed check")
    month: str = Field(description="month of the batch, AAAA-MM", pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    reason: str = Field(description="why the month goes on all the same")
    by: str = Field(description="name of who answers for it")


@dg.op(description="Record the acceptance of one failed check for one month; the next write of its rows ends it.")
def accept_failed_check(context: dg.OpExecutionContext, config: AcceptanceConfig, warehouse: WarehouseResource) -> None:
    """Record an acceptance, or say why there is none."""
    if config.asset not in SUITES:
        raise PermanentFailure(f"asset: expected one of {', '.join(sorted(SUITES))}, found {config.asset}")
    month: date = parse_month(f"{config.month}-01")
    with warehouse.session() as session:
        try:
            given = accept(
                session,
                SUITES[config.asset],
                config.check,
                month,
                reason=config.reason,
                accepted_by=config.by,
                accepted_at=run_created_at(context.instance, context.run_id),
            )
        except CannotAccept as error:
            raise PermanentFailure(str(error)) from error
    context.log.info(
        f"{given.asset}, {given.check_name} accepted for {given.month:%Y-%m}: {given.unexpected_count} of "
        f"{given.element_count}. Materialise what follows {given.asset}: selection key:{given.asset}+ without itself."
    )


@dg.job(description="Let a month go on although a check refuses it, with a reason and a name.")
def accept_check() -> None:
    """Accept one failed check."""
    accept_failed_check()


class MaintenanceConfig(dg.Config):
    """How far maintenance goes: by default a dry run."""

    dry_run: bool = Field(default=True, description="say what would be done, do nothing")
    keep_months: int = Field(default=LEAST_MONTHS, ge=LEAST_MONTHS, description="months of snapshots to keep")


@dg.op(
    description="Merge small files, forget snapshots older than the months kept, remove files nobody reads any more, and what "
    "killed runs left. Writers wait meanwhile. Save the catalog and the files before.",
    pool=POOL,
)
def maintain_warehouse(
    context: dg.OpExecutionContext, config: MaintenanceConfig, warehouse: WarehouseResource, folders: FoldersResource
) -> None:
    """Maintain the warehouse, or say what that would do."""
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


@dg.job(description="Upkeep of the warehouse; a dry run unless its configuration says otherwise.")
def maintenance() -> None:
    """Maintain the warehouse."""
    maintain_warehouse()


status_job = dg.define_asset_job(
    "look",
    selection=dg.AssetSelection.groups(GROUP),
    description="Where every month stands, and whether the month due is there.",
)

# After the night, before people come.
morning_look = dg.ScheduleDefinition(
    name="morning_look", job=status_job, cron_schedule="0 7 * * *", execution_timezone=str(PARIS)
)

JOBS = (status_job, accept_check, maintenance)
