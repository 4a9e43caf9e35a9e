"""The page of the benchmark, line by line, as stages end."""

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
from sf_assets_dev.bench.limits import compare, enlarge, explain_alerts, growth, many_debts, national
from sf_assets_dev.bench.stages import STAGES, Cost, Place, generate, heading, line, run_stage, together


def report(place: Place, costs: list[Cost]) -> Iterator[str]:
    """Measure one size and yield its page, line by line, as stages end; add clean tables and features to `costs`."""
    started = time.monotonic()
    yield from (f"\n## {place.companies:,} companies, month {place.month:%Y-%m}\n", *heading("stage"))
    stages = [place.apart(generate)]
    yield line(stages[0])
    made: dict[str, list[Cost]] = {}
    judged: list[Cost] = []
    for stage in STAGES:
        made[stage], checks = place.apart(run_stage, stage)
        judged += checks
        stages.append(together(stage, made[stage]))
        yield line(stages[-1])
    stages.append(together("checks of all stages", judged))
    yield line(stages[-1])
    whole, wall = together("all", stages), time.monotonic() - started
    yield f"\nIn all {whole.seconds:.0f} s and at most {whole.peak:,.0f} MiB; {wall:.0f} s of wall time."
    yield f"\nLoad averages at the end: {_load()}. Far above the number of cores, they tell of other work."
    for stage in ("staging", "clean"):
        yield from ("", *heading(f"tables of {stage}"))
        yield from (line(cost) for cost in sorted(made[stage], key=lambda cost: -cost.seconds))
    costs.extend([*made["clean"], together("features", made["features"])])


def limits(place: Place) -> Iterator[str]:
    """Measure what is held to a limit, from the files and tables of the largest size."""
    debts = place.apart(many_debts)
    yield f"\n`clean_debit` from {debts.rows:,} staging rows: {debts.seconds:.1f} s, {debts.peak:,.0f} MiB."
    yield from ("", *heading("alerts of a country"))
    yield from (line(cost) for cost in place.apart(explain_alerts))
    yield "\n## Imports of files of the country's size\n"
    yield "Beside a bare `read_csv` of the same files into a table of texts, in memory or kept in a file: best of two turns.\n"
    yield "| source | records | rows written | import, s | peak MiB | in memory, s | share of rate | kept, s | share of rate |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for source, one in compare(enlarge(place)).items():
        shares = [
            f"{bare.seconds:.1f} | {bare.seconds / one.imported.seconds:.2f}" for bare in (one.in_memory, one.kept)
        ]
        yield (
            f"| {source} | {one.in_memory.rows:,} | {one.imported.rows:,} | {one.imported.seconds:.1f} "
            f"| {one.imported.peak:,.0f} | {' | '.join(shares)} |"
        )


def machine() -> str:
    """Return what figures depend on: the machine, what else it does, the engines, what a session may take."""
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
    """Measure each size in a temporary folder of its own; yield the page, line by line, as stages end."""
    yield machine()
    costs: list[list[Cost]] = [[] for _ in companies]
    for size, clean in zip(companies, costs, strict=True):
        with tempfile.TemporaryDirectory(prefix="sf_bench_") as folder:
            place = Place(Path(folder), month, size)
            yield from chain(report(place, clean), *([limits(place)] if size == max(companies) else []))
    if len(costs) > 1:
        yield from growth(costs[0], costs[-1])
        yield national(costs[-1][-1], companies[-1])
