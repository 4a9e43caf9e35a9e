"""A job run from a command line, and what the operator sees of it as it goes."""

import argparse
import sys
import uuid
from datetime import date

import dagster as dg
from dagster import DagsterEventType, EventLogEntry

from sf_assets.operations.steps import rows_told
from sf_assets.vocabulary.partitions import months, parse_month

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def ended_month(text: str) -> date:
    """Return the month of a command's argument; refuse one that has not ended."""
    if f"{text}-01" not in months.get_partition_keys():
        raise argparse.ArgumentTypeError(f"expected a month AAAA-MM that has ended, found {text!r}")
    return parse_month(f"{text}-01")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_job(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    job: str,
    *,
    partition_key: str | None = None,
    tags: dict[str, str] | None = None,
) -> bool:
    """Run a job for a month, or for the range of months of `tags`; return whether it succeeded."""
    say(f"\n{job} {partition_key or ' to '.join((tags or {}).values())}")
    run_id = str(uuid.uuid4())
    progress = _Progress()
    instance.add_event_listener(run_id, progress)
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        run_id=run_id,
        run_config=_QUIET,
        raise_on_error=False,
        partition_key=partition_key,
        tags=tags,
    )
    return result.success


class _Progress:
    """Prints one line per step as it ends: rows, seconds, checks passed; for a failure, its message."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._passed: dict[str, list[bool]] = {}

    def __call__(self, entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step = event.step_key
        if event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._rows[step] = rows_told(event, self._rows.get(step, 0))
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._passed.setdefault(step, []).append(event.asset_check_evaluation_data.passed)
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            self._tell(step, (event.step_success_data.duration_ms or 0) / 1000)
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            failure = event.step_failure_data
            told = failure.user_failure_data.description if failure.user_failure_data else None
            say(f"  {step} FAILED\n{told or failure.error_display_string}")

    def _tell(self, step: str, seconds: float) -> None:
        if checks := self._passed.get(step):
            say(f"  {step:<38} {sum(checks):>3} of {len(checks)} passed  {seconds:6.1f} s")
        else:
            say(f"  {line(step, self._rows.get(step, 0), seconds)}")


def line(step: str, rows: int, seconds: float) -> str:
    """Return what is printed of a step that ended."""
    return f"{step:<38} {rows:>11,} rows  {seconds:6.1f} s"
