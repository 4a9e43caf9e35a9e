"""Files of months in an object store: a folder is there whole or not at all, and each machine has the files it reads."""

import json
import multiprocessing
import os
import signal
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sf_assets.engine.resources import Folders, shelf_of
from sf_assets.engine.storage.folders import freeze_folder, make_private_folder, replace_folder
from sf_assets.engine.storage.objects import ObjectStore, bucket_and_prefix
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.operations.maintenance import run_maintenance
from sf_assets.operations.notices import Channels, Notice, enqueue
from sf_assets.operations.notices import deliver as send_all
from sf_assets.operations.retention import run_retention
from sf_assets.settings import Settings
from sf_assets.sources.batch import missing_files, read_batch
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets_dev.servers.seaweedfs import create_bucket

MONTH, OLD = date(2026, 3, 1), date(2010, 3, 1)
LATER = datetime.now(UTC) + timedelta(days=3)
_names = count()


@pytest.fixture
def store(object_store: dict[str, str]) -> tuple[ObjectStore, str]:
    """Return the store, and an address of its own in it."""
    address = create_bucket(object_store, f"files{next(_names)}")
    return ObjectStore.of_variables(object_store), f"{address}/deployment"


@pytest.fixture
def here(store: tuple[ObjectStore, str], tmp_path: Path) -> Folders:
    return Folders.below(tmp_path / "here", shared=store)


@pytest.fixture
def there(store: tuple[ObjectStore, str], tmp_path: Path) -> Folders:
    """Return the folders of another machine."""
    return Folders.below(tmp_path / "there", shared=store)


def publish(shelf: Shelf, files: Mapping[str, str], month: date = MONTH) -> None:
    with shelf.writing(month) as root, replace_folder(root / f"{month:%y%m}") as draft:
        for name, text in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(text, encoding="utf-8")


def content(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def keys(store: tuple[ObjectStore, str]) -> list[str]:
    objects, address = store
    return [key for key, _ in objects.listed(address)]


def delete_every(store: tuple[ObjectStore, str], part: str) -> None:
    objects, address = store
    objects.delete(address, [key for key in keys(store) if part in key])


# Folders that runs write.


def test_a_folder_that_one_machine_publishes_is_read_by_another(here: Folders, there: Folders) -> None:
    assert content(there.lists.of(MONTH)) == {}
    publish(here.lists, {"liste.csv": "a", "deep/é.json": "b"})
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "a", "2603/deep/é.json": "b"}
    publish(there.lists, {"liste.csv": "a", "other.csv": "c"})
    assert content(here.lists.of(MONTH)) == {"2603/liste.csv": "a", "2603/other.csv": "c"}


def test_without_a_store_a_shelf_is_its_folder_and_nothing_else(tmp_path: Path) -> None:
    folders = Folders.below(tmp_path)
    publish(folders.lists, {"liste.csv": "a"})
    assert folders.lists.of(MONTH) == folders.lists.names() == tmp_path / "lists"
    assert content(tmp_path) == {"lists/2603/liste.csv": "a"}
    assert folders.lists.entries() == []


def fail_while_writing(shelf: Shelf) -> None:
    with shelf.writing(MONTH) as root, replace_folder(root / "2603") as draft:
        (draft / "liste.csv").write_text("cut")
        raise ZeroDivisionError


def test_what_fails_while_it_is_written_is_not_published(here: Folders, there: Folders) -> None:
    publish(here.lists, {"liste.csv": "a"})
    with pytest.raises(ZeroDivisionError):
        fail_while_writing(here.lists)
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "a"}


def publish_and_die(shelf: Shelf) -> None:
    """Publish another content, and be killed after the files, before the manifest."""
    assert shelf.store
    client = shelf.store.objects.client()
    put = client.put_object

    def put_or_die(**object_: Any) -> Any:
        if object_["Key"].endswith("2603.json"):
            os.kill(os.getpid(), signal.SIGKILL)
        return put(**object_)

    client.put_object = put_or_die
    publish(shelf, {"liste.csv": "b", "other.csv": "c"})


def test_a_publication_killed_before_its_manifest_is_not_seen_and_is_cleaned_up(
    here: Folders, there: Folders, store: tuple[ObjectStore, str], remote_warehouse: object
) -> None:
    publish(here.lists, {"liste.csv": "a"})
    before = keys(store)
    killed = multiprocessing.get_context("forkserver").Process(target=publish_and_die, args=(here.lists,))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "a"}
    assert len(keys(store)) == len(before) + 2
    now = run_maintenance(remote_warehouse, there, at=datetime.now(UTC), dry_run=False)  # type: ignore[arg-type]
    assert now.unreferenced == 0
    planned = run_maintenance(remote_warehouse, there, at=LATER, dry_run=True)  # type: ignore[arg-type]
    done = run_maintenance(remote_warehouse, there, at=LATER, dry_run=False)  # type: ignore[arg-type]
    assert (planned.unreferenced, done.unreferenced) == (2, 2)
    assert keys(store) == before
    assert content(there.lists.of(MONTH, afresh=True)) == {"2603/liste.csv": "a"}


