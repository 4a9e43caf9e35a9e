"""`make bench-country`: a first month at the country's size, INSEE's whole register included."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from sf_assets_dev.bench.limits import growth
from sf_assets_dev.bench.page import machine, report
from sf_assets_dev.bench.stages import Cost, Workspace, heading, line, total_cost

_REGISTER = ("sirene", "sirene_ul", "sirene_histo")


def sizes(companies: Sequence[int], register: float) -> list[tuple[int, float]]:
    """Return each number of companies with its share of the register: `register` for the largest, in proportion for others."""
    return [(size, register * size / max(companies)) for size in companies]


def register_cost(costs: Mapping[str, Sequence[Cost]]) -> Cost:
    """Return the cost of the register from its files to clean tables, with the checks of these tables."""
    tables = {f"{layer}_{source}" for layer in ("stg", "clean") for source in _REGISTER}
    steps = tables | {f"{table}_checks" for table in tables}
    return total_cost(
        "register, with its checks",
        [cost for stage in ("staging", "clean", "checks") for cost in costs[stage] if cost.name in steps],
    )


def measure(companies: Sequence[int], month: date, register: float) -> Iterator[str]:
    """Measure each number of companies with its share of the register, in a temporary folder of its own; yield lines."""
    yield machine()
    measured: list[dict[str, list[Cost]]] = []
    for size, share in sizes(companies, register):
        costs: dict[str, list[Cost]] = {}
        with tempfile.TemporaryDirectory(prefix="sf_bench_") as folder:
            yield from report(Workspace(Path(folder), month, size, share), costs)
        costs["register"] = [register_cost(costs)]
        yield from ("", *heading("register"))
        steps = [cost for stage in ("staging", "clean", "checks") for cost in costs[stage] if "_sirene" in cost.name]
        yield from (line(cost) for cost in (*sorted(steps, key=lambda cost: -cost.processor), *costs["register"]))
        measured.append(costs)
    if len(measured) > 1:
        small, large = (
            [*costs["register"], *costs["stages"], *costs["staging"], *costs["clean"]]
            for costs in (measured[0], measured[-1])
        )
        yield from growth("Growth between the sizes", small, large)
