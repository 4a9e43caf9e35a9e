"""Maintenance of a warehouse: fewer files, the same rows, valid verdicts, two years of snapshots."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from polars.testing import assert_frame_equal

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.leftovers import remove_leftovers
from sf_assets.engine.storage.maintenance import MaintenanceCounts, merge_and_expire
from sf_assets.operations.jobs import accept_check, maintenance
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets_tests.gated import APRIL, BAD, FEBRUARY, MARCH, GatedGraph

SOON, LATER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for the system's temporary one: maintenance must not touch the real one in tests."""
    folder = tmp_path / "system"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def graph(tmp_path: Path, either_warehouse: Warehouse, system: Path) -> GatedGraph:
    """Return a warehouse of months written several times and checked, with a temporary folder of its own (`system`)."""
    assert system.is_dir()
    made = GatedGraph(tmp_path)
    made.warehouse = either_warehouse
    for rows in (2, 3, 4):
        made.write(FEBRUARY, MARCH, APRIL, rows=rows)
    made.check(FEBRUARY, MARCH, APRIL)
    return made


def maintained(graph: GatedGraph, at: datetime, *, dry_run: bool = False) -> MaintenanceCounts:
    with graph.warehouse.session() as session:
        return merge_and_expire(session, at=at, keep_months=24, dry_run=dry_run, kept=())


def resources_of(graph: GatedGraph) -> dict[str, object]:
    return {"warehouse": graph.warehouse, "folders": Folders.below(Path(graph.warehouse.data_path).parent)}


def on_disk(graph: GatedGraph) -> int:
    return sum(path.suffix == ".parquet" for path in Path(graph.warehouse.data_path).rglob("*"))


def snapshots(graph: GatedGraph) -> int:
    return int(graph.warehouse.query("select count(*) as n from lake.snapshots()").item())


def test_a_dry_run_counts_the_snapshots_that_would_expire_and_changes_nothing(graph: GatedGraph) -> None:
    before = snapshots(graph), on_disk(graph)
    done = maintained(graph, LATER, dry_run=True)
    assert not done.done
    assert done.expired > 0
    assert done.files == done.files_before
    assert (snapshots(graph), on_disk(graph)) == before


def test_rows_and_verdicts_stay_after_maintenance_and_unreferenced_files_are_removed(graph: GatedGraph) -> None:
    rows = graph.warehouse.query("select * from lake.up order by all")
    files = on_disk(graph)
    done = maintained(graph, LATER)
    assert_frame_equal(graph.warehouse.query("select * from lake.up order by all"), rows)
    assert graph.obstacles(FEBRUARY, MARCH, APRIL) == []
    assert done.removed > 0
    assert on_disk(graph) < files
    assert snapshots(graph) < 5
    graph.write(MARCH, rows=5)
    assert len(graph.obstacles(MARCH)) == 4


def test_snapshots_of_the_last_two_years_stay_readable(graph: GatedGraph) -> None:
    version = graph.warehouse.query("select max(snapshot_id) as n from lake.snapshots()").item()
    graph.write(MARCH, amount=BAD)
    before = snapshots(graph)
    assert maintained(graph, SOON).expired == 0
    assert snapshots(graph) >= before
    (least,) = graph.warehouse.query(f"select min(montant) as least from lake.up at (version => {version})")
    assert least.item() == 1.0


def test_less_than_two_years_of_snapshots_is_refused(graph: GatedGraph) -> None:
    with graph.warehouse.session() as session, pytest.raises(ValueError, match="expected at least 24, found 12"):
        merge_and_expire(session, at=LATER, keep_months=12, dry_run=True, kept=())


def test_the_job_is_a_dry_run_unless_configured_otherwise(graph: GatedGraph) -> None:
    files = on_disk(graph)
    result = maintenance.execute_in_process(resources=resources_of(graph))
    assert result.success
    (event,) = (event for event in result.all_node_events if event.is_successful_output)
    metadata = {name: value.value for name, value in event.step_output_data.metadata.items()}
    assert metadata["dry_run"] is True
    assert metadata["files"] == metadata["files_before"] > 0
    assert on_disk(graph) == files
    real = {"ops": {"maintain_warehouse": {"config": {"dry_run": False}}}}
    assert maintenance.execute_in_process(resources=resources_of(graph), run_config=real).success
    short = {"ops": {"maintain_warehouse": {"config": {"keep_months": 3}}}}
    with pytest.raises(ValueError, match="greater than or equal to 24"):
        maintenance.execute_in_process(resources=resources_of(graph), run_config=short)


def test_files_that_a_merge_replaced_are_no_orphans_while_a_session_may_read_them(graph: GatedGraph) -> None:
    paths = [*Path(graph.warehouse.data_path).rglob("*.parquet")]
    for path in paths:
        os.utime(path, (0, 0))
    done = maintained(graph, datetime.now(UTC))
    assert done.files < done.files_before
    assert (done.orphans, done.removed) == (0, 0)
    assert all(path.is_file() for path in paths)


