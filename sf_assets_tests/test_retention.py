"""What is past its time is removed, the bytes on disk prove it, and published lists keep what they are rebuilt from."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from sf_assets.catalogue.retention import keep_of
from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.quality.verdicts import require_passed
from sf_assets.engine.storage import Warehouse, frame_of
from sf_assets.operations.erasure import erase_person
from sf_assets.operations.retention import run_retention
from sf_assets.publication.tables import PUBLICATION
from sf_assets.vocabulary.failures import UserError
from sf_assets_tests.planted_month import judge

AT = datetime(2026, 11, 20, tzinfo=UTC)
OLD, YOUNG, NEWEST = date(2022, 1, 1), date(2026, 9, 1), date(2026, 10, 1)
TABLE = TABLES["stg_filter_import"]
GONE, KEPT = "111111111", "222222222"


def write(warehouse: Warehouse, month: date, *sirens: str) -> int:
    with warehouse.session() as session:
        rows = frame_of(TABLE, [{"siren": siren} for siren in sirens])
        return session.replace({TABLE: rows}, where={"month": month}, author="test", message="test")[
            TABLE.name
        ].snapshot


def publish(warehouse: Warehouse, month: date, snapshot: int) -> None:
    row = {"version": 1, "snapshot": snapshot, "published_by": "C. Duval", "reason": "liste", "manifest": "0"}
    with warehouse.session() as session:
        session.replace(
            {PUBLICATION: frame_of(PUBLICATION, [row])}, where={"month": month}, author="test", message="published"
        )


def values_on_disk(warehouse: Warehouse) -> Iterator[str]:
    """Yield every siren in the Parquet files on disk, referenced or not."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for path in Path(warehouse.data_path).rglob("stg_filter_import/**/*.parquet"):
            if "-delete" not in path.name:
                yield from (siren for (siren,) in connection.execute(f"select siren from '{path}'").fetchall())


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    """Return a warehouse in which a month past its time shares its file with younger ones."""
    write(warehouse, OLD, GONE, KEPT)
    write(warehouse, YOUNG, KEPT)
    write(warehouse, NEWEST, KEPT)
    with warehouse.session() as session:
        session.connection.execute("call ducklake_merge_adjacent_files('lake')")
        judge(session, TABLE.name, NEWEST)
    return warehouse


def test_a_dry_run_lists_and_removes_nothing(filled: Warehouse, tmp_path: Path) -> None:
    folder = tmp_path / "incoming" / "2201"
    folder.mkdir(parents=True)
    planned = run_retention(filled, tmp_path, at=AT)
    assert [(item.table, item.months, item.rows) for item in planned.rows] == [(TABLE.name, (OLD,), 2)]
    assert planned.folders == (str(folder),)
    assert folder.is_dir()
    assert GONE in set(values_on_disk(filled))


def test_rows_past_their_time_leave_no_byte_and_verdicts_on_younger_ones_hold(
    filled: Warehouse, tmp_path: Path
) -> None:
    done = run_retention(filled, tmp_path, at=AT, dry_run=False)
    assert (done.identifiers, done.left) == (1, ())
    assert set(values_on_disk(filled)) == {KEPT}
    with filled.session() as session:
        assert session.months(TABLE.name) == [YOUNG, NEWEST]
        require_passed(session, [(TABLE.name, NEWEST)], SUITES)
    assert run_retention(filled, tmp_path, at=AT).rows == ()


def test_what_a_published_list_was_made_from_stays_until_the_list_is_past_its_time(
    filled: Warehouse, tmp_path: Path
) -> None:
    snapshot = int(filled.query("select max(snapshot_id) as n from lake.snapshots()").item())
    publish(filled, date(2025, 1, 1), snapshot)
    publish(filled, NEWEST, snapshot + 1)
    done = run_retention(filled, tmp_path, at=AT, dry_run=False)
    assert done.left == ()
    with replace(filled, snapshot=snapshot).session() as session:
        held = session.connection.execute("select siren from lake.stg_filter_import where month = $1", [OLD]).fetchall()
    assert sorted(held) == [(GONE,), (KEPT,)]
    later = datetime(2031, 1, 20, tzinfo=UTC)
    write(filled, date(2030, 12, 1), KEPT)
    assert run_retention(filled, tmp_path, at=later, dry_run=False).left == ()
    numbers = filled.query("select snapshot_id from lake.snapshots()")["snapshot_id"].to_list()
    assert snapshot not in numbers


def test_the_newest_month_of_a_table_stays_whatever_its_age(warehouse: Warehouse, tmp_path: Path) -> None:
    write(warehouse, OLD, KEPT)
    assert run_retention(warehouse, tmp_path, at=AT, dry_run=False).rows == ()
    assert set(values_on_disk(warehouse)) == {KEPT}


