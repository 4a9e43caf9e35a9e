"""However a month is launched, a refused file stops what reads it: schedule, sensor, backfill, one asset by hand."""

import shutil
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sf_assets.catalogue.tables import LAYERS
from sf_assets.definitions import defs
from sf_assets.operations.automation import files_arrived
from sf_assets.settings import resources_for
from sf_assets.sources.batch import expected_in
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.partitions import parse_month
from sf_assets_dev.deployment import Run
from sf_assets_tests.runs import Place

ROOT = Path(__file__).parents[1]
SEPTEMBER = date(2025, 9, 1)
# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a deployment with a month whose files are all there, and none as promised."""
    made = Place(tmp_path_factory.mktemp("place"))
    folder = made.batch(SEPTEMBER)
    folder.mkdir(parents=True)
    for source in expected_in():
        (folder / BY_NAME[source].names[0]).write_text("not;what;was;promised\n")
    return made


def launched(place: Place, request: dg.RunRequest) -> Run:
    """Run what a schedule or a sensor asks for, as the daemon would."""
    return place.run(request.job_name or "monthly", parse_month(str(request.partition_key)), tags=request.tags)


def resources_of(place: Place) -> dict[str, object]:
    return {name: resources_for(place.settings)[name] for name in ("folders", "warehouse")}


def assert_stopped(run: Run) -> None:
    """No table was written that reads a refused file, and every file was refused by its check."""
    assert not run.success
    # Neither a filter, nor rights, nor answers were delivered: nothing is wrong with them.
    assert run.written <= {*LAYERS["sources"], "stg_filter", "stg_acces", "stg_retour", "list_answers"}
    assert {f"src_{source}" for source in expected_in()} <= set(run.refused)


def test_a_month_started_by_the_schedule_stops_at_its_gates(place: Place, tmp_path: Path) -> None:
    tick = datetime(2025, 10, 3, 6, 30, tzinfo=ZoneInfo("Europe/Paris"))
    repository = defs.get_repository_def()
    schedule = repository.get_schedule_def("monthly_schedule")
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    # The context enters and leaves the instance: entered twice, it would stay for ever (Dagster 1.13.27).
    with dg.build_schedule_context(instance, tick, resources_of(place), repository) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert_stopped(launched(place, request))


def test_a_month_started_by_the_sensor_stops_at_its_gates(place: Place) -> None:
    cursor = None
    requests: list[dg.RunRequest] = []
    instance = dg.DagsterInstance.ephemeral()
    for _ in range(2):
        with dg.build_sensor_context(instance, cursor=cursor, resources=resources_of(place)) as context:
            found = files_arrived(context)
        assert isinstance(found, dg.SensorResult)
        cursor, requests = found.cursor, list(found.run_requests or ())
    (request,) = requests
    assert_stopped(launched(place, request))


@pytest.mark.parametrize("asset", ["stg_debit", "clean_debit", "list_export"])
def test_an_asset_launched_alone_later_is_stopped_by_its_inputs(place: Place, asset: str) -> None:
    run = place.build(SEPTEMBER, asset)
    assert run.written == set()
    assert "Inputs of this step did not pass their checks:" in run.failures[asset]


def test_a_backfill_of_later_assets_is_stopped_in_each_of_its_runs(place: Place) -> None:
    for month in (date(2025, 8, 1), SEPTEMBER):
        run = place.build(month, "stg_debit", tags={"dagster/backfill": "b"})
        assert run.written == set()
        assert "src_debit" in run.failures["stg_debit"]


def test_a_backfill_of_a_range_in_one_run_is_stopped(place: Place) -> None:
    run = place.run_range("history", date(2025, 8, 1), SEPTEMBER)
    assert not run.success
    assert run.written == set()
    assert all("Inputs of this step did not pass their checks:" in message for message in run.failures.values())


@pytest.mark.parametrize("assets", [("feat_effectif",), ("feat_lags",), ("model_scores",)])
def test_a_reversed_range_of_months_is_refused(place: Place, assets: tuple[str, ...]) -> None:
    bounds = {"start": "2025-09-01", "end": "2025-07-01"}
    tags = {f"dagster/asset_partition_range_{end}": key for end, key in bounds.items()}
    run = place.build(None, *assets, tags=tags)
    assert {message.split(". ")[0] for message in run.failures.values()} == {
        "months: expected a range from its earlier month to its later one, found 2025-09-01 to 2025-07-01, which holds none"
    }


def test_runs_of_months_follow_one_another_and_status_refreshes_run_beside_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "sf_assets" / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
    assert (str(pools.pool_granularity.value), pools.default_pool_limit) == ("run", 1)
    found = {job: {op.pool for op in defs.resolve_job_def(job).all_node_defs if isinstance(op, dg.OpDefinition)} for job in
             ("monthly", "batch", "history", "score", "maintenance", "refresh_status", "accept_check")}  # fmt: skip
    assert {job for job, held in found.items() if "months" in held} == set(found) - {"refresh_status", "accept_check"}
