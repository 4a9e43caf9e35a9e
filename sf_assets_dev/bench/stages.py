"""`make bench`: what each stage of the first month of a new warehouse costs, in seconds, rows per second and memory.

Each stage runs in a process of its own, so that none is charged for what another left in memory, and through Dagster,
in process, as deployed: an operator pays for gates, catalog and event log too. Seconds are those of Dagster's steps;
the wall time adds the start of the processes and what Dagster does between steps. The checks of a stage run in its
process, since what follows waits for them, and are added up apart from the assets, over all stages.

Peak memory is the high-water mark of resident memory that Linux keeps for each process (VmHWM), reset when a step
starts and read when it ends; a stage's is that of its greediest step. It includes the loaded program and what former
steps of the same stage have not given back. The maximum of `getrusage` would not do: it outlives `exec`, so that a
child starts with its parent's.

All is written below one temporary folder (TMPDIR says where), removed at the end. The environment's settings hold, but
for the places of things and the perimeter's window, which learning needs long.
"""

import os
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
from dagster import DagsterEventType, EventLogEntry

from sf_assets.operations.launching import first_known, rows_of
from sf_assets.settings import Settings, warehouse_of
from sf_assets.sources.batch import batch_key
from sf_assets_dev.synthetic import write_batch

STAGES = {
    "sources": dg.AssetSelection.groups("sources"),
    "staging": dg.AssetSelection.groups("staging"),
    "clean": dg.AssetSelection.groups("clean"),
    "features": dg.AssetSelection.groups("features"),
    "target, training": dg.AssetSelection.groups("model") - dg.AssetSelection.assets("model_scores"),
    "scoring": dg.AssetSelection.assets("model_scores"),
    "lists": dg.AssetSelection.groups("lists"),
}
_PERIMETER_MONTHS = 120
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step or a stage costs: rows (lines of files, rows written, rows judged), seconds, peak memory in MiB."""

    name: str
    rows: int
    seconds: float
    peak: float


@dataclass(frozen=True, slots=True)
class Place:
    """What one measure is about, and the folder that holds all it writes."""

    folder: Path
    month: date
    companies: int

    def apart(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Return what `work(place, *arguments)` returns in a new process that knows of no other place."""
        folder = str(self.folder)
        places = {"SF_DATA_DIR": folder, "SF_CATALOG": "", "DAGSTER_HOME": folder, "TMPDIR": folder}
        settings = places | {"SF_PERIMETER_MONTHS": str(_PERIMETER_MONTHS)}
        spawn = get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=_settle, initargs=(settings,)) as pool:
            return pool.submit(work, self, *arguments).result()


def _settle(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def generate(place: Place) -> Cost:
    """Write the month's synthetic files."""
    reset_peak()
    started = time.monotonic()
    folder = place.folder / "incoming" / batch_key(place.month)
    rows = write_batch(folder, month=place.month, companies=place.companies)
    return Cost("generator", sum(rows.values()), time.monotonic() - started, peak())


def run_stage(place: Place, stage: str) -> tuple[list[Cost], list[Cost]]:
    """Run the assets of a stage and their checks; return the costs of the former's steps, and of the latter's."""
    when: dict[str, Any] = {}
    if stage == "features":
        warehouse = warehouse_of(Settings.from_environment())
        first = first_known(warehouse, place.month, _PERIMETER_MONTHS)
        span = {"start": first.isoformat(), "end": place.month.isoformat()}
        when = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in span.items()}}
    return run(place, STAGES[stage], **when)


def run(place: Place, selection: dg.AssetSelection, **when: Any) -> tuple[list[Cost], list[Cost]]:
    """Run assets for the month, or for what `when` says; return the costs of their steps, and of their checks' steps."""
    # Definitions read the environment when they are loaded.
    from sf_assets.definitions import defs  # noqa: PLC0415

    when = when or {"partition_key": place.month.isoformat()}
    run_id = str(uuid.uuid4())
    meter = _Meter()
    (place.folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.get() as instance:
        instance.add_event_listener(run_id, meter)
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=_QUIET,
            raise_on_error=False,
            asset_selection=sorted(selection.resolve(defs.resolve_asset_graph())),
            **when,
        )
    if not result.success:
        failed = ", ".join(event.step_key or "" for event in result.get_step_failure_events())
        raise RuntimeError(f"{selection}: expected every step to succeed, found failed {failed}")
    return meter.made, meter.judged


class _Meter:
    """Listens to a run and keeps the cost of each step."""

    def __init__(self) -> None:
        self.made: list[Cost] = []
        self.judged: list[Cost] = []
        self._rows: dict[str, int] = {}
        self._checked: set[str] = set()

    def __call__(self, entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step, rows = event.step_key, self._rows.get(event.step_key, 0)
        if event.event_type is DagsterEventType.STEP_START:
            reset_peak()
        elif event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._rows[step] = rows_of(event, rows)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked.add(step)
            total: Any = event.asset_check_evaluation_data.metadata["total"].value
            self._rows[step] = max(rows, total)
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            seconds = (event.step_success_data.duration_ms or 0) / 1000
            (self.judged if step in self._checked else self.made).append(Cost(step, rows, seconds, peak()))


def reset_peak() -> None:
    """Forget the highest resident memory of this process so far (proc(5): 5 resets the mark to the current size)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the highest resident memory of this process since the last reset, in MiB."""
    found = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(found.split()[1]) / 1024


def together(name: str, costs: Sequence[Cost]) -> Cost:
    """Return the cost of several steps, one after the other."""
    rows, seconds = sum(cost.rows for cost in costs), sum(cost.seconds for cost in costs)
    return Cost(name, rows, seconds, max(cost.peak for cost in costs))


def heading(first: str) -> tuple[str, str]:
    """Return the two first lines of a table of costs."""
    return (
        f"| {first:<24} | {'rows':>11} | {'seconds':>8} | {'rows/s':>9} | {'peak MiB':>8} |",
        f"|{'-' * 26}|{'-' * 12}:|{'-' * 9}:|{'-' * 10}:|{'-' * 9}:|",
    )


def line(cost: Cost) -> str:
    """Return one cost as a line of a table.

    >>> line(Cost("stg_debit", 1_000_000, 12.5, 600.4))
    '| stg_debit                |   1,000,000 |     12.5 |    80,000 |      600 |'
    """
    rate = cost.rows / cost.seconds if cost.seconds else 0
    return f"| {cost.name:<24} | {cost.rows:>11,} | {cost.seconds:>8.1f} | {rate:>9,.0f} | {cost.peak:>8,.0f} |"
