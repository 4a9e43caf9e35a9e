"""What starts a month: the schedule, the sensor that waits for its files, the jobs, and the command line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sf_assets.automation import files_arrived
from sf_assets.definitions import defs
from sf_assets.partitions import months
from sf_assets.resources import Folders
from sf_assets.settings import PREFIX
from sf_assets.sources import BY_NAME, SOURCES
from sf_assets.sources.batch import EXPECTED, batch_key

ROOT = Path(__file__).parents[1]
SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
PARIS = ZoneInfo("Europe/Paris")
LAYERS = ("sources", "staging", "clean", "features", "model", "lists")
# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


@pytest.mark.parametrize(
    ("tick", "month"),
    [
        (datetime(2026, 11, 3, 6, 30, tzinfo=PARIS), "2026-10-01"),
        (datetime(2026, 1, 3, 6, 30, tzinfo=PARIS), "2025-12-01"),
    ],
)
def test_the_third_of_a_month_starts_the_month_before(tick: datetime, month: str) -> None:
    schedule = defs.get_repository_def().get_schedule_def("monthly_schedule")
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        "monthly",
        "30 6 3 * *",
        "Europe/Paris",
    )
    context = dg.build_schedule_context(scheduled_execution_time=tick)
    (request,) = schedule.evaluate_tick(context).run_requests
    assert (request.partition_key, request.run_key, request.job_name) == (month, month, "monthly")


@pytest.mark.parametrize(
    ("job", "layers"),
    [
        ("monthly", LAYERS),
        ("batch", ("sources", "staging", "clean")),
        ("history", ("features",)),
        ("score", ("features", "model", "lists")),
        ("evaluate", ("evaluation",)),
    ],
)
def test_each_job_builds_its_layers_by_month_with_all_their_checks(job: str, layers: tuple[str, ...]) -> None:
    resolved, graph = defs.resolve_job_def(job), defs.resolve_asset_graph()
    assert resolved.partitions_def == months
    wanted = {key for key in graph.get_all_asset_keys() if graph.get(key).group_name in layers}
    # What lists become is looked at every month, what methods are worth once a year.
    wanted |= {dg.AssetKey(name) for name in ("eval_drift", "eval_verification") if "lists" in layers}
    assert set(resolved.asset_layer.executable_asset_keys) == wanted
    assert set(resolved.asset_layer.asset_graph.asset_check_keys) >= graph.get_check_keys_for_assets(wanted)


def test_only_the_history_runs_a_range_of_months_in_one_run() -> None:
    policies = {job: defs.resolve_job_def(job).backfill_policy for job in ("monthly", "batch", "history", "score")}
    assert policies.pop("history") == dg.BackfillPolicy.single_run()
    assert set(policies.values()) == {dg.BackfillPolicy.multi_run(max_partitions_per_run=1)}


@dataclass
class Waiting:
    """A folder of incoming files and the sensor that looks at it, which remembers between two looks."""

    incoming: Path
    cursor: str | None = None

    def look(self) -> dg.RunRequest | str:
        """Evaluate the sensor once; return what it requests, or why it does not."""
        folders = Folders(incoming=str(self.incoming), models="unused", lists="unused")
        with dg.build_sensor_context(cursor=self.cursor, resources={"folders": folders}) as context:
            found = files_arrived(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        if found.skip_reason:
            return str(found.skip_reason.skip_message)
        (request,) = found.run_requests or ()
        return request

    def deliver(self, month: date, *sources: str, content: str = "x") -> None:
        """Put a file of each of the sources into the month's folder."""
        folder = self.incoming / batch_key(month)
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            (folder / BY_NAME[source].names[0]).write_text(content)


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path / "incoming")


def test_without_a_batch_folder_nothing_starts(waiting: Waiting) -> None:
    assert waiting.look() == f"no new batch below {waiting.incoming}"


