"""`make bench`: cost of each stage of the first month of a new warehouse, in seconds, rows per second and memory.

Each stage runs in a process of its own, so that its memory excludes what other stages left. It runs through Dagster, in
process, as deployed, so that gates, catalog and event log are included. Seconds are those of Dagster's steps; the wall time
adds the start of processes and the work of Dagster between steps. The checks of a stage run in its process, since later
assets wait for them, and are added up separately from the assets, over all stages.

Peak memory is the high-water mark of resident memory that Linux records for each process (VmHWM), reset when a step
starts and read when it ends; the peak of a stage is that of its most demanding step. It includes the loaded program and
memory that earlier steps of the stage have not released. The maximum of `getrusage` is unusable: it survives `exec`, so
that a child process starts with the maximum of its parent.

Everything is written below one temporary folder (in TMPDIR), removed at the end. Settings come from the environment,
except for folders and the perimeter's window, which must be long enough to train models.
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

from sf_assets.operations.launching import QUIET, first_known
from sf_assets.operations.progress import rows_of
from sf_assets.settings import Settings, warehouse_of
from sf_assets.sources.batch import batch_key
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.register.stock import FOLLOWED, write_register

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
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a step or a stage: rows (lines of files, rows written, rows checked), seconds, peak memory in MiB.

    `processor` is the seconds of all cores together, in this process.
    """

    name: str
    rows: int
    seconds: float
    peak: float
    processor: float = 0.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder of one measurement, with its month, number of companies and share of INSEE's whole register."""

    folder: Path
    month: date
    companies: int
    register: float = 0.0

    def in_new_process(self, work: Callable[..., _T], *arguments: object) -> _T:
        """Call `work(workspace, *arguments)` in a new process whose settings point to this folder, and return its result."""
        folder = str(self.folder)
        folders = {"SF_DATA_DIR": folder, "SF_CATALOG": "", "DAGSTER_HOME": folder, "TMPDIR": folder}
        settings = folders | {"SF_PERIMETER_MONTHS": str(_PERIMETER_MONTHS)}
        spawn = get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=_set_environment, initargs=(settings,)) as pool:
            return pool.submit(work, self, *arguments).result()


def _set_environment(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def generate(workspace: Workspace) -> Cost:
    """Write the month's synthetic files."""
    reset_peak()
    started, used = time.monotonic(), time.process_time()
    folder = workspace.folder / "incoming" / batch_key(workspace.month)
    rows = write_batch(folder, month=workspace.month, companies=workspace.companies)
    if workspace.register:
        stocks = write_register(folder, month=workspace.month, share=workspace.register)
        rows = {name: count for name, count in rows.items() if name not in FOLLOWED} | stocks
    return Cost("generator", sum(rows.values()), time.monotonic() - started, peak(), time.process_time() - used)


def run_stage(workspace: Workspace, stage: str) -> tuple[list[Cost], list[Cost]]:
    """Run the assets of a stage and their checks; return the costs of the asset steps, then of the check steps."""
    when: dict[str, Any] = {}
    if stage == "features":
        settings = Settings.from_environment()
        warehouse = warehouse_of(settings)
        first = first_known(warehouse, workspace.month, settings.parameters)
        span = {"start": first.isoformat(), "end": workspace.month.isoformat()}
        when = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in span.items()}}
    return run(workspace, STAGES[stage], **when)


def run(workspace: Workspace, selection: dg.AssetSelection, **when: Any) -> tuple[list[Cost], list[Cost]]:
    """Run assets for the month, or for the partitions in `when`; return the costs of asset steps, then of check steps.

    Raises:
        RuntimeError: a step failed.

    """
    # Imported late: definitions read the environment when they are loaded.
    from sf_assets.definitions import defs  # noqa: PLC0415

    when = when or {"partition_key": workspace.month.isoformat()}
    run_id = str(uuid.uuid4())
    recorder = _CostRecorder()
    (workspace.folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.get() as instance:
        instance.add_event_listener(run_id, recorder)
        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=QUIET,
            raise_on_error=False,
            asset_selection=sorted(selection.resolve(defs.resolve_asset_graph())),
            **when,
        )
    if not result.success:
        failed = ", ".join(event.step_key or "" for event in result.get_step_failure_events())
        raise RuntimeError(f"{selection}: expected every step to succeed, found failed {failed}")
    return recorder.made, recorder.checked


class _CostRecorder:
    """Listener of a run that records the cost of each step."""

    def __init__(self) -> None:
        self.made: list[Cost] = []
        self.checked: list[Cost] = []
        self._rows: dict[str, int] = {}
        self._checked: set[str] = set()
        self._used = 0.0

    def __call__(self, entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step, rows = event.step_key, self._rows.get(event.step_key, 0)
        if event.event_type is DagsterEventType.STEP_START:
            reset_peak()
            self._used = time.process_time()
        elif event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._rows[step] = rows_of(event, rows)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked.add(step)
            total = event.asset_check_evaluation_data.metadata.get("total")
            self._rows[step] = max(rows, int(str(total.value)) if total else 0)
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            seconds = (event.step_success_data.duration_ms or 0) / 1000
            cost = Cost(step, rows, seconds, peak(), time.process_time() - self._used)
            (self.checked if step in self._checked else self.made).append(cost)


def reset_peak() -> None:
    """Reset the peak resident memory of this process to its current size (proc(5): writing 5 does that)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Return the highest resident memory of this process since the last reset, in MiB."""
    field = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(field.split()[1]) / 1024


def total_cost(name: str, costs: Sequence[Cost]) -> Cost:
    """Return the cost of several steps run in sequence: rows and seconds add up, the peak is the highest."""
    rows, seconds = sum(cost.rows for cost in costs), sum(cost.seconds for cost in costs)
    return Cost(name, rows, seconds, max(cost.peak for cost in costs), sum(cost.processor for cost in costs))


def heading(first: str) -> tuple[str, str]:
    """Return the header of a table of costs: two lines of Markdown."""
    return (
        f"| {first:<24} | {'rows':>11} | {'seconds':>8} | {'of cores':>8} | {'rows/s':>9} | {'peak MiB':>8} |",
        f"|{'-' * 26}|{'-' * 12}:|{'-' * 9}:|{'-' * 9}:|{'-' * 10}:|{'-' * 9}:|",
    )


def line(cost: Cost) -> str:
    """Return a cost as a row of a Markdown table.

    >>> line(Cost("stg_debit", 1_000_000, 12.5, 600.4, 20.25))
    '| stg_debit                |   1,000,000 |     12.5 |     20.2 |    80,000 |      600 |'
    """
    rate = cost.rows / cost.seconds if cost.seconds else 0
    seconds = f"{cost.seconds:>8.1f} | {cost.processor:>8.1f}"
    return f"| {cost.name:<24} | {cost.rows:>11,} | {seconds} | {rate:>9,.0f} | {cost.peak:>8,.0f} |"
