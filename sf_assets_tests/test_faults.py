"""Every fault of the catalogue is caught by its check, stops its dependants only, and is cleared by a good delivery."""

from datetime import date

import pytest
import valid_months
from polars.testing import assert_frame_equal

from sf_assets.catalogue.tables import SUITES
from sf_assets.settings import Settings
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.faults.registry import FAULTS, FileFault, TableFault
from sf_assets_dev.faults.trial import Deployment, Trial, play_fault

AUGUST, SEPTEMBER = date(2025, 8, 1), date(2025, 9, 1)
FILES = [name for name, fault in FAULTS.items() if isinstance(fault, FileFault)]
DERIVED = [name for name, fault in FAULTS.items() if isinstance(fault, TableFault)]
# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Give a deployment with two months whose checks pass, from files to clean tables."""
    folder = tmp_path_factory.mktemp("faults")
    deployment = Deployment(Settings(data_dir=folder, threads=1, perimeter_months=120))
    with deployment.warehouse.session() as session:
        # Enough companies for a dozen steps of procedures a quarter.
        valid_months.load(session, deployment.incoming, (AUGUST, SEPTEMBER), companies=1500, years=3, seed=3)
        valid_months.judge(session, (AUGUST, SEPTEMBER))
    return deployment


def assert_succeeded(trial: Trial) -> None:
    assert (trial.caught, trial.stopped, trial.others_ran, trial.cleared) == (True, True, True, True), (
        trial.gate_message
    )


@pytest.mark.parametrize("name", FILES)
def test_a_faulty_file_is_caught_stopped_and_cleared(deployment: Deployment, name: str) -> None:
    trial = play_fault(deployment, FAULTS[name], SEPTEMBER)
    assert_succeeded(trial)
    (check,) = (check for check in SUITES[trial.fault.asset].checks if check.name == trial.fault.check)
    assert check.severity == "error"
    assert trial.gate_message.endswith(check.advice)


@pytest.fixture(scope="module")
def listed(deployment: Deployment) -> Deployment:
    """Give the deployment with the lists of both months."""
    for month in (AUGUST, SEPTEMBER):
        assert deployment.run("score", month).success
    return deployment


@pytest.mark.parametrize("name", DERIVED)
def test_a_faulty_model_score_or_list_is_not_handed_over(listed: Deployment, name: str) -> None:
    assert_succeeded(play_fault(listed, FAULTS[name], SEPTEMBER))


def test_a_month_stopped_by_a_bad_file_ends_with_its_list_once_a_good_one_is_there(listed: Deployment) -> None:
    fault = FAULTS["debts_in_euros"]
    assert isinstance(fault, FileFault)
    lists = sorted((listed.incoming.parent / "lists" / "2509").iterdir())
    before = rows(listed, "list_alerts"), [path.read_bytes() for path in lists]
    good = (listed.incoming / "2509" / fault.file).read_bytes()
    followers = sorted({"src_debit", *listed.downstream("src_debit")})

    spoil_file(fault, listed.incoming, SEPTEMBER)
    stopped = listed.build(SEPTEMBER, followers)
    assert not stopped.success
    assert stopped.written & set(followers) == {"src_debit", "stg_debit"}
    # A later run of what follows is held as well.
    assert listed.build(SEPTEMBER, ["clean_debit"]).written == frozenset()

    (listed.incoming / "2509" / fault.file).write_bytes(good)
    done = listed.build(SEPTEMBER, followers)
    assert done.success
    assert "list_export" in done.written
    assert_frame_equal(rows(listed, "list_alerts"), before[0])
    assert [path.read_bytes() for path in lists] == before[1]


def rows(deployment: Deployment, table: str):
    frame = deployment.warehouse.query(f"select * from lake.{table} where month = $month", {"month": SEPTEMBER})
    return frame.sort(frame.columns)
