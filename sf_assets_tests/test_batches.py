"""Batches by description instead of file names, and batches of which only some sources are loaded."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.sources.batch import BadBatch, NoBatch, missing_files, read_batch
from sf_assets.sources.content import file_states, reading_order
from sf_assets_tests.runs import LOADED as SEPTEMBER
from sf_assets_tests.runs import Place, copy_of

OCTOBER = date(2026, 10, 1)
DEBITS = "sigfaible_debits.csv"
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def describe(incoming: Path, files: object, key: object = "2610") -> Path:
    path = incoming / "2610.json"
    path.write_text(json.dumps({"key": key, "files": files, "params": {"date_fin": "2026-10-01T00:00:00Z"}}))
    return path


def test_a_description_names_files_of_any_name_in_its_own_order(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "x.txt.gz"
    describe(tmp_path, {"debit": ["2610/z.txt", str(elsewhere), "2609/../2610/a.txt"], "filter": ["mes_sirens.csv"]})
    batch = read_batch(tmp_path, OCTOBER)
    assert batch.files == {
        "debit": (tmp_path / "2610" / "z.txt", elsewhere, tmp_path / "2610" / "a.txt"),
        "filter": (tmp_path / "mes_sirens.csv",),
    }
    assert [batch.name_of(path) for path in batch.files["debit"]] == ["z.txt", "elsewhere/x.txt.gz", "a.txt"]


def test_a_description_is_used_instead_of_the_file_names(tmp_path: Path) -> None:
    (tmp_path / "2610").mkdir()
    (tmp_path / "2610" / DEBITS).write_text("")
    describe(tmp_path, {"procol": ["2610/p.csv"]})
    assert list(read_batch(tmp_path, OCTOBER).files) == ["procol"]


def test_an_empty_list_is_no_delivery_and_an_unknown_type_is_set_aside(tmp_path: Path) -> None:
    describe(tmp_path, {"ccsf": [], "dette": ["a.csv"], "debit": ["d.csv"], "rien": []})
    batch = read_batch(tmp_path, OCTOBER)
    assert (list(batch.files), batch.unsupported) == (["debit"], ("dette",))


def test_files_of_one_name_in_two_folders_are_two_files(tmp_path: Path) -> None:
    describe(tmp_path, {"debit": ["2609/d.csv", "2610/d.csv"]})
    batch = read_batch(tmp_path, OCTOBER)
    assert [batch.name_of(path) for path in batch.files["debit"]] == ["2609/d.csv", "d.csv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"key": "2610",\n "files": {"debit": ["a.csv" "b.csv"]}}',
         """2610.json, line 2, column 30: expected ',' delimiter, found '"'"""),
        ('{"key": "2610"', "2610.json, line 1, column 15: expected ',' delimiter, found the end of the file"),
        ("", "2610.json, line 1, column 1: expected value, found the end of the file"),
        ('{"key": "2610"} x', "2610.json, line 1, column 17: expected JSON (Extra data), found 'x'"),
        ("[]", "2610.json: expected an object with `key` and `files`, found []"),
        ('{"key": "2610"}', "2610.json, files: expected an object: types and lists of paths, found none"),
        ('{"key": "2610", "files": {"debit": "a.csv"}}',
         '2610.json, files.debit: expected a list of paths, found "a.csv"'),
        ('{"key": "2610", "files": {"debit": ["a.csv", 3]}}', "2610.json, files.debit[1]: expected a path, found 3"),
        ('{"key": "2609", "files": {}}', "2610.json, key: expected '2610' as in its name, found '2609'"),
        ('{"key": 2610, "files": {}}', "2610.json, key: expected '2610' as in its name, found 2610"),
        ('{"files": {}}', "2610.json, key: expected '2610' as in its name, found None"),
        ('{"key": "2610", "files": {"debit": ["a"], "debit": ["b"]}}',
         "2610.json: expected each name once in an object, found 'debit' twice"),
        ('{"key": "2610",\n"files": "é"}', "2610.json, line 2: expected UTF-8, found byte 0xe9"),
    ],
)  # fmt: skip
def test_a_description_that_is_wrong_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "2610.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadBatch) as refused:
        read_batch(tmp_path, OCTOBER)
    assert str(refused.value) == message
    assert not isinstance(refused.value, NoBatch)


@pytest.mark.parametrize(
    "path",
    ["../secret.csv", "/etc/hostname", "2610/../../secret.csv", "2610/link/secret.csv", "2610/secret.csv", "~/x.csv"],
)
def test_a_description_names_files_below_the_folder_of_batches_only(tmp_path: Path, path: str) -> None:
    incoming = tmp_path / "incoming"
    (incoming / "2610").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("x")
    (incoming / "2610" / "link").symlink_to(tmp_path)
    (incoming / "2610" / "secret.csv").symlink_to(tmp_path / "secret.csv")
    describe(incoming, {"procol": ["2610/p.csv"], "debit": ["2610/d.csv", path]})
    if path.startswith("~"):
        # No shell expands it: a folder of that name, below the folder of batches.
        assert read_batch(incoming, OCTOBER).files["debit"][1] == incoming / "~" / "x.csv"
        return
    with pytest.raises(BadBatch) as refused:
        read_batch(incoming, OCTOBER)
    assert str(refused.value) == (
        "2610.json, files.debit[1]: expected a path below incoming, the folder of batches, found "
        f"{path!r}, which leaves it. Put the file there"
    )


def test_a_batch_waits_for_the_files_of_its_description(tmp_path: Path) -> None:
    describe(tmp_path, {"debit": ["2610/d.csv"]})
    waiting = read_batch(tmp_path, OCTOBER)
    assert "debit" not in missing_files(waiting)
    assert missing_files(waiting)[-1] == "d.csv"
    (tmp_path / "2610").mkdir()
    (tmp_path / "2610" / "d.csv").write_text("Siret\n")
    assert missing_files(read_batch(tmp_path, OCTOBER))[-1] != "d.csv"


def test_another_reading_order_of_the_same_files_is_another_delivery(tmp_path: Path) -> None:
    seen = set()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    for order in (["a.csv", "b.csv"], ["b.csv", "a.csv"]):
        describe(tmp_path, {"debit": order})
        batch = read_batch(tmp_path, OCTOBER)
        seen.add((file_states(batch), reading_order(batch)))
    states, orders = zip(*seen, strict=True)
    assert len(set(states)) == len(set(orders)) == 2


@pytest.fixture(scope="module")
def loaded(loaded_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return copy_of(loaded_month, tmp_path_factory.mktemp("batches"))


@pytest.fixture
def place(loaded: Place) -> Iterator[Place]:
    """Yield the deployment, and remove the files of the test afterwards."""
    incoming = loaded.settings.data_dir / "incoming"
    before = set(incoming.rglob("*"))
    yield loaded
    for path in sorted(set(incoming.rglob("*")) - before, reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


SOURCES_OF_DEBIT = ("src_debit", "stg_debit", "clean_debit")


def test_debts_described_in_two_files_of_one_name_load_as_the_whole_file_does(place: Place) -> None:
    before = place.content(SEPTEMBER, ["stg_debit", "clean_debit"])
    incoming = place.settings.data_dir / "incoming"
    header, *records = (place.batch(SEPTEMBER) / DEBITS).read_bytes().splitlines(keepends=True)
    for folder, part in (("2509/first", records[:50]), ("2509/second", records[50:])):
        (incoming / folder).mkdir()
        (incoming / folder / "d.txt.gz").write_bytes(gzip.compress(header + b"".join(part)))
    files = {"debit": ["2509/first/d.txt.gz", "2509/second/d.txt.gz"], "unknown": ["x"]}
    (incoming / "2509.json").write_text(json.dumps({"key": "2509", "files": files}))
    run = place.build(SEPTEMBER, *SOURCES_OF_DEBIT)
    assert run.failures == {}
    assert "type de fichier non supporté : unknown" in run.warnings
    for table, rows in before.items():
        assert_frame_equal(place.rows(table, SEPTEMBER), rows)
    counted = place.rows("stg_import", SEPTEMBER).filter(source="debit")
    assert dict(counted.select("file", "records").iter_rows()) == {
        "2509/first/d.txt.gz": 50,
        "2509/second/d.txt.gz": len(records) - 50,
    }


def test_a_described_file_that_is_not_there_stops_its_own_source_only(place: Place) -> None:
    before = place.rows("stg_debit", SEPTEMBER)
    incoming = place.settings.data_dir / "incoming"
    files = {"debit": ["2509/nowhere.csv"], "procol": ["2509/sigfaible_pcoll.csv"]}
    (incoming / "2509.json").write_text(json.dumps({"key": "2509", "files": files}))
    run = place.build(SEPTEMBER, "src_debit", "stg_debit", "src_procol", "stg_procol")
    assert run.errors == ["nowhere.csv: expected a file as named in the description of the batch, found none"]
    assert run.written == {"src_debit", "src_procol", "stg_procol"}
    assert_frame_equal(place.rows("stg_debit", SEPTEMBER), before)


def test_a_wrong_description_starts_no_asset_and_is_reported(place: Place) -> None:
    (place.settings.data_dir / "incoming" / "2509.json").write_text('{"key": "2510", "files": {}}')
    run = place.build(SEPTEMBER, "src_debit")
    assert list(run.failures.values()) == ["2509.json, key: expected '2509' as in its name, found '2510'"]


def test_loading_some_sources_does_not_change_the_others(place: Place) -> None:
    """Loading one source does not reset the others (trap 14)."""
    tables = [table for table in place.tables() if table not in {"check_verdicts", "stg_debit"}]
    assert place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    before = place.content(SEPTEMBER, tables)
    path = place.batch(SEPTEMBER) / DEBITS
    good = path.read_bytes()
    path.write_bytes(b"".join(good.splitlines(keepends=True)[::2]))
    try:
        run = place.build(SEPTEMBER, "src_debit", "stg_debit")
        debits = place.rows("stg_debit", SEPTEMBER).height
    finally:
        path.write_bytes(good)
    assert run.failures == {}
    assert run.written == {"src_debit", "stg_debit"}
    # The ledgers have rows of the source loaded again.
    for table in set(tables) - {"src_arrivals", "stg_import", "stg_quarantine", "import_log", "asset_inputs"}:
        assert_frame_equal(place.rows(table, SEPTEMBER), before[table])
    for ledger in ("src_arrivals", "stg_import"):
        others = pl.col("source") != "debit"
        assert_frame_equal(place.rows(ledger, SEPTEMBER).filter(others), before[ledger].filter(others))
    assert place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    assert 0 < debits < place.rows("stg_debit", SEPTEMBER).height


def test_an_explicit_filter_stays_the_perimeter_of_its_month_after_later_loads(place: Place) -> None:
    (siren, *_) = sorted(set(place.rows("stg_debit", SEPTEMBER)["siret"].str.slice(0, 9)))
    path = place.batch(SEPTEMBER) / "filter_essai.csv"
    path.write_text(f"siren\n{siren}\n")
    assert place.build(SEPTEMBER, "src_filter", "stg_filter", "src_admin_urssaf", "stg_admin_urssaf").failures == {}
    assert place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    assert set(place.rows("stg_debit", SEPTEMBER)["siret"].str.slice(0, 9)) == {siren}
    path.unlink()
    assert place.build(SEPTEMBER, "src_filter", "stg_filter", "src_admin_urssaf", "stg_admin_urssaf").failures == {}
    assert place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    assert len(set(place.rows("stg_debit", SEPTEMBER)["siret"].str.slice(0, 9))) > 1