def add(shelf: Shelf, name: str) -> None:
    """Add a file to the folder of the month as it is here."""
    (shelf.root / "2603" / name).mkdir()
    (shelf.root / "2603" / name / "model").write_text(name)


def test_a_manifest_whose_answer_was_lost_is_known_as_our_own(here: Folders, there: Folders) -> None:
    publish(here.lists, {"liste.csv": "a"})
    assert here.lists.store
    client = here.lists.store.objects.client()
    put = client.put_object

    def put_twice(**object_: Any) -> Any:
        put(**object_)
        return put(**object_)

    client.put_object = put_twice
    try:
        publish(here.lists, {"liste.csv": "b"})
    finally:
        client.put_object = put
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "b"}
    publish(here.lists, {"liste.csv": "c"})
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "c"}


def test_a_folder_that_another_run_published_meanwhile_is_not_overwritten(here: Folders, there: Folders) -> None:
    publish(here.models, {"a/model": "a"})
    there.models.of(MONTH)
    publish(here.models, {"a/model": "a", "b/model": "b"})
    add(there.models, "c")
    with pytest.raises(PermanentFailure, match=r"published meanwhile\. Run the step again"):
        there.models.share(MONTH)
    with there.models.writing(MONTH):
        add(there.models, "c")
    assert content(here.models.of(MONTH)) == {"2603/a/model": "a", "2603/b/model": "b", "2603/c/model": "c"}


def test_a_frozen_folder_is_read_and_followed_by_its_next_version(here: Folders, there: Folders) -> None:
    publish(here.published, {"v1/liste.csv": "a"})
    freeze_folder(here.published.root / "2603" / "v1")
    assert content(there.published.of(MONTH)) == {"2603/v1/liste.csv": "a"}
    freeze_folder(there.published.root / "2603" / "v1")
    with here.published.writing(MONTH) as root, replace_folder(root / "2603" / "v2") as draft:
        (draft / "liste.csv").write_text("b")
    assert content(there.published.of(MONTH)) == {"2603/v1/liste.csv": "a", "2603/v2/liste.csv": "b"}


def test_an_object_with_other_bytes_than_its_manifest_is_refused(
    here: Folders, there: Folders, store: tuple[ObjectStore, str]
) -> None:
    publish(here.published, {"v1/liste.csv": "a"})
    assert content(there.published.of(MONTH))
    objects, address = store
    (key,) = [key for key in keys(store) if key.endswith("liste.csv")]
    objects.client().put_object(Bucket=bucket_and_prefix(address)[0], Key=key, Body=b"altered")
    with pytest.raises(PermanentFailure, match=r"liste.csv: expected the SHA-256 .* restore it from a backup"):
        there.published.of(MONTH, afresh=True)


def test_a_manifest_cannot_name_a_file_outside_of_its_folder(
    here: Folders, there: Folders, store: tuple[ObjectStore, str]
) -> None:
    publish(here.lists, {"liste.csv": "a"})
    objects, address = store
    bucket, prefix = bucket_and_prefix(address)
    text = json.dumps({"files": {"../../outside": {"bytes": 1, "sha256": "0", "object": "x"}}})
    objects.client().put_object(Bucket=bucket, Key=f"{prefix}lists/2603.json", Body=text.encode())
    with pytest.raises(PermanentFailure, match="expected paths below its folder"):
        there.lists.of(MONTH)


def test_folders_past_their_time_are_removed_from_the_store_and_from_copies(
    here: Folders, there: Folders, store: tuple[ObjectStore, str], remote_warehouse: object
) -> None:
    publish(here.lists, {"liste.csv": "a"}, OLD)
    publish(here.lists, {"liste.csv": "b"})
    assert content(there.lists.of(OLD))
    done = run_retention(
        remote_warehouse,
        here.data,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        dry_run=False,
        shelves=here.by_name,  # type: ignore[arg-type]
    )
    assert done.folders == ("lists/1003",)
    assert not [key for key in keys(store) if "1003" in key]
    assert content(there.lists.of(OLD)) == {}
    assert content(there.lists.of(MONTH)) == {"2603/liste.csv": "b"}


# Delivered files.


def deliver(store: tuple[ObjectStore, str], name: str, text: str) -> None:
    objects, address = store
    bucket, prefix = bucket_and_prefix(address)
    objects.client().put_object(Bucket=bucket, Key=f"{prefix}incoming/{name}", Body=text.encode())


def test_delivered_objects_are_the_files_of_a_batch(here: Folders, store: tuple[ObjectStore, str]) -> None:
    for name in ("2603/sigfaible_debits.csv", "2603/corrections/x.csv", "2604/sigfaible_debits.csv", "2603/.part"):
        deliver(store, name, f"{name}\n")
    root = here.incoming.of(MONTH)
    assert set(content(root)) == {"2603/sigfaible_debits.csv", "2603/corrections/x.csv"}
    assert [path.name for path in read_batch(root, MONTH).files["debit"]] == ["sigfaible_debits.csv"]
    before = (root / "2603" / "sigfaible_debits.csv").stat()
    here.incoming.of(MONTH)
    assert (root / "2603" / "sigfaible_debits.csv").stat() == before
    deliver(store, "2603/sigfaible_debits.csv", "another\n")
    delete_every(store, "corrections")
    assert content(here.incoming.of(MONTH)) == {"2603/sigfaible_debits.csv": "another\n"}


