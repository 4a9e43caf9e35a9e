"""A month with PostgreSQL, an object store and two runs at once has the rows and the list of one machine."""

import errno
import multiprocessing
import socket
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from sf_assets.definitions import definitions_of
from sf_assets.engine.storage import Warehouse
from sf_assets.settings import Settings
from sf_assets.vocabulary.modes import OPEN
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_dev.deployment import Deployment
from sf_assets_dev.scale.comparison import Difference, differences
from sf_assets_dev.scale.trial import Site, compared, deliver, halves
from sf_assets_dev.servers.postgres import create_database
from sf_assets_dev.servers.seaweedfs import create_bucket, seaweedfs
from sf_assets_dev.synthetic import write_batch

MONTH, JULY, AUGUST = date(2025, 9, 1), date(2025, 7, 1), date(2025, 8, 1)
# Dagster warns of features that run over ranges; so short a history trains no model.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")
_buckets = count()


class OpenDeployment(Deployment):
    """A deployment on open data, which has the fewest assets."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, made=definitions_of(settings))

    @property
    def site(self) -> Site:
        return Site(
            self.settings.catalog or "one machine", self.settings.data, {}, self.warehouse, self.settings.folders
        )


def settings_of(folder: Path, **places: str) -> Settings:
    return Settings(data_dir=folder, mode=OPEN, perimeter_months=36, threads=1, **places)


def run_history(settings: Settings, first: date, last: date) -> None:
    """Run the history of some months in this process, with a data folder of its own."""
    run = OpenDeployment(settings).run_range("history", first, last)
    if not run.success:
        raise RuntimeError(str(run.failures))


def test_a_month_a_history_by_two_processes_and_the_list_are_those_of_one_machine(
    postgres_dsn: str, object_store: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    number = next(_buckets)
    bucket = create_bucket(object_store, f"scale{number}")
    places = {
        "catalog": f"postgres:{create_database(postgres_dsn, f'scale_{number}')}",
        "tables": f"{bucket}/tables",
        "files": f"{bucket}/files",
    }
    one = OpenDeployment(settings_of(tmp_path / "one"))
    many = OpenDeployment(settings_of(tmp_path / "many", **places))
    write_batch(one.batch(MONTH), month=MONTH, companies=100, seed=2, years=2, mode=OPEN)
    deliver(one.site, many.site, MONTH)
    for deployment in (one, many):
        assert deployment.run("batch", MONTH).failures == {}
    assert one.run_range("history", JULY, AUGUST).failures == {}
    spawned = multiprocessing.get_context("spawn")
    runs = [
        spawned.Process(target=run_history, args=(settings_of(tmp_path / f"run{n}", **places), *span))
        for n, span in enumerate(halves(JULY, AUGUST, 2))
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    for deployment in (one, many):
        assert deployment.run("score", MONTH).failures == {}
    said = list(compared(one.site, many.site, MONTH))
    assert said[-1] == "list of 2025-09: 5 files, 0 different"
    assert said[:-1] == [line for line in said if line.endswith(", 0 tables different")], said
    # Nothing but copies of what is in the store, and the home of runs, was left in the data folders.
    assert {path.name for path in (tmp_path / "many").iterdir()} <= {"copies", "warehouse", "dagster"}


NUMBERS = Table("numbers", "one number", (Column("n", "DOUBLE", "number"),))


def test_rows_that_differ_in_one_digit_or_in_their_number_are_counted(tmp_path: Path) -> None:
    made = []
    for name, rows in (("a", "unnest([1.0, 2.0, 2.0])"), ("b", "unnest([1.0, 2.0, 2.0000000000000004])")):
        warehouse = Warehouse(str(tmp_path / f"{name}.sqlite"), str(tmp_path / name), threads=1)
        with warehouse.session() as session:
            query = f"select {rows}::double as n"
            session.replace({NUMBERS: query}, where={"month": MONTH}, author="test", message="test")
            if name == "a":
                only = Table("only_here", "one number", NUMBERS.columns)
                session.replace({only: "select 1.0::double as n"}, where={"month": MONTH}, author="t", message="t")
        made.append(warehouse)
    assert list(differences(*made)) == [Difference("numbers", 3, 1, 1), Difference("only_here", 1, 1, 0)]


def test_servers_are_gone_after_their_block() -> None:
    with seaweedfs() as variables:
        port = int(variables["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
