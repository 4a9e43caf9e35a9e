"""What starts a month: the schedule, the sensor that waits for its files, the jobs, and the command line."""

import dataclasses
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sf_assets.definitions import definitions_of, defs
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.lists.tables import EXPORT
from sf_assets.operations.automation import RUN_KIND, files_arrived
from sf_assets.operations.jobs import require_no_month
from sf_assets.settings import PREFIX, Settings, resources_for
from sf_assets.sources.arrival import ARRIVALS, inspect
from sf_assets.sources.batch import batch_key, expected_in, read_batch
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.partitions import months

ROOT = Path(__file__).parents[1]
SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
PARIS = ZoneInfo("Europe/Paris")
THIRD = datetime(2025, 10, 3, 6, 30, tzinfo=PARIS)
LAYERS = ("sources", "staging", "clean", "features", "model", "lists")
# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


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
    # Drift, verification and answers are computed every month, the backtest once a year.
    monthly = ("eval_drift", "eval_verification", "eval_answers")
    wanted |= {dg.AssetKey(name) for name in monthly if "lists" in layers}
    assert set(resolved.asset_layer.executable_asset_keys) == wanted
    assert set(resolved.asset_layer.asset_graph.asset_check_keys) >= graph.get_check_keys_for_assets(wanted)


def test_only_the_history_runs_a_range_of_months_in_one_run() -> None:
    policies = {job: defs.resolve_job_def(job).backfill_policy for job in ("monthly", "batch", "history", "score")}
    assert policies.pop("history") == dg.BackfillPolicy.single_run()
    assert set(policies.values()) == {dg.BackfillPolicy.multi_run(max_partitions_per_run=1)}


@pytest.mark.parametrize(
    ("most", "policy"), [("0", dg.BackfillPolicy.single_run()), ("12", dg.BackfillPolicy.multi_run(12))]
)
def test_the_setting_cuts_ranges_of_history_and_scores_into_runs(most: str, policy: dg.BackfillPolicy) -> None:
    cut = definitions_of(Settings.from_environment({"SF_RUN_MONTHS": most}))
    assert {cut.resolve_job_def(job).backfill_policy for job in ("history", "wide")} == {policy}
    graph = cut.resolve_asset_graph()
    assert graph.get(dg.AssetKey("model_scores")).backfill_policy == policy
    assert graph.get(dg.AssetKey("clean_debit")).backfill_policy in (None, dg.BackfillPolicy.multi_run(1))


def test_retention_does_not_start_beside_a_run_of_a_month() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        require_no_month(instance)
        tags = {RUN_KIND: "month"}
        run = instance.create_run_for_job(
            defs.resolve_job_def("history"), status=dg.DagsterRunStatus.STARTED, tags=tags
        )
        with pytest.raises(PermanentFailure, match=f"expected no run of a month meanwhile, found {run.run_id}"):
            require_no_month(instance)


@dataclass
class Waiting:
    """A folder of incoming files, with the sensor and the schedule that read it; `cursor` is that of the last evaluation."""

    folder: Path
    instance: dg.DagsterInstance
    cursor: str | None = None

    @property
    def incoming(self) -> Path:
        return self.folder / "incoming"

    @property
    def resources(self) -> dict[str, object]:
        return resources_for(Settings(data_dir=self.folder, threads=1))

    @property
    def warehouse(self) -> Warehouse:
        return self.resources["warehouse"]  # type: ignore[return-value]

    def evaluate(self) -> dg.RunRequest | str:
        """Evaluate the sensor once; return what it requests, or why it does not."""
        found = self.evaluate_all()
        if isinstance(found, str):
            return found
        (request,) = found
        return request

    def evaluate_all(self) -> list[dg.RunRequest] | str:
        """Evaluate the sensor once; return all that it requests, or why it requests nothing."""
        resources = {name: self.resources[name] for name in ("folders", "warehouse")}
        with dg.build_sensor_context(cursor=self.cursor, instance=self.instance, resources=resources) as context:
            found = files_arrived(context)
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        return str(found.skip_reason.skip_message) if found.skip_reason else list(found.run_requests or ())

    def tick(self, moment: datetime) -> dg.RunRequest | str:
        """Evaluate the schedule once; return what it requests, or why it does not."""
        resources = {name: self.resources[name] for name in ("folders", "warehouse")}
        repository = defs.get_repository_def()
        with dg.build_schedule_context(self.instance, moment, resources, repository) as context:
            found = repository.get_schedule_def("monthly_schedule").evaluate_tick(context)
        return found.run_requests[0] if found.run_requests else str(found.skip_message)

    def deliver(self, month: date, *sources: str, content: str = "x") -> None:
        """Put a file of each of the sources into the month's folder."""
        folder = self.incoming / batch_key(month)
        folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            (folder / BY_NAME[source].names[0]).write_text(content)

    def started(self, request: dg.RunRequest | str, *, ended: bool = True) -> None:
        """Store a run as the daemon creates it from a request; a run that `ended` read the files first."""
        assert isinstance(request, dg.RunRequest)
        month = date.fromisoformat(str(request.partition_key))
        self.launched(month, tags={**request.tags, "dagster/run_key": str(request.run_key)}, ended=ended)

    def launched(self, month: date, tags: Mapping[str, str] = MappingProxyType({}), *, ended: bool = True) -> None:
        """Keep a run of a month, with the tags of whoever launched it."""
        run_id = str(uuid.uuid4())
        if ended:
            self.loaded(month, run_id)
        self.instance.add_run(
            dg.DagsterRun(
                job_name="monthly",
                run_id=run_id,
                status=dg.DagsterRunStatus.FAILURE if ended else dg.DagsterRunStatus.STARTED,
                tags={**tags, "dagster/partition": month.isoformat()},
            )
        )

    def loaded(self, month: date, author: str = "somebody") -> None:
        """Write what the inspection of the month's files writes."""
        batch = read_batch(self.incoming, month)
        rows = (
            dataclasses.asdict(inspect(path, BY_NAME[source]))
            for source, paths in batch.files.items()
            for path in paths
        )
        with self.warehouse.session() as session:
            session.replace(
                {ARRIVALS: frame_of(ARRIVALS, rows)}, where={"month": month}, author=author, message="files"
            )

    def published(self, month: date) -> None:
        """Write that the month has a list."""
        rows = frame_of(EXPORT, [{"file": "liste.csv"}])
        with self.warehouse.session() as session:
            session.replace({EXPORT: rows}, where={"month": month}, author="test", message="list")


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Waiting(tmp_path, instance)