def test_names_of_files_tell_what_is_missing_without_their_content(
    here: Folders, store: tuple[ObjectStore, str]
) -> None:
    deliver(store, "2603/sigfaible_debits.csv", "x" * 1000)
    deliver(store, "2604.json", json.dumps({"key": "2604", "files": {"debit": ["2603/sigfaible_debits.csv"]}}))
    names = here.incoming.names()
    file = names / "2603" / "sigfaible_debits.csv"
    assert file.stat().st_size == 1000
    assert file.stat().st_blocks == 0
    assert "debit" not in missing_files(read_batch(names, MONTH))
    assert "debit" in read_batch(names, date(2026, 4, 1)).files
    state = file.stat()
    assert here.incoming.names().joinpath("2603", "sigfaible_debits.csv").stat() == state
    delete_every(store, "debits.csv")
    assert not (here.incoming.names() / "2603").exists()


def test_files_written_here_are_delivered_and_removed_ones_too(
    here: Folders, there: Folders, store: tuple[ObjectStore, str]
) -> None:
    deliver(store, "2603/a.csv", "a")
    root = here.incoming.of(MONTH)
    (root / "2603" / "b.csv").write_text("b")
    (root / "2603" / ".c.csv.part").write_text("partial")
    (root / "2603" / "a.csv").unlink()
    here.incoming.share(MONTH)
    assert content(there.incoming.of(MONTH)) == {"2603/b.csv": "b"}


# Settings.


def test_folders_are_below_the_data_folder_unless_files_have_an_address(
    object_store: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in object_store.items():
        monkeypatch.setenv(name, value)
    assert Settings(data_dir=tmp_path).folders.lists == Shelf(tmp_path / "lists")
    shared = Settings(data_dir=tmp_path, files="s3://bucket/prefix/").folders
    assert shared.lists.store is not None
    assert shared.lists.store.address == "s3://bucket/prefix/lists"
    assert shared.lists.root.parent.name == "copies"
    assert object_store["AWS_SECRET_ACCESS_KEY"] not in repr(shared)


# Files that the verbs of operators write.


def test_what_operators_write_is_in_the_store(here: Folders, there: Folders) -> None:
    for name in ("evaluation", "explanations", "quarantine"):
        with here.by_name[name].writing(MONTH) as root:
            (make_private_folder(root / "2603") / "page.html").write_text(name)
            (root / "2603.html").write_text(name)
        assert content(there.by_name[name].of(MONTH)) == {"2603.html": name, "2603/page.html": name}


def test_records_edited_on_one_machine_are_replayed_on_another_and_never_replaced_by_their_original(
    here: Folders, there: Folders
) -> None:
    with here.quarantine.writing(MONTH) as root:
        (make_private_folder(root / "2603") / "debits.csv").write_text("1;wrong")
    (here.quarantine.root / "2603" / "debits.csv").write_text("1;right at last")
    here.quarantine.share(MONTH)
    for folders in (here, there):
        assert content(folders.quarantine.of(MONTH)) == {"2603/debits.csv": "1;right at last"}


def test_explanations_go_with_their_lists(here: Folders, remote_warehouse: object, tmp_path: Path) -> None:
    with here.explanations.writing(OLD) as root:
        (make_private_folder(root / "1003") / "111111111.html").write_text("a")
    (make_private_folder(tmp_path / "explanations" / "1003") / "111111111.html").write_text("a")
    done = run_retention(
        remote_warehouse,  # type: ignore[arg-type]
        tmp_path,
        at=datetime.now(UTC),
        dry_run=False,
        shelves=here.by_name,
    )
    assert done.folders == (str(tmp_path / "explanations" / "1003"), "explanations/1003")
    assert here.explanations.entries() == []
    assert not (tmp_path / "explanations" / "1003").exists()


def test_a_notice_that_waits_on_one_machine_is_sent_by_another_once(
    store: tuple[ObjectStore, str], tmp_path: Path
) -> None:
    here, there = (shelf_of(tmp_path / name, "notices", store) for name in ("here", "there"))
    channels = Channels(webhook="http://127.0.0.1:1")
    with here.whole() as waiting:
        enqueue(waiting, "run", Notice("monthly failed", ()), channels)
    for shelf in (here, there):
        with shelf.whole() as waiting:
            assert send_all(waiting, channels)["run"].failed == {"webhook": "URLError"}
    with there.whole() as waiting:
        assert send_all(waiting, Channels())["run"].failed == {}
    with here.whole() as waiting:
        assert send_all(waiting, channels) == {}
    assert keys(store) == []
