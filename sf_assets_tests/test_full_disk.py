"""A full disk: the error names the place and what to do, nothing is torn, and the same command succeeds once there is room."""

import errno
import shutil
import tempfile
from pathlib import Path

import duckdb
import pytest

from sf_assets.engine.storage import Warehouse
from sf_assets.engine.storage.catalog import is_transient
from sf_assets.engine.storage.folders import replace_folder
from sf_assets.engine.storage.room import FullDisk, LittleMemory, room_of_engine
from sf_assets.engine.storage.scratch import scratch_folder
from sf_assets_tests.writers import DEBTS, MARCH, rows, write

# Sorted, these rows need more than the memory of the session; the file of the device is always full.
MANY = "select hash(i)::varchar as siret, hash(-i)::double as montant from range(1_000_000) t (i) order by siret"
FULL = Path("/dev/full")


def write_many(warehouse: Warehouse, room: str) -> int:
    with warehouse.session() as session:
        session.connection.execute(f"set memory_limit = '40MB'; set max_temp_directory_size = '{room}'")
        return session.replace({DEBTS: MANY}, where={"month": MARCH}, author="test", message="test")["debts"].rows


def test_a_full_temporary_folder_is_named_leaves_the_month_and_is_no_obstacle_afterwards(
    either_warehouse: Warehouse,
) -> None:
    with either_warehouse.session() as session:
        write(session, 1)
    with pytest.raises(FullDisk) as full:
        write_many(either_warehouse, "1MB")
    assert f"{either_warehouse.temp_directory}: expected room" in str(full.value)
    assert "SF_TEMP_DIRECTORY" in str(full.value)
    assert full.value.allow_retries is False
    with either_warehouse.session() as session:
        assert rows(session) == [(MARCH, "a", 1.0), (MARCH, "b", 1.0)]
    assert write_many(either_warehouse, "1GB") == 1_000_000


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ('IO Error: Could not write file "/lake/tables/main/debts/a.parquet": No space left on device', "/lake/tables"),
        ('IO Error: Could not write file "/spill/lake/a.parquet": No space left on device', "/spill/lake"),
        ("Failed to execute query: database or disk is full", "/lake/tables"),
        ('IO Error: Could not write file "/spill/sf_assets_x/duckdb_temp": No space left on device', "/spill"),
    ],
)
def test_a_full_disk_is_told_from_a_catalog_that_does_not_answer(words: str, place: str) -> None:
    error = duckdb.IOException(words)
    assert not is_transient(error)
    tables = "/lake/tables" if place == "/spill" else place
    with pytest.raises(FullDisk, match=f"^{place}: expected room"), room_of_engine(Path("/spill"), tables):
        raise error


def test_too_little_memory_is_told_from_a_full_disk(warehouse: Warehouse) -> None:
    with (
        pytest.raises(LittleMemory, match="SF_MEMORY_LIMIT: expected enough memory") as little,
        warehouse.session() as session,
    ):
        session.connection.execute("set memory_limit = '5MB'; select list(i) from range(10_000_000) t (i)")
    assert little.value.allow_retries is False


def test_a_disk_without_room_for_a_folder_is_named(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    with pytest.raises(FullDisk, match=f"^{warehouse.temp_directory}: expected room"):
        warehouse.connect()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_full_disk_of_copies_and_of_published_folders_is_named(tmp_path: Path) -> None:
    target = tmp_path / "lists" / "2603"
    with replace_folder(target) as draft:
        (draft / "liste.csv").write_text("a")
    with pytest.raises(FullDisk, match=f"^{tmp_path / 'lists'}: expected room"), replace_folder(target) as draft:
        shutil.copy(draft.parent / "2603" / "liste.csv", draft) and FULL.write_bytes(b"b")
    assert [path.read_text() for path in (tmp_path / "lists").rglob("*.csv")] == ["a"]
    with pytest.raises(FullDisk, match=r"^.*: expected room .* TMPDIR"), scratch_folder(str(tmp_path)):
        FULL.write_bytes(b"b")