def test_a_file_that_still_holds_an_identifier_is_named(
    filled: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_over = Path(filled.data_path) / "main" / "stg_filter_import" / "ducklake-forgotten.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"copy (select '{GONE}00012' as siret) to '{left_over}'")
    done = run_retention(filled, tmp_path, at=AT, dry_run=False)
    assert done.left == (str(left_over),)
    assert any(line.startswith("NOT CLEAN") for line in done.lines())


def test_frozen_and_versioned_folders_are_removed_by_their_month(warehouse: Warehouse, tmp_path: Path) -> None:
    write(warehouse, NEWEST, KEPT)
    old, young = (tmp_path / "lists" / name for name in ("2101_v1", "2609"))
    frozen = tmp_path / "published" / "2101" / "v1"
    for folder in (old, young, frozen):
        folder.mkdir(parents=True)
    (frozen / "liste.csv").write_text("x")
    frozen.chmod(0o500)
    done = run_retention(warehouse, tmp_path, at=AT, dry_run=False)
    assert set(done.folders) == {str(old), str(frozen.parent)}
    assert not old.exists()
    assert not frozen.exists()
    assert young.is_dir()


def test_every_table_has_a_time_of_retention() -> None:
    assert all(keep_of(name).months >= 12 for name in TABLES)
    assert all(keep_of(suite.table.name).reason for suite in SUITES.values() if suite.table)
    with pytest.raises(KeyError, match="expected a time of retention"):
        keep_of("unknown_table")


PERSON = "333333333"


@pytest.fixture
def with_person(warehouse: Warehouse) -> Warehouse:
    """Return a warehouse in which two months and a quarantined line name a natural person and a company."""
    for month in (YOUNG, NEWEST):
        write(warehouse, month, PERSON, KEPT)
    units = [{"siren": PERSON, "categorie_juridique": "1000"}, {"siren": KEPT, "categorie_juridique": "5710"}]
    refused = [{"source": "debit", "raw": f"x;{PERSON}00012;y"}, {"source": "debit", "raw": f"x;{KEPT}00012;y"}]
    quarantine = SUITES["stg_quarantine"].table
    assert quarantine is not None
    with warehouse.session() as session:
        session.replace(
            {
                TABLES["clean_sirene_ul"]: frame_of(TABLES["clean_sirene_ul"], units),
                quarantine: frame_of(quarantine, refused),
            },
            where={"month": NEWEST},
            author="test",
            message="test",
        )
        judge(session, TABLE.name, NEWEST)
    return warehouse


def test_a_natural_person_is_erased_everywhere_and_the_trace_does_not_name_it(with_person: Warehouse) -> None:
    planned = erase_person(with_person, PERSON, by="C. Duval", reason="demande 14", at=AT)
    assert (planned.done, planned.rows, planned.tables) == (False, 4, 3)
    done = erase_person(with_person, PERSON, by="C. Duval", reason="demande 14", at=AT, dry_run=False)
    assert (done.rows, done.left) == (4, ())
    content = "".join(
        str(duckdb.sql(f"from '{path}'").fetchall()) for path in Path(with_person.data_path).rglob("*.parquet")
    )
    assert PERSON not in content
    assert KEPT in content
    assert with_person.query("select erased_by, reason, erased_rows from lake.erasures").rows() == [
        ("C. Duval", "demande 14", 4)
    ]
    with with_person.session() as session:
        require_passed(session, [(TABLE.name, NEWEST)], SUITES)


def catalog_texts(warehouse: Warehouse) -> set[str]:
    """Return the ends of ranges of values that the catalog stores, of tables and of files."""
    stored = "select unnest([min_value, max_value]) from __ducklake_metadata_lake.ducklake_{}_column_stats"
    with warehouse.session() as session:
        found = session.connection.execute(f"{stored.format('table')} union {stored.format('file')}").fetchall()
    return {value for (value,) in found if value}


def test_the_catalog_forgets_who_was_the_first_or_the_last_of_a_column(with_person: Warehouse) -> None:
    names = SUITES["clean_sirene_ul"].table
    assert names is not None
    rows = [
        {"siren": PERSON, "categorie_juridique": "1000", "raison_sociale": "AARON ALBAN"},
        {"siren": KEPT, "categorie_juridique": "5710", "raison_sociale": "MENUISERIE"},
    ]
    with with_person.session() as session:
        session.replace({names: frame_of(names, rows)}, where={"month": NEWEST}, author="test", message="test")
    assert {PERSON, "AARON ALBAN"} <= catalog_texts(with_person)
    done = erase_person(with_person, PERSON, by="C. Duval", reason="demande 14", at=AT, dry_run=False)
    assert done.clean
    left = catalog_texts(with_person)
    assert not [text for text in left if PERSON in text or "AARON" in text]
    for siren, found in ((KEPT, 1), (PERSON, 0)):
        assert with_person.query(f"from lake.clean_sirene_ul where siren = '{siren}'").height == found
    # A later write, outside of the former range, is found too.
    write(with_person, date(2026, 11, 1), "000000001", "999999999")
    assert with_person.query("from lake.stg_filter_import where siren in ('000000001', '999999999')").height == 2


def test_a_statistic_that_still_names_the_person_is_counted(
    with_person: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sf_assets.engine.storage.retention.widen_statistics", lambda _: 0)
    done = erase_person(with_person, PERSON, by="C. Duval", reason="demande 14", at=AT, dry_run=False)
    assert not done.clean
    assert done.in_catalog > 0
    assert "NOT CLEAN: 0 files" in done.summary


@pytest.mark.parametrize(
    ("siren", "reason", "message"),
    [
        (KEPT, "demande 14", "A company is not erased"),
        ("999999999", "demande 14", "A company is not erased"),
        ("12", "demande 14", "expected 9 digits"),
        (PERSON, f"demande de {PERSON}", "does not name the person"),
        (PERSON, " ", "does not name the person"),
    ],
)
def test_only_a_natural_person_is_erased_for_a_reason(
    with_person: Warehouse, siren: str, reason: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        erase_person(with_person, siren, by="C. Duval", reason=reason, at=AT, dry_run=False)
    assert PERSON in set(values_on_disk(with_person))
