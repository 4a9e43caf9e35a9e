"""One fault of each kind is caught by its check, stops its dependants only, and is cleared by a good delivery.

`make faults` plays all of them.
"""

from datetime import date

import pytest
import valid_months
from polars.testing import assert_frame_equal

from sf_assets.catalogue.tables import SUITES
from sf_assets.clean import tolerances as clean
from sf_assets.engine.quality.rules import Probe
from sf_assets.features import tolerances as features
from sf_assets.lists import tolerances as lists
from sf_assets.model import tolerances as model
from sf_assets.settings import Settings
from sf_assets.sources import tolerances as sources
from sf_assets.staging import tolerances as staging
from sf_assets.vocabulary.schema import Rule
from sf_assets_dev.deployment import Deployment
from sf_assets_dev.faults.description import Fault
from sf_assets_dev.faults.injection import spoil_file
from sf_assets_dev.faults.registry import FAULTS, FileFault, TableFault
from sf_assets_dev.faults.trial import Trial, downstream_of, play_fault

AUGUST, SEPTEMBER = date(2025, 8, 1), date(2025, 9, 1)


def check_of(fault: Fault) -> Rule | Probe:
    (check,) = (check for check in SUITES[fault.asset].checks if check.name == fault.check)
    return check


def kind_of(fault: Fault) -> tuple[str, str]:
    """Return what tells faults apart for the gates: the layer that refuses, and whether it counts, compares or looks."""
    check = check_of(fault)
    if isinstance(check, Rule):
        return fault.asset.partition("_")[0], "rule"
    return fault.asset.partition("_")[0], "tolerance" if fault.check in TOLERANCE_NAMES else "probe"


LAYERS = (sources, staging, clean, features, model, lists)
TOLERANCE_NAMES = {tolerance.name for layer in LAYERS for tolerance in layer.TOLERANCES}
# The first fault of each kind.
PLAYED = list({kind_of(fault): name for name, fault in reversed(FAULTS.items())}.values())
FILES = [name for name in PLAYED if isinstance(FAULTS[name], FileFault)]
DERIVED = [name for name in PLAYED if isinstance(FAULTS[name], TableFault)]
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


@pytest.mark.parametrize("name", FAULTS)
def test_the_check_that_catches_a_fault_blocks(name: str) -> None:
    assert check_of(FAULTS[name]).severity == "error"


@pytest.fixture(scope="module")
def listed(deployment: Deployment) -> Deployment:
    """Give the deployment with the lists of both months."""
    assert deployment.run("score", AUGUST).success
    assert deployment.run("score", SEPTEMBER).success
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
    followers = sorted({"src_debit", *downstream_of(listed, "src_debit")})

    spoil_file(fault, listed.incoming, SEPTEMBER)
    stopped = listed.build(SEPTEMBER, *followers)
    assert not stopped.success
    assert stopped.written & set(followers) == {"src_debit", "stg_debit"}
    # A later run of what follows is held as well.
    assert listed.build(SEPTEMBER, "clean_debit").written == frozenset()

    (listed.incoming / "2509" / fault.file).write_bytes(good)
    done = listed.build(SEPTEMBER, *followers)
    assert done.success
    assert "list_export" in done.written
    assert_frame_equal(rows(listed, "list_alerts"), before[0])
    assert [path.read_bytes() for path in lists] == before[1]


# Last: once a file was changed and restored, what follows its table must be computed again.
@pytest.mark.parametrize("name", FILES)
def test_a_faulty_file_is_caught_stopped_and_cleared(listed: Deployment, name: str) -> None:
    trial = play_fault(listed, FAULTS[name], SEPTEMBER)
    assert_succeeded(trial)
    assert trial.gate_message.endswith(check_of(trial.fault).advice)


def rows(deployment: Deployment, table: str):
    frame = deployment.warehouse.query(f"select * from lake.{table} where month = $month", {"month": SEPTEMBER})
    return frame.sort(frame.columns)
