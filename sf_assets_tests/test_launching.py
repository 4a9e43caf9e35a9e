"""`sf run` and the demonstration launch jobs by name, in this process; starting the project prints nothing."""

import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.catalogue.tables import SUITES
from sf_assets.definitions import defs
from sf_assets.engine.quality.rules import Probe
from sf_assets.operations.launching import run_job
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.schema import Rule
from sf_assets_tests.runs import Place

SEPTEMBER = date(2025, 9, 1)


def test_an_unknown_job_is_refused_with_the_names_of_those_that_take_a_month() -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(UserError, match=r"expected one of batch, .*monthly.*, found nothing"),
    ):
        run_job(defs, instance, "nothing", first=date(2025, 9, 1))


def test_a_list_is_not_published_without_who_and_why() -> None:
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(UserError, match="found publish"):
        run_job(defs, instance, "publish", first=SEPTEMBER)


def test_the_definitions_load_without_a_warning_and_without_the_libraries_that_only_steps_need() -> None:
    heavy = {"sklearn", "scipy", "skops", "shap", "pandas", "great_expectations"}
    code = f"import sys, sf_assets.definitions; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout.decode(), done.stderr.decode()) == ("[]\n", "")


@dataclass(frozen=True)
class Launched:
    place: Place
    printed: str


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """Run a month that has a file that is not as promised, as `sf run batch` does."""
    place = Place(tmp_path_factory.mktemp("launched"))
    folder = place.batch(SEPTEMBER)
    folder.mkdir(parents=True)
    (folder / "sigfaible_debits.csv").write_text("not;what;was;promised\n")
    with redirect_stdout(StringIO()) as printed:
        assert not run_job(place.definitions, place.instance, "batch", first=SEPTEMBER)
    return Launched(place, printed.getvalue())


@pytest.fixture
def launched(launch: Launched) -> Place:
    return launch.place


def test_a_failed_check_says_what_it_refuses_and_what_to_do_on_the_terminal(launch: Launched) -> None:
    _, _, failed = launch.printed.partition("src_debit_checks FAILED\n")
    line = failed.splitlines()[0]
    assert line.startswith(
        "    src_debit as_promised: Refused for 2025-09: sigfaible_debits.csv, line 1: expected column"
    )
    assert check_of("src_debit", "as_promised").advice in line
    assert "DagsterAssetCheckFailedError" not in launch.printed


def check_of(asset: str, name: str) -> Rule | Probe:
    (check,) = (check for check in SUITES[asset].checks if check.name == name)
    return check


def test_a_run_from_the_command_line_refreshes_status_whatever_became_of_it(launched: Place) -> None:
    record = launched.instance.get_latest_materialization_event(dg.AssetKey("status"))
    assert record is not None
    states = launched.warehouse.query("select layer, state from lake.status where month = $month", {"month": SEPTEMBER})
    assert dict(states.iter_rows())["sources"] == "waiting"


def test_nobody_who_launches_a_run_can_redirect_a_folder(launched: Place, tmp_path: Path) -> None:
    (tmp_path / "2511").mkdir()
    elsewhere = {name: str(tmp_path) for name in ("incoming", "models", "lists", "exports")}
    result = launched.definitions.resolve_job_def("refresh_status").execute_in_process(
        instance=launched.instance, run_config={"resources": {"folders": {"config": elsewhere}}}, raise_on_error=False
    )
    assert result.success
    months = launched.warehouse.query("select distinct month from lake.status")["month"].to_list()
    assert months == [SEPTEMBER]
    assert list(tmp_path.iterdir()) == [tmp_path / "2511"]
