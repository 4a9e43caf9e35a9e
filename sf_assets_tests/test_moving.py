"""A deployment moves to an object store and PostgreSQL with its rows, its snapshots and the bytes of its lists, or not at all."""

import errno
import os
import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sf_assets.catalogue.tables import SUITES
from sf_assets.commands.app import app
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.resources import Folders
from sf_assets.engine.storage import Warehouse, moving
from sf_assets.engine.storage.folders import freeze_folder
from sf_assets.engine.storage.objects import bucket_and_prefix
from sf_assets.engine.storage.room import FullDisk
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.operations import moving as moving_folders
from sf_assets.operations.moving import move
from sf_assets.publication import publishing
from sf_assets.publication.rebuilding import rebuild
from sf_assets.settings import Settings, warehouse_of
from sf_assets.vocabulary.failures import PermanentFailure, UserError
from sf_assets_tests.planted_month import BY, MONTH, REASON, make_list, plant
from sf_assets_tests.runs import Place

TABLES = ("list_alerts", "list_publication", "feat_company_month", "check_verdicts")


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a deployment of one machine with a published list, a delivered file and what a killed run left."""
    place = Place(tmp_path_factory.mktemp("former"))
    plant(place)
    make_list(place)
    with place.warehouse.session() as session:
        publishing.publish(
            session, Gate(SUITES), MONTH, place.settings.folders, place.settings.parameters, by=BY, reason=REASON,
            at=datetime(2025, 10, 6, tzinfo=UTC),
        )  # fmt: skip
    for name in ("incoming/2509/debits.csv", "evaluation/2509.json", "lists/.draft-killed/liste.csv"):
        (place.settings.data / name).parent.mkdir(parents=True, exist_ok=True)
        (place.settings.data / name).write_text("a;b\n")
    return place


def shelves(folder: Path, warehouse: Warehouse) -> Folders:
    """Return the folders beside the tables of a warehouse, with copies below `folder`."""
    assert warehouse.objects
    return Folders.below(folder, shared=(warehouse.objects, f"{warehouse.data_path}/files"))


def moved(former: Place, warehouse: Warehouse, copies: Path) -> Folders:
    new = shelves(copies, warehouse)
    done = move(former.warehouse, warehouse, former.settings.folders.by_name, new.by_name)
    assert done.files["incoming"] == done.files["evaluation"] == 1
    assert done.files["published"] == done.files["lists"] + 1  # its manifest
    return new


def rows(warehouse: Warehouse, table: str) -> str:
    return str(warehouse.query(f"select * from lake.{table} order by all").rows())


def test_a_moved_deployment_has_its_rows_its_snapshots_and_the_bytes_of_its_lists_although_it_was_interrupted(
    former: Place, remote_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in former.settings.data.rglob("*") if path.is_file()}
    copied: list[str] = []

    def copy(source: object, table: str, *rest: object) -> None:
        copied.append(table)
        if len(copied) == 5:
            raise KeyboardInterrupt
        copy_table(source, table, *rest)  # type: ignore[arg-type]

    copy_table = moving._copy_table
    with monkeypatch.context() as patch:
        patch.setattr(moving, "_copy_table", copy)
        with pytest.raises(KeyboardInterrupt):
            moved(former, remote_warehouse, tmp_path / "copies")
    assert remote_warehouse.query("select count(*) from lake.snapshots()").item() == 1
    moved(former, remote_warehouse, tmp_path / "copies")
    for table in TABLES:
        assert rows(remote_warehouse, table) == rows(former.warehouse, table) != "[]"
    history = "select snapshot_id, snapshot_time, author, commit_message from lake.snapshots() order by 1"
    assert remote_warehouse.query(history).equals(former.warehouse.query(history))
    # Another machine, whose copies are empty: the list is made again there, from the snapshot that its manifest names.
    elsewhere = shelves(tmp_path / "elsewhere", remote_warehouse)
    assert rebuild(remote_warehouse, Gate(SUITES), elsewhere, MONTH, 1).same
    assert elsewhere.incoming.names().joinpath("2509/debits.csv").stat().st_size == 4
    assert "killed" not in str(elsewhere.lists.entries())
    unchanged = {path: path.stat().st_mtime_ns for path in former.settings.data.rglob("*") if path.is_file()}
    assert {path: at for path, at in unchanged.items() if "catalog.sqlite" not in path.name} == {
        path: at for path, at in before.items() if "catalog.sqlite" not in path.name
    }
    with pytest.raises(UserError, match="expected a catalog without tables, found"):
        moved(former, remote_warehouse, tmp_path / "copies")


def test_an_object_that_changed_stops_the_move_before_the_catalog(
    former: Place, remote_warehouse: Warehouse, tmp_path: Path
) -> None:
    with former.warehouse.session() as session:
        path, size = min(moving._files(session).items())
    bucket, prefix = bucket_and_prefix(remote_warehouse.data_path)
    assert remote_warehouse.objects
    remote_warehouse.objects.client().put_object(Bucket=bucket, Key=f"{prefix}{path}", Body=b"x" * size)
    with pytest.raises(PermanentFailure, match=r"expected the SHA-256 .* Remove it, then move again"):
        moved(former, remote_warehouse, tmp_path / "copies")
    assert remote_warehouse.query("select count(*) from lake.snapshots()").item() == 1


def test_the_verb_moves_to_where_the_settings_say(
    former: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Settings(data_dir=tmp_path / "new", tables="", threads=1)
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path / "new"))
    done = CliRunner().invoke(app, ["move", str(former.settings.data)], catch_exceptions=False)
    assert "tables: copied, and compared." in done.stdout
    assert rows(warehouse_of(target), "list_alerts") == rows(former.warehouse, "list_alerts")
    assert (target.folders.published.root / "2509" / "v1" / "manifeste.json").is_file()
    shutil.rmtree(tmp_path / "new" / "lists")
    for folder, message in ((target.data, "expected settings of another place"), (tmp_path / "none", "found none")):
        with pytest.raises(UserError, match=message):
            CliRunner().invoke(app, ["move", str(folder)], catch_exceptions=False)


def test_two_catalogs_never_share_the_files_of_tables(former: Place, tmp_path: Path) -> None:
    target = replace(former.warehouse, catalog=str(tmp_path / "c.sqlite"))
    with pytest.raises(UserError, match="expected tables in another place too"):
        move(former.warehouse, target, {}, {})


def test_tables_of_a_store_are_not_moved(former: Place, tmp_path: Path) -> None:
    target = replace(former.warehouse, catalog=str(tmp_path / "c.sqlite"), data_path=str(tmp_path / "tables"))
    with pytest.raises(UserError, match="expected those to move in a folder, found s3://sf/tables"):
        moving.copy_warehouse(replace(former.warehouse, data_path="s3://sf/tables"), target)


def test_a_folder_is_copied_with_its_rights_its_dates_and_what_its_links_lead_to(tmp_path: Path) -> None:
    source, disk = tmp_path / "published", tmp_path / "disk"
    for path in (source / "2509" / "v1" / "liste.csv", disk / "liste.csv"):
        path.parent.mkdir(parents=True)
        path.write_text("a;b\n")
    os.utime(source / "2509" / "v1" / "liste.csv", (1_000_000_000, 1_000_000_000))
    freeze_folder(source / "2509" / "v1")
    (source / "2510").symlink_to(disk)
    new = Shelf(tmp_path / "new" / "published")
    for _ in range(2):
        assert moving_folders._copy_folder(source, new) == 2
    assert (new.root / "2510" / "liste.csv").read_text() == "a;b\n"
    frozen = new.root / "2509" / "v1"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (frozen, frozen / "liste.csv")] == [0o500, 0o400]
    assert (frozen / "liste.csv").stat().st_mtime == 1_000_000_000


def test_a_link_to_nothing_stops_the_move_instead_of_being_left_out(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "debits.csv").symlink_to(tmp_path / "unmounted" / "debits.csv")
    with pytest.raises(UserError, match=r"incoming/debits.csv: expected a file, found something else"):
        moving_folders._copy_folder(tmp_path / "incoming", Shelf(tmp_path / "new"))


def test_a_full_disk_of_the_new_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "debits.csv").touch()
    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(FullDisk, match=f"^{tmp_path / 'new'}: expected room"):
        moving_folders._copy_folder(tmp_path / "incoming", Shelf(tmp_path / "new"))
    with pytest.raises(FullDisk, match=f"^{tmp_path / 'tables'}: expected room"):
        moving._copy({"debits.csv": 1}, tmp_path / "incoming", tmp_path / "tables")
