"""`sf evaluate` and `sf search`: the backtest of the methods, on a month or on any panel, and the search of their settings."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sf_assets.commands.arguments import LISTS, OptionalMonthArgument

if TYPE_CHECKING:
    from sf_assets.model.columns import Names

TableOption = Annotated[Path | None, typer.Option(help="Parquet or CSV panel of anyone, instead of a month.")]
GroupOption = Annotated[str, typer.Option(help="Its column of companies.")]
PeriodOption = Annotated[str, typer.Option(help="Its column of periods; none for a table of one period.")]
TargetOption = Annotated[str, typer.Option(help="Its column of outcomes: failed or not.")]
FeatureOption = Annotated[
    list[str] | None,
    typer.Option(help="One column to learn from, may be repeated; all numbers and categories by default."),
]
RatiosOption = Annotated[bool, typer.Option("--ratios", help="Add the ratios of its numeric columns, for raw amounts.")]
GapOption = Annotated[int, typer.Option(help="Periods whose outcome is unknown when the next one is scored.", min=0)]


def evaluate(
    month: OptionalMonthArgument = None,
    page: Annotated[Path | None, typer.Option(help="Markdown page whose tables are rewritten.")] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Write the report from the warehouse, without a new computation.")
    ] = False,
    table: TableOption = None,
    group: GroupOption = "",
    period: PeriodOption = "",
    target: TargetOption = "",
    feature: FeatureOption = None,
    ratios: RatiosOption = False,
    gap: GapOption = 0,
) -> None:
    """Backtest the methods of a month that has its list, or on any panel; write the report into `data/evaluation/`.

    Example: `sf evaluate 2026-10 --page docs/evaluation.md`

    Example: `sf evaluate --table panel.parquet --group company --period year --target failed`
    """
    if table:
        _evaluate_table(table, _names(group, target, period), features=feature or (), ratios=ratios, gap=gap)
        return
    if month is None:
        raise typer.BadParameter("expected a month YYYY-MM, or --table with --group and --target, found neither")
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
        folders=settings.folders,
        shift_days=settings.cutoff_shift_days,
        page=page,
    )
    sys.stdout.writelines(f"{line}\n" for line in (*summary(results), "", str(report)))
    if page:
        sys.stdout.write(f"tables rewritten in {page}\n")


def _names(group: str, target: str, period: str) -> "Names":
    if not group or not target:
        raise typer.BadParameter("--table: expected --group and --target, the names of its columns")
    from sf_assets.model.columns import Names  # noqa: PLC0415

    return Names(group, target, period or None)


def _evaluate_table(path: Path, names: "Names", *, features: Sequence[str], ratios: bool, gap: int) -> None:
    from sf_assets.evaluation.table_report import summary_lines  # noqa: PLC0415
    from sf_assets.operations.evaluation_report import write_table_report  # noqa: PLC0415
    from sf_assets.settings import Settings  # noqa: PLC0415

    # Of no month and no deployment: it stays on this machine.
    into = Settings.from_environment().data / "evaluation"
    report, evaluation = write_table_report(path, names, features=features, ratios=ratios, gap=gap, into=into)
    sys.stdout.writelines(f"{line}\n" for line in (*summary_lines(evaluation), "", str(report)))


def search(
    month: OptionalMonthArgument = None,
    method: Annotated[list[str] | None, typer.Option(help="One method instead of all; may be repeated.")] = None,
    rows: Annotated[int, typer.Option(help="About how many rows of a month to search on.")] = 60_000,
    table: TableOption = None,
    group: GroupOption = "",
    period: PeriodOption = "",
    target: TargetOption = "",
    feature: FeatureOption = None,
    ratios: RatiosOption = False,
    gap: GapOption = 0,
) -> None:
    """Compare a few settings of each method on later months of other companies, of France or of any panel.

    The best values become defaults in the code; no month depends on this verb.

    Example: `sf search 2026-10 --method boosting`

    Example: `sf search --table panel.parquet --group company --period year --target failed`
    """
    from sf_assets.operations.search import results, table_results  # noqa: PLC0415
    from sf_assets.settings import Settings, warehouse_of  # noqa: PLC0415

    if table:
        named = _names(group, target, period)
        lines = table_results(table, named, features=feature or (), ratios=ratios, gap=gap, methods=method or ())
    elif month:
        settings = Settings.from_environment()
        lines = results(warehouse_of(settings), month, settings.parameters, methods=method or (), at_most=rows)
    else:
        raise typer.BadParameter("expected a month YYYY-MM, or --table with --group and --target, found neither")
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command(rich_help_panel=LISTS)(evaluate)
    app.command(rich_help_panel=LISTS)(search)