@pytest.mark.parametrize(
    ("tick", "month"),
    [
        (datetime(2026, 11, 3, 6, 30, tzinfo=PARIS), "2026-10-01"),
        (datetime(2026, 1, 3, 6, 30, tzinfo=PARIS), "2025-12-01"),
    ],
)
def test_the_third_of_a_month_starts_the_month_before(waiting: Waiting, tick: datetime, month: str) -> None:
    schedule = defs.get_repository_def().get_schedule_def("monthly_schedule")
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        "monthly",
        "30 6 3 * *",
        "Europe/Paris",
    )
    request = waiting.tick(tick)
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == (month, month)


def test_without_a_batch_folder_nothing_starts(waiting: Waiting) -> None:
    assert waiting.evaluate() == f"no new batch below {waiting.incoming}"


def test_a_batch_with_a_missing_file_waits_and_names_it(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    for name in ("debit", "procol"):
        (waiting.incoming / "2509" / BY_NAME[name].names[0]).unlink()
    assert waiting.evaluate() == waiting.evaluate() == "batch 2509 waits for debit, procol"


def test_only_the_sources_expected_every_month_are_waited_for(waiting: Waiting) -> None:
    assert set(expected_in()) == {source.name for source in SOURCES if source.expected}
    assert {"paydex", "filter", "ccsf"}.isdisjoint(expected_in())
    waiting.deliver(SEPTEMBER, *expected_in())
    assert "is complete" in waiting.evaluate()


def test_a_complete_batch_starts_its_month_once_it_has_stopped_changing(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    assert waiting.evaluate() == "batch 2509 is complete; it starts if nothing changes until the next evaluation"
    waiting.deliver(SEPTEMBER, "debit", content="still growing")
    assert "is complete" in waiting.evaluate()
    request = waiting.evaluate()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-09-01"
    assert waiting.evaluate() == waiting.evaluate() == f"no new batch below {waiting.incoming}"


def test_a_file_delivered_again_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    first = waiting.evaluate()
    waiting.deliver(SEPTEMBER, "debit", content="corrected")
    assert "is complete" in waiting.evaluate()
    second = waiting.evaluate()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert (first.partition_key, second.partition_key) == ("2025-09-01", "2025-09-01")
    assert first.run_key != second.run_key


def test_an_optional_file_that_comes_later_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    assert isinstance(waiting.evaluate(), dg.RunRequest)
    waiting.deliver(SEPTEMBER, "paydex")
    assert "is complete" in waiting.evaluate()
    assert isinstance(waiting.evaluate(), dg.RunRequest)


def test_the_newest_complete_month_of_the_past_starts(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.deliver(OCTOBER, "debit")
    assert "batch 2510 waits for " in waiting.evaluate()
    waiting.deliver(OCTOBER, *expected_in())
    waiting.evaluate()
    request = waiting.evaluate()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-10-01"


def test_a_former_month_delivered_again_starts_while_the_newest_waits(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    waiting.evaluate()
    waiting.deliver(OCTOBER, "debit")
    assert "batch 2510 waits for " in str(waiting.evaluate())
    waiting.deliver(SEPTEMBER, "debit", content="corrected")
    assert "batch 2509 is complete" in str(waiting.evaluate())
    request = waiting.evaluate()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-09-01"


def test_of_months_complete_before_the_first_evaluation_only_the_newest_starts(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.deliver(OCTOBER, *expected_in())
    assert waiting.evaluate() == "batch 2510 is complete; it starts if nothing changes until the next evaluation"
    request = waiting.evaluate()
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2025-10-01"
    assert waiting.evaluate() == f"no new batch below {waiting.incoming}"


def evaluated(waiting: Waiting) -> dg.RunRequest | str:
    """Look twice: what has come, then that it has stopped changing."""
    waiting.evaluate_all()
    return waiting.evaluate()


def test_months_delivered_between_two_evaluations_all_start_oldest_first(waiting: Waiting) -> None:
    waiting.deliver(date(2025, 6, 1), *expected_in())
    waiting.evaluate()
    for month in (OCTOBER, SEPTEMBER, date(2025, 8, 1)):
        waiting.deliver(month, *expected_in())
    requests = waiting.evaluate_all()
    assert isinstance(requests, list)
    assert [request.partition_key for request in requests] == ["2025-06-01"]
    requests = waiting.evaluate_all()
    assert isinstance(requests, list)
    assert [request.partition_key for request in requests] == ["2025-08-01", "2025-09-01", "2025-10-01"]


def test_a_published_month_does_not_start_at_the_first_evaluation(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.loaded(SEPTEMBER)
    waiting.published(SEPTEMBER)
    assert "its list used these files" in str(evaluated(waiting))
    waiting.deliver(SEPTEMBER, "debit", content="y")
    assert isinstance(evaluated(waiting), dg.RunRequest)


def test_a_month_loaded_without_a_list_starts_at_the_first_evaluation(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.loaded(SEPTEMBER)
    assert isinstance(evaluated(waiting), dg.RunRequest)


def test_the_schedule_does_nothing_for_files_that_the_sensor_started(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.started(evaluated(waiting))
    assert "used these files" in str(waiting.tick(THIRD))
    waiting.deliver(SEPTEMBER, "paydex")
    assert isinstance(waiting.tick(THIRD), dg.RunRequest)


def test_the_sensor_does_nothing_for_files_that_the_schedule_started(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    waiting.started(waiting.tick(THIRD), ended=False)
    assert "has not ended" in str(waiting.evaluate())


def test_files_copied_again_as_they_were_start_nothing(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.started(evaluated(waiting))
    os.utime(waiting.incoming / "2509" / BY_NAME["debit"].names[0], (1, 1))
    assert "is complete" in str(waiting.evaluate())
    assert "used these files" in str(waiting.evaluate())


def test_the_same_content_delivered_again_after_a_wrong_one_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    keys = []
    for content in ("x", "wrong", "x", "wrong", "x"):
        waiting.deliver(SEPTEMBER, "debit", content=content)
        request = evaluated(waiting)
        waiting.started(request)
        assert isinstance(request, dg.RunRequest)
        keys.append(request.run_key)
    assert len(set(keys)) == len(keys)
    assert max(map(len, map(str, keys))) < 40


def test_a_run_that_ended_before_it_read_the_files_does_not_count(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.started(evaluated(waiting))
    waiting.deliver(SEPTEMBER, "debit", content="y")
    request = evaluated(waiting)
    waiting.started(request, ended=False)
    (run, *_) = waiting.instance.get_runs(limit=1)
    waiting.instance.run_storage.handle_run_event(run.run_id, run_failure(run))
    again = waiting.tick(THIRD)
    assert isinstance(request, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == f"{request.run_key} 2"


def test_another_order_of_the_same_files_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    names = {source: [f"2509/{BY_NAME[source].names[0]}"] for source in expected_in()}
    (waiting.incoming / "2509" / "second.csv").write_text("y")
    first, second = names["debit"][0], "2509/second.csv"
    for order in ([first, second], [second, first]):
        described = {"key": "2509", "files": {**names, "debit": order}}
        (waiting.incoming / "2509.json").write_text(json.dumps(described))
        request = evaluated(waiting)
        waiting.started(request)
        assert isinstance(request, dg.RunRequest)


def test_a_file_of_the_same_size_with_other_bytes_starts_its_month_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.started(evaluated(waiting))
    path = waiting.incoming / "2509" / BY_NAME["debit"].names[0]
    path.write_text("z")
    os.utime(path, (1, 1))
    assert isinstance(evaluated(waiting), dg.RunRequest)


def test_other_bytes_of_the_same_size_and_date_start_the_month_again(waiting: Waiting) -> None:
    """A file corrected within the second of the first one, or copied with the date of the first one."""
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.started(evaluated(waiting))
    path = waiting.incoming / "2509" / BY_NAME["debit"].names[0]
    dated = path.stat()
    # File systems date changes to some milliseconds.
    time.sleep(0.05)
    path.write_text("z")
    os.utime(path, ns=(dated.st_atime_ns, dated.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (dated.st_size, dated.st_mtime_ns)
    assert isinstance(evaluated(waiting), dg.RunRequest)


def test_files_loaded_by_hand_without_their_list_start_their_month(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.loaded(SEPTEMBER)
    waiting.published(SEPTEMBER)
    waiting.deliver(SEPTEMBER, "debit", content="corrected")
    waiting.loaded(SEPTEMBER)
    assert isinstance(evaluated(waiting), dg.RunRequest)


def run_failure(run: dg.DagsterRun) -> dg.DagsterEvent:
    return dg.DagsterEvent("PIPELINE_FAILURE", run.job_name, event_specific_data=None, message="crashed")


def test_a_run_launched_by_hand_is_waited_for(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    waiting.launched(SEPTEMBER, ended=False)
    assert "waits for the end of run " in str(waiting.evaluate())
    assert "of the month has not ended" in str(waiting.tick(THIRD))
    (run,) = waiting.instance.get_runs()
    waiting.instance.run_storage.handle_run_event(run.run_id, run_failure(run))
    assert isinstance(waiting.evaluate(), dg.RunRequest)


def test_a_killed_run_that_had_loaded_its_files_is_waited_for_then_started_again(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, *expected_in())
    waiting.evaluate()
    waiting.launched(SEPTEMBER, ended=False)
    (run,) = waiting.instance.get_runs()
    waiting.loaded(SEPTEMBER, run.run_id)
    for _ in range(2):
        assert "waits for the end of run " in str(waiting.evaluate())
    assert "of the month has not ended" in str(waiting.tick(THIRD))
    waiting.instance.report_run_canceled(run)
    assert isinstance(waiting.tick(THIRD), dg.RunRequest)
    assert isinstance(waiting.evaluate(), dg.RunRequest)


def test_a_batch_of_a_month_that_has_not_ended_is_named(waiting: Waiting) -> None:
    waiting.deliver(date(2098, 12, 1), *expected_in())
    waiting.deliver(date(2015, 12, 1), *expected_in())
    assert waiting.evaluate() == "batch 1512: 2015-12 is before 2016-01; batch 9812: 2098-12 has not ended"


def test_a_month_completed_after_the_next_one_was_begun_starts_too(waiting: Waiting) -> None:
    waiting.deliver(SEPTEMBER, "debit")
    waiting.deliver(OCTOBER, "debit")
    waiting.evaluate()
    waiting.deliver(SEPTEMBER, *expected_in())
    assert "batch 2509 is complete" in str(waiting.evaluate())
    assert isinstance(waiting.evaluate(), dg.RunRequest)


def test_a_folder_that_is_no_month_blocks_no_other(waiting: Waiting) -> None:
    for name in ("2513", "octobre", ".tmp"):
        (waiting.incoming / name).mkdir(parents=True)
    waiting.deliver(SEPTEMBER, *expected_in())
    assert "batch 2509 is complete" in waiting.evaluate()


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
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


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
    output, _ = dg_launch.communicate(timeout=180)
    assert dg_launch.returncode != 0
    assert "Inputs of this step did not pass their checks:" in output
    assert "stg_debit, 2025-08" in output


def test_the_definitions_pass_the_check_of_the_command_line(deployment: Deployment) -> None:
    assert "All definitions loaded successfully" in deployment.run("dg", "check", "defs")


def test_the_command_line_lists_every_asset_check_job_schedule_and_sensor(deployment: Deployment) -> None:
    output = deployment.run("dg", "list", "defs", "--json")
    listed = json.loads(output[output.index("{\n") :])
    graph = defs.resolve_asset_graph()
    names = {"assets": "asset_key", "jobs": "name", "schedules": "name", "sensors": "name"}
    found = {kind: {one[name] for one in listed[kind]} for kind, name in names.items()}
    assert found["assets"] == {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert found["jobs"] >= {"monthly", "batch", "history", "score", "refresh_status", "accept_check", "maintenance"}
    assert found["jobs"] >= {"publish", "prove_published", "retention"}
    assert found["schedules"] == {"monthly_schedule", "morning_refresh", "monthly_proof"}
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
    descriptions = [event.step_failure_data.user_failure_data.description for event in events if event.is_step_failure]
    assert descriptions
    assert all(one.startswith("Inputs of this step did not pass their checks:") for one in descriptions)
