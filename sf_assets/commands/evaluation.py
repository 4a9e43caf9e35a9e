"""`sf evaluate` and `sf search`: the backtest of the methods, on a month or on any panel, and the search of their settings."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sf_assets.commands.arguments import MonthArgument, OptionalMonthArgument


def evaluate(
    month: OptionalMonthArgument = None,
    page: Annotated[Path | None, typer.Option(help="Markdown page whose tables are rewritten.")] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Write the report from the warehouse, without a new computation.")
    ] = False,
    table: Annotated[Path | None, typer.Option(help="Parquet or CSV panel to evaluate on, instead of a month.")] = None,
    group: Annotated[str, typer.Option(help="Its column of companies.")] = "",
    period: Annotated[str, typer.Option(help="Its column of periods; none for a table of one period.")] = "",
    target: Annotated[str, typer.Option(help="Its column of outcomes: failed or not.")] = "",
    feature: Annotated[
        list[str] | None, typer.Option(help="One column to learn from, may be repeated; all numeric ones by default.")
    ] = None,
    gap: Annotated[int, typer.Option(help="Periods whose outcome is unknown when the next one is scored.", min=0)] = 0,
) -> None:
    """Backtest the methods of a month that has its list, or on any panel; write the report into `data/evaluation/`.

    Example: `sf evaluate 2026-10 --page docs/evaluation.md`

    Example: `sf evaluate --table panel.parquet --group company --period year --target failed`
    """
    if table:
        _evaluate_table(table, group=group, period=period, target=target, features=feature or (), gap=gap)
        return
    if month is None:
        raise typer.BadParameter("expected a month AAAA-MM, or --table with --group and --target, found neither")
    from sf_assets.operations.evaluation_report import summary, write_report  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    if not report_only:
        from sf_assets.commands.home import instance as open_instance  # noqa: PLC0415
        from sf_assets.definitions import defs  # noqa: PLC0415
        from sf_assets.operations.launching import run_job  # noqa: PLC0415

        with open_instance() as instance:
            if not run_job(defs, instance, "evaluate", first=month):
                raise typer.Exit(1)
    settings = Settings.from_environment()
    report, results = write_report(
        warehouse_of(settings),
        month,
        data=settings.data,
        shift_days=settings.cutoff_shift_days,
        page=page,
        mode=settings.mode,
    )
    sys.stdout.writelines(f"{line}\n" for line in (*summary(results), "", str(report)))


def _evaluate_table(path: Path, *, group: str, period: str, target: str, features: Sequence[str], gap: int) -> None:
    if not group or not target:
        raise typer.BadParameter("--table: expected --group and --target, the names of its columns")
    from sf_assets.evaluation.labelled_table import Names  # noqa: PLC0415
    from sf_assets.evaluation.table_report import summary_lines  # noqa: PLC0415
    from sf_assets.operations.evaluation_report import write_table_report  # noqa: PLC0415
    from sf_assets.settings import Settings  # noqa: PLC0415

    into = Settings.from_environment().data / "evaluation"
    names = Names(group, target, period or None)
    report, evaluation = write_table_report(path, names, features=features, gap=gap, into=into)
    sys.stdout.writelines(f"{line}\n" for line in (*summary_lines(evaluation), "", str(report)))


def search(
    month: MonthArgument,
    method: Annotated[list[str] | None, typer.Option(help="One method instead of all; may be repeated.")] = None,
    rows: Annotated[int, typer.Option(help="About how many rows to search on.")] = 60_000,
) -> None:
    """Compare a few settings of each method on later months of other companies.

    The best values become defaults in the code; no month depends on this verb.

    Example: `sf search 2026-10 --method boosting`
    """
    from sf_assets.operations.search import results  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    settings = Settings.from_environment()
    for line in results(warehouse_of(settings), month, settings.parameters, methods=method or (), at_most=rows):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(evaluate)
    app.command()(search)
