"""The terminal names the step that runs; elsewhere only steps that last are named, and nothing is printed twice."""

from datetime import date
from io import StringIO
from threading import Event

import dagster as dg
import pytest
from rich.console import Console

from sf_assets.operations.progress import Reporter, RunningStep, Terminal, describe_refusal
from sf_assets.vocabulary.partitions import months


def test_a_step_that_lasts_is_named_with_its_seconds_until_it_ends() -> None:
    lines: list[str] = []
    named = Event()

    def say(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            named.set()

    step = RunningStep(say, lambda: (0.0, 0.001, 3600.0))
    step.start("model_fitted")
    assert named.wait(10)
    step.stop()
    assert [line.split() for line in lines] == [["model_fitted", "running,", "0", "s", "so", "far"]] * 2


def test_a_short_step_is_not_named_and_nothing_is_said_after_its_end() -> None:
    lines: list[str] = []
    step = RunningStep(lines.append, lambda: (3600.0,))
    step.start("clean_debit")
    step.start("clean_ap")
    step.stop()
    step.stop()
    assert lines == []


def test_without_a_terminal_only_the_lines_of_steps_are_printed() -> None:
    out = StringIO()
    with Terminal("monthly", 2, console=Console(file=out)) as terminal:
        terminal.start("clean_debit")
        terminal.end("  clean_debit 12 rows")
    assert out.getvalue() == "  clean_debit 12 rows\n"


def test_a_terminal_shows_the_step_that_runs_and_how_many_have_ended() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=100, _environ={})
    with Terminal("monthly 2026-10", 2, console=console) as terminal:
        terminal.start("clean_debit")
        terminal._bars.refresh()  # type: ignore[union-attr]
        assert "clean_debit" in out.getvalue()
        assert "0/2" in out.getvalue()
        terminal.end("done")
        terminal.start("clean_ap")
        terminal._bars.refresh()  # type: ignore[union-attr]
        _, _, after = out.getvalue().partition("done")
        assert "clean_ap" in after
        assert "1/2" in after
        assert "clean_debit" not in after.rpartition("1/2")[2]


def report(*, fails: bool) -> str:
    """Return what is printed about a run of a source and of a table that reads it."""
    out = StringIO()

    @dg.asset(partitions_def=months)
    def src_files() -> dg.MaterializeResult[None]:
        if fails:
            raise dg.Failure("The disk is full.")
        return dg.MaterializeResult(metadata={"files": 1, "delivered": True, "lines": 1200})

    @dg.asset(partitions_def=months, deps=[src_files])
    def table() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"dagster/partition_row_count": 34})

    defs = dg.Definitions(assets=[src_files, table], jobs=[dg.define_asset_job("job", [src_files, table])])
    job = defs.resolve_job_def("job")
    with dg.instance_for_test() as instance, Reporter("job", 2, console=Console(file=out, width=200)) as steps:
        instance.add_event_listener("5c3b0ae5-0000-4000-8000-000000000000", steps)
        job.execute_in_process(
            instance=instance,
            partition_key="2026-03-01",
            run_id="5c3b0ae5-0000-4000-8000-000000000000",
            raise_on_error=False,
        )
    return out.getvalue()


def test_a_run_of_which_a_step_failed_ends_with_what_was_not_run() -> None:
    lines = report(fails=True).splitlines()
    assert lines[2:4] == ["  src_files FAILED", "The disk is full."]
    assert lines[-1] == ("job: 0 of 2 steps done; failed: src_files; 1 not run because of that. What to do: sf status")


def test_delivered_files_have_lines_and_tables_have_rows() -> None:
    reported = report(fails=False)
    assert "What to do" not in reported
    (source,) = [line for line in reported.splitlines() if "src_files" in line]
    (table,) = [line for line in reported.splitlines() if " table" in line]
    assert source.split()[:3] == ["src_files", "1,200", "lines"]
    assert table.split()[:3] == ["table", "34", "rows"]


def refused(asset: str, partition: str | None) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name="few_refused",
        passed=False,
        metadata={"advice": dg.MetadataValue.text("Ask the producer.")},
        description="Refused.",
        partition=partition,
    )


@pytest.mark.parametrize(
    ("asset", "partition", "command"),
    [
        ("stg_debit", "2026-03-01", " Once corrected: sf run monthly 2026-03 --from src_debit"),
        ("stg_debit", None, ""),
        ("eval_backtest", "2026-03-01", ""),
        ("clean_debit", date(2026, 3, 1).isoformat(), " Once corrected: sf run monthly 2026-03 --from clean_debit"),
    ],
)
def test_a_refusal_ends_with_the_command_that_runs_it_again(asset: str, partition: str | None, command: str) -> None:
    assert describe_refusal(refused(asset, partition)) == f"{asset} few_refused: Refused. Ask the producer.{command}"
