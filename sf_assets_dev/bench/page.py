"""The output of the benchmark, yielded line by line as stages end."""

import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from pathlib import Path

import dagster as dg
import duckdb

from sf_assets.settings import Settings
from sf_assets_dev.bench.limits import clean_many_debts, compare, enlarge, estimate_for_country, explain_alerts, growth
from sf_assets_dev.bench.stages import STAGES, Cost, Workspace, generate, heading, line, run_stage, total_cost


def report(workspace: Workspace, costs: dict[str, list[Cost]]) -> Iterator[str]:
    """Measure one size and yield its lines; add to `costs` those of the tables of each stage, of `checks` and of `stages`."""
    started = time.monotonic()
    register = f", {workspace.register:.1%} of the register" if workspace.register else ""
    yield f"\n## {workspace.companies:,} companies{register}, month {workspace.month:%Y-%m}\n"
    yield from heading("stage")
    stages = [workspace.in_new_process(generate)]
    yield line(stages[0])
    made: dict[str, list[Cost]] = {}
    checked: list[Cost] = []
    for stage in STAGES:
        made[stage], checks = workspace.in_new_process(run_stage, stage)
        checked += checks
        stages.append(total_cost(stage, made[stage]))
        yield line(stages[-1])
    stages.append(total_cost("checks of all stages", checked))
    yield line(stages[-1])
    whole, wall = total_cost("all", stages), time.monotonic() - started
    yield f"\nIn all {whole.seconds:.0f} s and at most {whole.peak:,.0f} MiB; {wall:.0f} s of wall time."
    yield f"\nLoad averages at the end: {_load()}. Far above the number of cores, they mean that other programs ran."
    for stage in ("staging", "clean"):
        yield from ("", *heading(f"tables of {stage}"))
        yield from (line(cost) for cost in sorted(made[stage], key=lambda cost: -cost.seconds))
    costs |= made | {"checks": checked, "stages": stages}


def limits(workspace: Workspace) -> Iterator[str]:
    """Run the measurements that have a limit, on the files and tables of the largest size, and yield their lines."""
    debts = workspace.in_new_process(clean_many_debts)
    yield f"\n`clean_debit` from {debts.rows:,} staging rows: {debts.seconds:.1f} s, {debts.peak:,.0f} MiB."
    yield from ("", *heading("alerts of a country"))
    yield from (line(cost) for cost in workspace.in_new_process(explain_alerts))
    yield "\n## Imports of files of the country's size\n"
    yield "Beside a plain `read_csv` of the same files into a table of texts, in memory or in a file: best of two turns.\n"
    yield "| source | records | rows written | import, s | peak MiB | in memory, s | share of rate | kept, s | share of rate |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for source, costs in compare(enlarge(workspace)).items():
        shares = [
            f"{bare.seconds:.1f} | {bare.seconds / costs.imported.seconds:.2f}"
            for bare in (costs.in_memory, costs.kept)
        ]
        yield (
            f"| {source} | {costs.in_memory.rows:,} | {costs.imported.rows:,} | {costs.imported.seconds:.1f} "
            f"| {costs.imported.peak:,.0f} | {' | '.join(shares)} |"
        )


def machine() -> str:
    """Return a description of the machine, its load, the versions of the engines, and the limits of a session."""
    settings = Settings.from_environment()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, load averages at the start {_load()}; "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, Dagster {dg.__version__}; "
        f"{settings.threads} threads and {settings.memory_limit} for a warehouse session."
    )


def _load() -> str:
    return "{:.1f}, {:.1f}, {:.1f}".format(*os.getloadavg())


def measure(companies: Sequence[int], month: date) -> Iterator[str]:
    """Measure each number of companies in a temporary folder of its own; yield lines as stages end."""
    yield machine()
    costs: list[dict[str, list[Cost]]] = [{} for _ in companies]
    for size, clean in zip(companies, costs, strict=True):
        with tempfile.TemporaryDirectory(prefix="sf_bench_") as folder:
            workspace = Workspace(Path(folder), month, size)
            yield from chain(report(workspace, clean), *([limits(workspace)] if size == max(companies) else []))
    if len(costs) > 1:
        small, large = ([*cost["clean"], total_cost("features", cost["features"])] for cost in (costs[0], costs[-1]))
        yield from growth("Growth of the clean tables and of the features", small, large)
        yield estimate_for_country(large[-1], companies[-1])
