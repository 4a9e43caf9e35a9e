"""The verbs of `sf` that come with a checkout: demonstration, synthetic batches, faults, benchmark, generated pages."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from sf_assets.commands.arguments import DEVELOPMENT, MonthArgument, parse_month_argument

faults = typer.Typer(
    no_args_is_help=True, help="Faults of deliveries and tables: list them, inject one, play them all."
)

_DEMO_MONTH = date(2026, 10, 1)
# Typer would display the default with its day, which the option refuses.
DemoMonth = Annotated[
    date,
    typer.Option(
        "--month",
        parser=parse_month_argument,
        metavar="YYYY-MM",
        help="Month of the batch.",
        show_default=f"{_DEMO_MONTH:%Y-%m}",
    ),
]

Companies = Annotated[int, typer.Option(min=1, help="Companies that ever had ten staff.")]
Seed = Annotated[int, typer.Option(help="Seed of the synthetic world: the same seed gives the same files.")]


def demo(
    month: DemoMonth = _DEMO_MONTH,
    companies: Companies = 4000,
    seed: Seed = 1,
    open_data: Annotated[bool, typer.Option("--open", help="Open data alone, as with SF_MODE=open.")] = False,
) -> None:
    """Run the whole graph on synthetic companies, from files to a list. Running it again changes nothing.

    Examples: `sf demo --companies 1000`, `sf demo --open`
    """
    from sf_assets_dev.demo import run, use_open_data  # noqa: PLC0415

    if open_data:
        use_open_data()
    if not run(month, companies=companies, seed=seed):
        raise typer.Exit(1)


def compare_modes(
    full: Annotated[Path, typer.Argument(help="Data folder of the full mode.")],
    open_data: Annotated[Path, typer.Argument(help="Data folder of open data alone, of the same companies.")],
    month: DemoMonth = _DEMO_MONTH,
    page: Annotated[Path | None, typer.Option(help="Markdown page that receives the tables.")] = None,
) -> None:
    """Compare both modes on the same companies: what protected data add to open data alone.

    Example: `sf compare-modes data/demo data/demo-open --page docs/evaluation.md`
    """
    from sf_assets.vocabulary.modes import FULL, OPEN  # noqa: PLC0415
    from sf_assets_dev.comparison import compare, lines_of, write_section  # noqa: PLC0415

    made = compare({FULL: full, OPEN: open_data}, month)
    sys.stdout.writelines(f"{line}\n" for line in lines_of(made))
    if page:
        write_section(page, made)
        sys.stdout.write(f"section rewritten in {page}\n")


def generate(
    month: MonthArgument,
    into: Annotated[Path, typer.Argument(help="Folder of the batch, such as `data/incoming/2610`.")],
    companies: Companies = 4000,
    seed: Seed = 1,
    years: Annotated[int, typer.Option(help="Years of history in the monthly files.")] = 10,
    oracle: Annotated[Path | None, typer.Option(help="Parquet file for the true risks, outside the batch.")] = None,
    register_share: Annotated[
        float, typer.Option(help="Share of INSEE's whole register to write around the companies, up to 1.")
    ] = 0,
    form: Annotated[
        Literal["parquet", "csv"], typer.Option(help="Form of the files of the whole register.")
    ] = "parquet",
) -> None:
    """Write one month of synthetic files in the producers' formats.

    Examples: `sf generate 2026-10 data/incoming/2610 --companies 500`,
    `sf generate 2026-10 data/incoming/2610 --register-share 0.05`
    """
    from sf_assets_dev.synthetic.batch import write_batch  # noqa: PLC0415
    from sf_assets_dev.synthetic.register.stock import FOLLOWED, write_register  # noqa: PLC0415

    rows = write_batch(into, month=month, companies=companies, seed=seed, years=years, oracle=oracle)
    if register_share:
        stocks = write_register(into, month=month, share=register_share, seed=seed, form=form)
        rows = {name: count for name, count in rows.items() if name not in FOLLOWED} | stocks
    sys.stdout.write(f"{into}: {len(rows)} files, {sum(rows.values()):,} rows\n")


def bench(
    companies: Annotated[list[int] | None, typer.Option(help="A size to measure; may be repeated.")] = None,
    month: DemoMonth = _DEMO_MONTH,
    register_share: Annotated[
        float, typer.Option(help="Share of INSEE's whole register around the largest size, up to 1.")
    ] = 0,
) -> None:
    """Measure seconds, rows per second and memory of each stage, at 4,000 and 50,000 companies by default.

    Examples: `sf bench --companies 1000`, `sf bench --companies 5000 --companies 20000 --register-share 0.06`
    """
    from sf_assets_dev.bench import country, page  # noqa: PLC0415

    wanted, of_month = companies or [4_000, 50_000], month
    lines = country.measure(wanted, of_month, register_share) if register_share else page.measure(wanted, of_month)
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def bench_catalog(
    files: Annotated[list[int] | None, typer.Option(help="Files of a table; may be repeated.")] = None,
) -> None:
    """Measure statements on one month as the files of its table grow in the catalog: 120, 1,000, 5,000 and 20,000 by default.

    Example: `sf bench-catalog --files 5000`
    """
    from sf_assets_dev.bench.catalog import play  # noqa: PLC0415

    for line in play(files or [120, 1_000, 5_000, 20_000]):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def life(
    companies: Companies = 300,
    page: Annotated[Path | None, typer.Option(help="Markdown page that receives the table of mishaps.")] = None,
) -> None:
    """Live three months with their mishaps on a small synthetic world; end with 1 if one did not end well.

    Example: `sf life --companies 100`
    """
    from sf_assets_dev.life.page import play  # noqa: PLC0415

    for line in play(companies=companies, page=page):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def scale(
    month: DemoMonth = _DEMO_MONTH,
    companies: Companies = 1000,
    years: Annotated[int, typer.Option(min=2, help="Years of history in the monthly files.")] = 7,
    seed: Seed = 1,
) -> None:
    """Run a month on PostgreSQL and an object store, its history by two runs at once; end with 1 if a row or byte differs.

    Example: `sf scale --companies 300 --years 3`
    """
    from sf_assets_dev.scale.trial import play  # noqa: PLC0415

    for line in play(month, companies=companies, years=years, seed=seed):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def chaos(
    kills: Annotated[int, typer.Option(min=1, help="Kills on each kind of catalog.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the moments of the kills.")] = 1,
    rows: Annotated[int, typer.Option(min=1, help="Rows of a month of one table.")] = 20_000,
    page: Annotated[Path | None, typer.Option(help="Markdown page that receives the table.")] = None,
) -> None:
    """Kill writers of a warehouse at random moments, disturb its servers; end with 1 if a month was torn or a row doubled.

    Example: `sf chaos --kills 200 --seed 7`
    """
    from sf_assets_dev.chaos.page import play  # noqa: PLC0415

    for line in play(kills=kills, seed=seed, rows=rows, page=page):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def ui(port: Annotated[int, typer.Option(help="Port of the loopback.")] = 3000) -> None:
    """Show the pages of Dagster, behind a proxy that refuses what other sites send, where nginx is installed.

    Example: `sf ui --port 3010`
    """
    from sf_assets_dev.ui import serve  # noqa: PLC0415

    raise typer.Exit(serve(port))


def docs(folder: Annotated[Path, typer.Argument(help="Folder of the pages.")] = Path("docs")) -> None:
    """Write the pages derived from the declarations, and the recorded lineage of columns.

    Example: `sf docs`
    """
    from sf_assets_dev.documentation import write_pages  # noqa: PLC0415

    sys.stdout.writelines(f"{path}\n" for path in write_pages(folder))


@faults.command("list")
def list_faults() -> None:
    """List the faults, with the check that catches each and what to do.

    Example: `sf faults list`
    """
    from sf_assets_dev.faults.trials import described  # noqa: PLC0415

    sys.stdout.writelines(f"{line}\n" for line in described())


@faults.command()
def inject(
    name: Annotated[str, typer.Argument(help="Fault of a file, see `sf faults list`.")],
    month: MonthArgument,
    incoming: Annotated[
        Path | None, typer.Option(help="Folder of batches; by default the one of the settings.")
    ] = None,
) -> None:
    """Put the fault of a file into a batch.

    Example: `sf faults inject debit_cut 2026-10`
    """
    from sf_assets.settings import Settings  # noqa: PLC0415
    from sf_assets_dev.faults.trials import inject_fault  # noqa: PLC0415

    sys.stdout.write(f"{inject_fault(name, incoming or Settings.from_environment().incoming, month)}\n")


@faults.command("run")
def run_faults(
    names: Annotated[list[str] | None, typer.Argument(help="Faults to play; all by default.")] = None,
) -> None:
    """Play faults on a small synthetic world of their own; end with 1 if one was not caught.

    Example: `sf faults run`
    """
    from sf_assets_dev.faults.trials import play  # noqa: PLC0415

    if not play(names or []):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the verbs of a checkout."""
    app.command("compare-modes", rich_help_panel=DEVELOPMENT)(compare_modes)
    app.command("bench-catalog", rich_help_panel=DEVELOPMENT)(bench_catalog)
    for verb in (demo, generate, bench, life, chaos, scale, ui, docs):
        app.command(rich_help_panel=DEVELOPMENT)(verb)
    app.add_typer(faults, name="faults", rich_help_panel=DEVELOPMENT)
