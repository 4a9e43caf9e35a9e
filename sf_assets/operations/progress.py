"""What the terminal says of a run: the step that is running, with its seconds, and one line per step as it ends.

On a terminal, bars below these lines say how many steps have ended and which one runs. Elsewhere a step that lasts is named
after half a minute, and then every five minutes.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from threading import Event, Thread
from typing import Any, Self

import dagster as dg
from dagster import AssetCheckEvaluation, DagsterEvent, DagsterEventType, EventLogEntry
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sf_assets.operations.reruns import once_corrected


def _marks() -> Iterator[int]:
    """Yield the seconds after which a step that still runs is named again."""
    return chain((30,), count(300, 300))


class RunningStep:
    """Calls `say` with a line about a step that still runs after each of `marks`, in seconds; silent about a short step."""

    def __init__(self, say: Callable[[str], None], marks: Callable[[], Iterable[float]] = _marks) -> None:
        self._say = say
        self._marks = marks
        self._ended = Event()
        self._thread: Thread | None = None

    def start(self, step: str) -> None:
        """Watch a step, in place of the one before."""
        self.stop()
        self._ended = Event()
        self._thread = Thread(target=self._watch, args=(step, self._ended, time.monotonic()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say no more about the step: nothing is printed after its end."""
        self._ended.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _watch(self, step: str, ended: Event, started: float) -> None:
        for mark in self._marks():
            if ended.wait(max(started + mark - time.monotonic(), 0)):
                return
            self._say(f"  {step:<38} running, {mark:.0f} s so far")


class Terminal:
    """The lines of a run and, below them on a terminal, its bars; `steps` is the number of its steps, if it has several."""

    def __init__(self, title: str = "", steps: int | None = None, *, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True, markup=False)
        self._steps = steps
        self._bars: Progress | None = None
        self._step: TaskID | None = None
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[ended]}"))
            self._bars = Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True)
            if steps is not None:
                self._whole = self._bars.add_task(title, total=steps, ended=f"0/{steps}")
        self._running = RunningStep(self.console.print)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.stop()
        if self._bars:
            self._bars.stop()

    def start(self, step: str) -> None:
        """Name the step that runs now, in place of the one before."""
        if self._bars is None:
            self._running.start(step)
            return
        self._forget()
        self._step = self._bars.add_task(f"  {step}", total=None, ended="")

    def end(self, line: str) -> None:
        """Print the line of the step that ended."""
        self._running.stop()
        self.console.print(line)
        if self._bars:
            self._forget()
            if self._steps is not None:
                ended = int(self._bars.tasks[0].completed) + 1
                self._bars.update(self._whole, completed=ended, ended=f"{ended}/{self._steps}")

    def _forget(self) -> None:
        """Remove the bar of the step that ran."""
        step, self._step = self._step, None
        if self._bars and step is not None:
            self._bars.remove_task(step)


class Reporter:
    """Prints the events of a run: of each step its rows, its seconds, its checks that passed; of a failure, what to do.

    The last line of a run of which steps failed counts those that were not run because of them.
    """

    def __init__(self, title: str, steps: int, *, console: Console | None = None) -> None:
        self._rows: dict[str, int] = {}
        self._units: dict[str, str] = {}
        self._passed: dict[str, list[bool]] = {}
        self._refused: dict[str, list[str]] = {}
        self._title, self._steps = title, steps
        self._ended: list[str] = []
        self._failed: list[str] = []
        self._terminal = Terminal(title, steps, console=console)
        self._terminal.console.print(f"\n{title}")

    def __enter__(self) -> Self:
        self._terminal.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.__exit__()
        if self._failed:
            left = self._steps - len(self._ended) - len(self._failed)
            self._terminal.console.print(
                f"{self._title}: {len(self._ended)} of {self._steps} steps done; failed: {', '.join(self._failed)}"
                f"{f'; {left} not run because of that' if left else ''}. What to do: sf status"
            )

    def __call__(self, entry: EventLogEntry) -> None:
        """Handle one event of the run."""
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        step = event.step_key
        if event.event_type is DagsterEventType.STEP_START:
            self._terminal.start(step)
        elif event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            self._rows[step] = rows_of(event, self._rows.get(step, 0))
            self._units[step] = unit_of(event)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._judge(step, event.asset_check_evaluation_data)
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            self._end(step, (event.step_success_data.duration_ms or 0) / 1000)
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            failure = event.step_failure_data
            description = failure.user_failure_data.description if failure.user_failure_data else None
            refused = "\n".join(self._refused.get(step, ()))
            self._failed.append(step)
            self._terminal.end(f"  {step} FAILED\n{refused or description or failure.error_display_string}")

    def _judge(self, step: str, result: AssetCheckEvaluation) -> None:
        self._passed.setdefault(step, []).append(result.passed)
        if not result.passed and result.severity is dg.AssetCheckSeverity.ERROR:
            self._refused.setdefault(step, []).append(f"    {describe_refusal(result)}")

    def _end(self, step: str, seconds: float) -> None:
        self._ended.append(step)
        if checks := self._passed.get(step):
            self._terminal.end(f"  {step:<38} {sum(checks):>3} of {len(checks)} passed  {seconds:6.1f} s")
        else:
            self._terminal.end(f"  {step_line(step, self._rows.get(step, 0), seconds, unit=self._units.get(step))}")


def describe_refusal(result: AssetCheckEvaluation) -> str:
    """Return a failed check in one line: what it found, what to do, and the command that runs what was refused again."""
    asset = result.asset_key.to_user_string()
    advice = str(result.metadata["advice"].value) if "advice" in result.metadata else ""
    refusal = f"{asset} {result.check_name}: {result.description or 'refused.'}"
    return " ".join(filter(None, (refusal, advice, once_corrected(asset, result.partition))))


def rows_of(event: DagsterEvent, before: int) -> int:
    """Return the number of rows that a step wrote so far; its earlier materialisations wrote `before` of them."""
    values = _values_of(event)
    if "rows" in values:  # In a range of months each partition carries the sum.
        return int(values["rows"])
    return before + int(values.get("dagster/partition_row_count", values.get("lines", 0)))


def unit_of(event: DagsterEvent) -> str:
    """Return what `rows_of` counts: the rows of a table, or the lines of delivered files."""
    return "lines" if {"files", "delivered"} <= _values_of(event).keys() else "rows"


def _values_of(event: DagsterEvent) -> dict[str, Any]:
    metadata = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in metadata.items()}


def step_line(step: str, rows: int, seconds: float, *, unit: str | None = None) -> str:
    """Return the line that is printed when a step ends; `seconds` is its duration, `unit` what `rows` counts."""
    return f"{step:<38} {rows:>11,} {unit or 'rows':<5}  {seconds:6.1f} s"