@pytest.mark.parametrize("dry_run", [True, False], ids=["dry run", "done"])
def test_files_that_a_killed_run_never_committed_are_removed_and_young_ones_stay(
    graph: GatedGraph,
    dry_run: bool,  # noqa: FBT001
) -> None:
    rows = graph.warehouse.query("select * from lake.up order by all")
    live = next(Path(graph.warehouse.data_path).rglob("*.parquet"))
    old, young = live.with_name("ducklake-killed.parquet"), live.with_name("ducklake-being-written.parquet")
    for path, day in ((old, LATER - timedelta(days=3)), (young, LATER - timedelta(hours=3))):
        path.write_bytes(live.read_bytes())
        os.utime(path, (day.timestamp(), day.timestamp()))
    done = maintained(graph, LATER, dry_run=dry_run)
    # In 2030, the referenced files of the warehouse are just as old, and none of them is an orphan.
    assert done.orphans == 1
    assert (old.exists(), young.exists()) == (dry_run, True)
    assert_frame_equal(graph.warehouse.query("select * from lake.up order by all"), rows)


def aged(folder: Path, days: int) -> Path:
    """Create a folder with content, last changed `days` days before `LATER`."""
    (folder / "inside").mkdir(parents=True, exist_ok=True)
    moment = (LATER - timedelta(days=days)).timestamp()
    for path in (folder / "inside", folder):
        os.utime(path, (moment, moment))
    return folder


def test_drafts_and_temporary_folders_of_killed_runs_are_removed_and_nothing_else(tmp_path: Path, system: Path) -> None:
    lists, spill = tmp_path / "lists", tmp_path / "spill"
    gone = [
        aged(lists / ".draft-a", 3), aged(lists / "2610" / "boosting" / ".draft-b", 9), aged(spill / "sf_assets_c", 3),
        aged(system / "sf_assets_e", 3),
    ]  # fmt: skip
    stay = [
        aged(lists / "2610" / "x", 9), aged(lists / ".draft-young", 1), aged(spill / "sf_assets_young", 1),
        aged(spill / "other", 9),
    ]  # fmt: skip
    (spill / "sf_assets_link").symlink_to(stay[0])
    planned = remove_leftovers(str(spill), [lists, tmp_path / "nowhere"], at=LATER, dry_run=True)
    assert all(folder.is_dir() for folder in (*gone, *stay))
    done = remove_leftovers(str(spill), [lists, tmp_path / "nowhere"], at=LATER, dry_run=False)
    assert set(done.removed) == set(planned.removed) == set(gone)
    assert done.interrupted == ()
    assert not any(folder.exists() for folder in gone)
    assert all(folder.is_dir() for folder in stay)


@pytest.mark.usefixtures("system")
def test_a_publication_killed_between_its_renames_is_whole_again_after_maintenance(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    aged(lists / ".complete-2610" / "new", 3)
    aged(lists / ".complete-2610", 3)
    aged(lists / ".former-2610", 40)
    aged(lists / ".former-2609", 40)
    aged(lists / "2609", 3)
    aged(lists / ".complete-2611", 0)  # being published
    aged(lists / ".former-2611", 40)
    planned = remove_leftovers("", [lists], at=LATER, dry_run=True)
    assert not (lists / "2610").exists()
    done = remove_leftovers("", [lists], at=LATER, dry_run=False)
    assert done.interrupted == planned.interrupted == (lists / "2610", lists / "2609")
    assert (lists / "2610" / "new").is_dir()
    assert {path.name for path in lists.iterdir()} == {"2609", "2610", ".complete-2611", ".former-2611"}


_KILLED = """
import os, signal, sys
from sf_assets.engine.storage import Warehouse
held = Warehouse(catalog=sys.argv[1] + "/c.sqlite", data_path=sys.argv[1] + "/t", temp_directory=sys.argv[1] + "/spill").connect()
print("ready", flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("system")
def test_the_temporary_folder_of_a_killed_session_is_removed_and_that_of_a_running_session_never(
    tmp_path: Path,
) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    (folder,) = (tmp_path / "spill").iterdir()
    assert remove_leftovers(str(tmp_path / "spill"), [], at=LATER, dry_run=False).removed == ()
    run.communicate("go\n")
    assert folder.is_dir()
    assert remove_leftovers(str(tmp_path / "spill"), [], at=LATER, dry_run=False).removed == (folder,)
    assert not folder.exists()


def test_a_failed_check_is_accepted_from_the_pages_too(graph: GatedGraph) -> None:
    graph.write(MARCH, amount=BAD)
    graph.check(MARCH)

    def launch(**config: str) -> dg.ExecuteInProcessResult:
        accepted = {
            "asset": "up",
            "check": "montant_in_range",
            "month": "2026-03",
            "reason": "credit notes",
            "by": "C. D.",
        }
        run_config = {"ops": {"accept_failed_check": {"config": accepted | config}}}
        resources = {"warehouse": graph.warehouse, "gate": Gate({"up": graph.suite})}
        return accept_check.execute_in_process(resources=resources, run_config=run_config)

    with pytest.raises(PermanentFailure, match="found one that passed"):
        launch(check="key_unique")
    with pytest.raises(PermanentFailure, match="asset: expected one of"):
        launch(asset="nosuch")
    assert graph.obstacles(MARCH)
    assert launch().success
    assert graph.obstacles(MARCH) == []