def test_a_batch_with_a_file_missing_waits_and_says_for_which(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    for name in ("debit", "procol"):
        (waiting.incoming / "2509" / BY_NAME[name].names[0]).unlink()
    assert waiting.look() == waiting.look() == "batch 2509 waits for debit, procol"


def test_only_the_sources_expected_every_month_are_waited_for(waiting: Waiting) -> None:
    assert set(EXPECTED) == {source.name for source in SOURCES if source.expected}
    assert {"paydex", "filter", "ccsf"}.isdisjoint(EXPECTED)
    waiting.deliver(SEPTEMBER, *EXPECTED)
    assert "is complete" in waiting.look()


def test_a_complete_batch_starts_its_month_once_it_has_stopped_changing(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    assert waiting.look() == "batch 2509 is complete; it starts if nothing changes until the next look"
    waiting.deliver(SEPTEMBER, "debit", content="still growing")
    assert "is complete" in waiting.look()
    request = waiting.look()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-09-01"
    assert waiting.look() == waiting.look() == f"no new batch below {waiting.incoming}"


def test_a_file_delivered_again_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    waiting.look()
    first = waiting.look()
    waiting.deliver(SEPTEMBER, "debit", content="mended")
    assert "is complete" in waiting.look()
    second = waiting.look()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert (first.partition_key, second.partition_key) == ("2025-09-01", "2025-09-01")
    assert first.run_key != second.run_key


def test_an_optional_file_that_comes_later_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    waiting.look()
    assert isinstance(waiting.look(), dg.RunRequest)
    waiting.deliver(SEPTEMBER, "paydex")
    assert "is complete" in waiting.look()
    assert isinstance(waiting.look(), dg.RunRequest)


def test_the_newest_month_goes_first(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    waiting.deliver(OCTOBER, "debit")
    assert "batch 2510 waits for " in waiting.look()
    waiting.deliver(OCTOBER, *EXPECTED)
    waiting.look()
    request = waiting.look()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-10-01"


def test_a_former_month_delivered_again_starts_while_the_newest_waits(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    waiting.look()
    waiting.look()
    waiting.deliver(OCTOBER, "debit")
    assert "batch 2510 waits for " in str(waiting.look())
    waiting.deliver(SEPTEMBER, "debit", content="mended")
    assert "batch 2509 is complete" in str(waiting.look())
    request = waiting.look()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-09-01"


def test_complete_months_that_were_there_before_the_first_look_start_nothing_but_the_newest(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *EXPECTED)
    waiting.deliver(OCTOBER, *EXPECTED)
    assert waiting.look() == "batch 2510 is complete; it starts if nothing changes until the next look"
    request = waiting.look()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-10-01"
    assert waiting.look() == f"no new batch below {waiting.incoming}"


def test_a_month_completed_after_the_next_one_was_begun_starts_too(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, "debit")
    waiting.deliver(OCTOBER, "debit")
    waiting.look()
    waiting.deliver(SEPTEMBER, *EXPECTED)
    assert "batch 2509 is complete" in str(waiting.look())
    assert isinstance(waiting.look(), dg.RunRequest)


def test_a_folder_that_is_no_month_holds_nothing_up(waiting: Waiting) -> None:
    for name in ("2513", "octobre", ".tmp"):
        (waiting.incoming / name).mkdir(parents=True)
    waiting.deliver(SEPTEMBER, *EXPECTED)
    assert "batch 2509 is complete" in waiting.look()


@dataclass(frozen=True)
class Deployment:
    """The programs of the environment, with an instance and a folder of data of their own."""

    home: Path

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "DAGSTER"))}
        environment |= {"DAGSTER_HOME": str(self.home), "SF_DATA_DIR": str(self.home / "data")}
        return subprocess.Popen(
            [Path(sys.executable).parent / program, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, program: str, *arguments: str) -> str:
        """Run a program to its end, which must be good; return what it says."""
        return ended(self.start(program, *arguments))


def ended(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    home = tmp_path_factory.mktemp("home")
    # Without a queue a run starts at once, by the launcher that the queue's daemon would call.
    settings = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
    }
    (home / "dagster.yaml").write_text(json.dumps(settings))
    # Two programs that find no storage both make one, and the second fails.
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_runs_count() == 0
    return Deployment(home)


@pytest.fixture(scope="module", autouse=True)
def launch(deployment: Deployment) -> Iterator[subprocess.Popen[str]]:
    """Launch features of a month that nobody loaded; it takes half a minute, mostly of waiting, so other tests go on."""
    tags = json.dumps({"dagster/partition": "2025-09-01"})
    process = deployment.start(
        "dagster", "job", "launch", "-m", "sf_assets.definitions", "-d", ".", "-j", "history", "--tags", tags
    )
    yield process
    process.kill()


@pytest.fixture(scope="module", autouse=True)
def dg_launch(deployment: Deployment) -> Iterator[subprocess.Popen[str]]:
    """Launch one asset of a month that nobody loaded by the other command line; other tests go on."""
    process = deployment.start("dg", "launch", "--assets", "clean_debit", "--partition", "2025-08-01")
    yield process
    process.kill()


def test_one_asset_launched_by_dg_stops_at_the_gate(dg_launch: subprocess.Popen[str]) -> None:
    said, _ = dg_launch.communicate(timeout=180)
    assert dg_launch.returncode != 0
    assert "What this step reads was not found sound:" in said
    assert "stg_debit, 2025-08" in said


def test_the_definitions_pass_the_check_of_the_command_line(deployment: Deployment) -> None:
    assert "All definitions loaded successfully" in deployment.run("dg", "check", "defs")


def test_the_command_line_lists_every_asset_check_job_schedule_and_sensor(deployment: Deployment) -> None:
    said = deployment.run("dg", "list", "defs", "--json")
    listed = json.loads(said[said.index("{\n") :])
    graph = defs.resolve_asset_graph()
    names = {"assets": "asset_key", "jobs": "name", "schedules": "name", "sensors": "name"}
    found = {kind: {one[name] for one in listed[kind]} for kind, name in names.items()}
    assert found["assets"] == {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert found["jobs"] >= {"monthly", "batch", "history", "score", "look", "accept_check", "maintenance"}
    assert found["schedules"] == {"monthly_schedule", "morning_look"}
    assert found["sensors"] == {sensor.name for sensor in defs.sensors} > {"files_arrived"}
    assert len(listed["asset_checks"]) == len(graph.asset_check_keys)


def test_a_run_launched_in_a_process_of_its_own_loads_the_definitions_and_stops_at_the_gate(
    deployment: Deployment, launch: subprocess.Popen[str]
) -> None:
    ended(launch)
    with dg.DagsterInstance.from_config(str(deployment.home)) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name="history"))
        deadline = time.monotonic() + 60
        while not run.is_finished and time.monotonic() < deadline:
            time.sleep(0.2)
            (run,) = instance.get_runs(dg.RunsFilter(job_name="history"))
        entries = instance.all_logs(run.run_id)
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    problems = [
        event.engine_event_data.error.message
        for event in events
        if event.is_engine_event and event.engine_event_data.error
    ]
    assert problems == []
    told = [event.step_failure_data.user_failure_data.description for event in events if event.is_step_failure]
    assert told
    assert all(one.startswith("What this step reads was not found sound:") for one in told)
