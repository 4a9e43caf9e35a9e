"""`sf run`: a job of a month, run in this process with its progress on the terminal."""

from typing import Annotated

import typer

from sf_assets.commands.arguments import MONTH, MonthArgument, UntilOption

_JOBS = (
    "`monthly` (a whole month), `batch` (from files to clean tables), `history` (features that models learn from), `score` "
    "(from features to the list), `evaluate` (once a year) or `wide` (columns of former months, for experiments)."
)

StartsOption = Annotated[
    list[str] | None,
    typer.Option("--from", metavar="ASSET", help="Run this asset and what follows it; may be repeated."),
]
AfterOption = Annotated[
    list[str] | None,
    typer.Option("--after", metavar="ASSET", help="Run what follows this asset, without it; may be repeated."),
]


def run(
    job: Annotated[str, typer.Argument(help=_JOBS)],
    month: MonthArgument,
    until: UntilOption = None,
    starts: StartsOption = None,
    after: AfterOption = None,
) -> None:
    """Run a job for a month, or for the months from the first to `--until`, in this process.

    With `--from`, only an asset and everything that follows it: after a corrected file, its source. With `--after`, only
    what follows it: after an acceptance. What these need and was never run for the month is run too. When features of
    earlier months were computed from the batch of the month, job `monthly` runs those that it made stale again too.

    The daemon of `dagster dev` runs the same jobs from the schedule and the sensor; this verb needs no daemon.

    Examples: `sf run monthly 2026-10`, `sf run history 2016-05 --until 2026-09`, `sf run monthly 2026-10 --from src_debit`,
    `sf run monthly 2026-10 --after stg_debit`
    """
    from sf_assets.commands.home import instance as open_instance  # noqa: PLC0415
    from sf_assets.definitions import defs  # noqa: PLC0415
    from sf_assets.operations.launching import run_from, run_job  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    if (starts or after) and until:
        raise typer.BadParameter("expected one month with --from and --after, found --until")
    with open_instance() as instance:
        if until:
            done = run_job(defs, instance, job, first=month, last=until)
        else:
            warehouse = warehouse_of(Settings.from_environment())
            done = run_from(defs, instance, warehouse, job, month=month, starts=starts or (), after=after or ())
        if not done:
            raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=MONTH)(run)
