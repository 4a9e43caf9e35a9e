"""Inspected files: a file is read only while its bytes are those inspected, whatever its size and date."""

import dataclasses
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.sources.arrival import ARRIVALS, inspect
from sf_assets.sources.batch import Batch, read_batch
from sf_assets.sources.inspection import counted_records, inspected_files
from sf_assets.sources.registry import BY_NAME
from sf_assets.vocabulary.failures import BadFile

MONTH = date(2026, 3, 1)
CONTENT = "Siret;Siren;Dt_effet;Lib_actx_stdx\n40000000100012;400000001;26MAY2014;liquidation_ouverture\n"


class Folder:
    """A batch of one file, inspected once."""

    def __init__(self, session: Session, incoming: Path) -> None:
        self.session = session
        self.path = incoming / "2603" / "sigfaible_pcoll.csv"
        self.path.parent.mkdir()
        self.path.write_text(CONTENT)
        self.batch: Batch = read_batch(incoming, MONTH)
        self.record(dataclasses.asdict(inspect(self.path, BY_NAME["procol"])))

    def record(self, row: dict[str, object]) -> None:
        rows = frame_of(ARRIVALS, [row])
        self.session.replace({ARRIVALS: rows}, where={"month": MONTH}, author="test", message="test")

    def files(self):
        return inspected_files(self.session, self.batch, "procol", reader="stg_procol", asset="src_procol")

    def rewrite(self, content: str) -> None:
        """Write other bytes of the same second."""
        stat = self.path.stat()
        self.path.write_text(content)
        os.utime(self.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def touch(self, how: str) -> None:
        match how:
            case "rewritten":
                self.rewrite(CONTENT.replace("2014", "2015"))
            case "replaced":
                shutil.copy2(self.path, self.path.with_suffix(".copy")).replace(self.path)
            case "restored":
                self.rewrite(CONTENT.replace("2014", "2015"))
                self.rewrite(CONTENT)
            case _:
                self.path.unlink()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "incoming").mkdir()
    warehouse = Warehouse(catalog=str(tmp_path / "catalog.sqlite"), data_path=str(tmp_path / "tables"), threads=1)
    with warehouse.session() as session:
        yield Folder(session, tmp_path / "incoming")


def test_other_bytes_of_the_same_size_and_second_are_not_read(folder: Folder) -> None:
    folder.rewrite(CONTENT.replace("2014", "2015"))
    assert folder.path.stat().st_size == len(CONTENT)
    with (
        pytest.raises(BadFile, match=r"stg_procol, 2026-03: .* changed since. Materialise src_procol again"),
        folder.files(),
    ):
        pytest.fail("a changed file was opened for reading")


def test_the_same_bytes_under_another_date_are_read(folder: Folder) -> None:
    copy = folder.path.with_suffix(".copy")
    shutil.copy(folder.path, copy)
    copy.replace(folder.path)
    os.utime(folder.path, (0, 0))
    with folder.files() as found:
        assert found == {"sigfaible_pcoll.csv": folder.path}


@pytest.mark.parametrize("how", ["rewritten", "replaced", "restored", "removed"])
def test_a_file_that_changes_while_it_is_read_is_refused(folder: Folder, how: str) -> None:
    with pytest.raises(BadFile, match=r"stg_procol, 2026-03: .* found a change while they were read"), folder.files():
        folder.touch(how)


def test_rows_read_from_a_file_that_changed_meanwhile_are_not_committed(folder: Folder) -> None:
    before = folder.session.connection.execute("from lake.src_arrivals").fetchall()
    row = dataclasses.asdict(inspect(folder.path, BY_NAME["procol"])) | {"lines": 9}

    def read() -> None:
        with folder.files() as found:
            folder.touch("rewritten")
            folder.session.replace(
                {ARRIVALS: frame_of(ARRIVALS, [row])},
                where={"month": MONTH},
                author="test",
                message="test",
                verify=found.require_unchanged,
            )

    with pytest.raises(BadFile, match="found a change while they were read"):
        read()
    assert folder.session.connection.execute("from lake.src_arrivals").fetchall() == before


def test_an_error_while_reading_an_unchanged_file_is_raised_unchanged(folder: Folder) -> None:
    with pytest.raises(ZeroDivisionError), folder.files():
        1 / 0  # noqa: B018


def test_a_file_inspected_before_records_were_counted_is_inspected_again(folder: Folder) -> None:
    assert counted_records(folder.session, folder.batch, "procol", asset="src_procol") == {"sigfaible_pcoll.csv": 1}
    folder.record(dataclasses.asdict(inspect(folder.path, BY_NAME["procol"])) | {"records": None})
    with pytest.raises(BadFile, match=r"src_procol, 2026-03: .* found none. Materialise src_procol again"):
        counted_records(folder.session, folder.batch, "procol", asset="src_procol")
