"""Jobs run in this process, with their progress on the terminal."""

import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from types import MappingProxyType
from typing import Any, Self

import dagster as dg
from dagster import AssetCheckEvaluation, DagsterEvent, DagsterEventType, EventLogEntry
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sf_assets.engine.storage import Warehouse
from sf_assets.features.reach import REACH, first_month
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import months

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# The code location of workspace.yaml, which Dagster names after its module.
CODE_LOCATION = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("sf_assets.definitions"), "__repository__")
_REPOSITORY = ".dagster/repository"
# Whoever launched a run in their process sees it fail: a daemon that runs beside it must not start it again.
_NO_RETRY: Mapping[str, str] = MappingProxyType({"dagster/max_retries": "0"})
_NO_CONFIG: Mapping[str, Any] = MappingProxyType({})


def run_job(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    *,
    first: date,
    last: date | None = None,
    config: Mapping[str, Any] = _NO_CONFIG,
) -> bool:
    """Run a job for the months from `first` to `last`, by default for `first` alone; return whether it succeeded.

    Jobs that compute a range of months together take one run, or one for every `SF_RUN_MONTHS` months. The others take one
    run per month. The first run that fails is the last: a month is compared with those before it.

    `config` is the configuration of its steps.

    Raises:
        UserError: there is no such job, a month has not ended, or the range starts after its end.

    """
    # Jobs without months (status, acceptance, maintenance), and the one that asks who publishes and why, have verbs of their
    # own; Dagster adds a job of all assets.
    jobs = {
        one.name: one
        for one in defs.resolve_all_job_defs()
        if one.partitions_def and not one.name.startswith("__") and (config or one.name != "publish")
    }
    if job not in jobs:
        raise UserError(f"job: expected one of {', '.join(sorted(jobs))}, found {job}")
    last = last or first
    known = months.get_partition_keys()
    if unknown := sorted({month.isoformat() for month in (first, last)} - set(known)):
        raise UserError(f"month: expected months that have ended, found {unknown[0][:7]}")
    keys = [key for key in known if first.isoformat() <= key <= last.isoformat()]
    if not keys:
        raise UserError(
            f"months: expected a range from its earlier month to its later one, found {first:%Y-%m} to {last:%Y-%m}"
        )
    policy = jobs[job].backfill_policy
    size = (policy.max_partitions_per_run or len(keys)) if policy else 1
    runs = [keys[start : start + size] for start in range(0, len(keys), size)]
    succeeded = all(_run(jobs[job], instance, of, {**QUIET, **config}) for of in runs)
    refresh_status(defs, instance)
    return succeeded


def _run(job: dg.JobDefinition, instance: dg.DagsterInstance, keys: Sequence[str], config: Mapping[str, Any]) -> bool:
    """Run a job for a month, or in one run for several; return whether it succeeded."""
    when: dict[str, Any] = {"partition_key": keys[0]}
    if len(keys) > 1:
        bounds = {"start": keys[0], "end": keys[-1]}
        when = {"tags": {f"dagster/asset_partition_range_{end}": key for end, key in bounds.items()}}
    run_id = str(uuid.uuid4())
    title = f"{job.name} {' to '.join(dict.fromkeys(key[:7] for key in (keys[0], keys[-1])))}"
    with Reporter(title, len(job.graph.node_dict)) as steps:
        instance.add_event_listener(run_id, steps)
        return _execute(job, instance, config, run_id=run_id, **when)


def _execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    *,
    tags: Mapping[str, str] = _NO_CONFIG,
    **when: Any,
) -> bool:
    """Run a job in this process; return whether it succeeded. The pages of Dagster show the run beside those of the daemon."""
    origin = CODE_LOCATION.get_job_origin(job.name)
    tags = {**tags, **_NO_RETRY, _REPOSITORY: CODE_LOCATION.get_label()}
    result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False, tags=tags, **when)
    # A run in process names no code location (Dagster 1.13): neither the timeline nor the page of its job would show it.
    instance.run_storage.replace_job_origin(result.dagster_run, origin)
    return result.success


def refresh_status(defs: dg.Definitions, instance: dg.DagsterInstance) -> bool:
    """Materialise `status`, as the daemon does after each run of a month; return whether it could be worked out."""
    from sf_assets.operations.jobs import status_job  # noqa: PLC0415 - loads the assets, which the commands need not

    return _execute(defs.resolve_job_def(status_job.name), instance, QUIET)


class Reporter:
    """Prints one line per step as it ends: rows, seconds, checks passed; for a failure, its message and what to do.

    On a terminal a bar below these lines says how many of the job's steps have ended.
    """

    def __init__(self, title: str, steps: int) -> None:
        self._rows: dict[str, int] = {}
        self._passed: dict[str, list[bool]] = {}
        self._refused: dict[str, list[str]] = {}
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True, markup=False)
        self._bar: Progress | None = None
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.add_task(title, total=steps)
        self._console.print(f"\n{title}")

    def __enter__(self) -> Self:
        self._display: AbstractContextManager[object] = self._bar or nullcontext()
        self._display.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.__exit__(None, None, None)

    def __call__(self, entry: EventLogEntry) -> None:
        """Handle one event of the run."""
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step = event.step_key
        if event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._rows[step] = rows_of(event, self._rows.get(step, 0))
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._judge(step, event.asset_check_evaluation_data)
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            self._end(step, (event.step_success_data.duration_ms or 0) / 1000)
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            failure = event.step_failure_data
            description = failure.user_failure_data.description if failure.user_failure_data else None
            refused = "\n".join(self._refused.get(step, ()))
            self._print(f"  {step} FAILED\n{refused or description or failure.error_display_string}")

    def _judge(self, step: str, result: AssetCheckEvaluation) -> None:
        self._passed.setdefault(step, []).append(result.passed)
        if not result.passed and result.severity is dg.AssetCheckSeverity.ERROR:
            name = f"{result.asset_key.to_user_string()} {result.check_name}"
            advice = result.metadata["advice"].value if "advice" in result.metadata else ""
            self._refused.setdefault(step, []).append(f"    {name}: {result.description} {advice}".rstrip())

    def _end(self, step: str, seconds: float) -> None:
        if checks := self._passed.get(step):
            self._print(f"  {step:<38} {sum(checks):>3} of {len(checks)} passed  {seconds:6.1f} s")
        else:
            self._print(f"  {step_line(step, self._rows.get(step, 0), seconds)}")

    def _print(self, line: str) -> None:
        self._console.print(line)
        if self._bar:
            self._bar.advance(self._bar.task_ids[0])


def rows_of(event: DagsterEvent, before: int) -> int:
    """Return the number of rows that a step wrote so far; its earlier materialisations wrote `before` of them."""
    metadata = event.step_materialization_data.materialization.metadata
    values: dict[str, Any] = {name: value.value for name, value in metadata.items()}
    if "rows" in values:  # In a range of months each partition carries the sum.
        return int(values["rows"])
    return before + int(values.get("dagster/partition_row_count", values.get("lines", 0)))


def step_line(step: str, rows: int, seconds: float) -> str:
    """Return the line that is printed when a step ends; `seconds` is its duration."""
    return f"{step:<38} {rows:>11,} rows  {seconds:6.1f} s"


def first_known(warehouse: Warehouse, month: date, parameters: Parameters) -> date:
    """Return the first month of which a batch tells who was followed, within the perimeter's window."""
    table, column = REACH[parameters.mode]
    oldest = warehouse.query(f"select min({column}) from lake.{table} where month = $month", {"month": month})
    return first_month(oldest.item(), month, parameters)
