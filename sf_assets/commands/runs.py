"""`sf run`: a job of a month, run in this process with its progress on the terminal."""

from typing import Annotated

import typer

from sf_assets.commands.arguments import MonthArgument, UntilOption

_JOBS = (
    "`monthly` (a whole month), `batch` (from files to clean tables), `history` (features that models learn from), `score` "
    "(from features to the list), `evaluate` (once a year) or `wide` (columns of former months, for experiments)."
)


def run(
    job: Annotated[str, typer.Argument(help=_JOBS)],
    month: MonthArgument,
    until: UntilOption = None,
) -> None:
    """Run a job for a month, or for the months from the first to `--until`, in this process.

    The daemon of `dagster dev` runs the same jobs from the schedule and the sensor; this verb needs no daemon.

    Examples: `sf run monthly 2026-10`, `sf run history 2016-05 --until 2026-09`
    """
    from sf_assets.commands.home import instance as open_instance  # noqa: PLC0415
    from sf_assets.definitions import defs  # noqa: PLC0415
    from sf_assets.operations.launching import run_job  # noqa: PLC0415

    with open_instance() as instance:
        if not run_job(defs, instance, job, first=month, last=until):
            raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(run)
