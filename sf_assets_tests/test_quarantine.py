"""Refused records: logged, counted, exported, corrected and read again, each loaded once."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from sf_assets.commands.app import app
from sf_assets.operations import quarantine
from sf_assets.sources.batch import read_batch
from sf_assets.sources.corrections import CORRECTIONS
from sf_assets.sources.registry import BY_NAME
from sf_assets_tests.runs import LOADED as SEPTEMBER
from sf_assets_tests.runs import Place, copy_of

FILES = {
    "debit": "sigfaible_debits.csv",
    "cotisation": "sigfaible_cotisdues.csv.gz",
    "effectif_ent": "sigfaible_effectif_siren.csv",
    "sirene": "StockEtablissement_utf8_geo.csv",
}
TABLES = (
    "stg_filter_import",
    "stg_filter_steps",
    *(f"stg_{name}" for name in FILES),
    "clean_debit",
    "clean_cotisation",
)
REGISTER = ("clean_naf_paire", "clean_naf_passage", "clean_sirene_ul")
ASSETS = (*(f"src_{name}" for name in FILES), *TABLES, *REGISTER, "siren_blacklist", "clean_filter")
OTHERS = [f"{layer}_{source}" for layer in ("src", "stg") for source in ("filter", "sirene_ul", "admin_urssaf")]
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def lines_of(path: Path) -> list[str]:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()


def rewrite(path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


@dataclass(frozen=True)
class Spoilt:
    """A month of which some records were spoilt after it was first loaded; `good` are the rows it should load."""

    place: Place
    good: dict[str, pl.DataFrame]
    lines: dict[str, dict[int, str]]

    @property
    def work(self) -> Path:
        return self.place.settings.data_dir / "quarantine" / "2509"

    def replay(self, source: str) -> dict[Path, int]:
        batch = read_batch(self.place.settings.data_dir / "incoming", SEPTEMBER)
        return quarantine.replay(self.place.warehouse, batch, BY_NAME[source], self.work)

    def export(self, source: str) -> list[Path]:
        batch = read_batch(self.place.settings.data_dir / "incoming", SEPTEMBER)
        return quarantine.export(self.place.warehouse, batch, BY_NAME[source], self.work)

    def correct(self, source: str, change: Callable[[int, str], str]) -> None:
        """Edit the exported file as an operator does; `change` gives the new text of a record."""
        (path,) = self.export(source)
        header, *records = path.read_text().splitlines()
        separator = BY_NAME[source].separator
        numbered = [(int(record.split(separator, 1)[0]), record.split(separator, 1)[1]) for record in records]
        path.write_text(
            "\n".join([header, *(f"{line}{separator}{change(line, raw)}" for line, raw in numbered)]) + "\n"
        )

    def count(self, source: str) -> pl.DataFrame:
        return self.place.rows("stg_import", SEPTEMBER).filter(source=source).sort("file", descending=True)


def cut_short(record: str) -> str:
    return record.rsplit(";", 2)[0]


@pytest.fixture(scope="module")
def loaded(loaded_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    place = copy_of(loaded_month, tmp_path_factory.mktemp("quarantine"))
    good = place.content(SEPTEMBER, TABLES)
    followed = set(good["stg_filter_import"]["siren"])
    spoilt = {}
    for source, name in FILES.items():
        path = place.batch(SEPTEMBER) / name
        lines = lines_of(path)
        separator = BY_NAME[source].separator
        siren = lines[0].lower().split(separator).index("siren" if source == "effectif_ent" else "siret")
        concerned = [n for n, line in enumerate(lines) if n and line.split(separator)[siren][:9] in followed]
        chosen = concerned[3:30:12]
        spoilt[source] = {n + 1: lines[n] for n in chosen}
        for n in chosen:
            if source == "sirene":
                place_of = lines[0].split(separator).index("longitude")
                fields = lines[n].split(separator)
                fields[place_of] = "ouest"
                lines[n] = separator.join(fields)
            else:
                lines[n] = cut_short(lines[n])
        rewrite(path, lines)
    assert place.build(SEPTEMBER, *ASSETS, *OTHERS).failures == {}
    return Spoilt(place, good, spoilt)


@pytest.fixture
def spoilt(loaded: Spoilt, tmp_path: Path) -> Spoilt:
    """Return the spoilt month as it loads, in a copy of its own."""
    return replace(loaded, place=copy_of(loaded.place.settings.data, tmp_path / "data"))


def test_the_log_has_the_outcome_of_each_file_in_french_and_the_first_messages(spoilt: Spoilt) -> None:
    (row,) = spoilt.place.rows("import_log", SEPTEMBER).filter(source="debit").iter_rows(named=True)
    count = spoilt.count("debit").row(0, named=True)
    refused = spoilt.lines["debit"]
    assert row["summary"] == (
        f"sigfaible_debits.csv: intégration terminée, {count['records']} lignes traitées, 0 erreurs fatales, "
        f"{len(refused)} lignes rejetées, {count['filtered']} lignes filtrées, {count['accepted']} lignes valides"
    )
    assert row["lines_parsed"] == row["lines_rejected"] + row["lines_skipped"] + row["lines_valid"]
    messages = row["head_rejected"].splitlines()
    assert [message.split(":")[0] for message in messages] == [f"Line {line}" for line in refused]
    assert messages[0].endswith("fields, found " + str(len(cut_short(next(iter(refused.values()))).split(";"))))
    assert (row["is_fatal"], row["head_fatal"]) == (False, None)


def test_a_refused_file_is_logged_as_fatal_while_the_counts_of_loaded_records_stay(spoilt: Spoilt) -> None:
    before = spoilt.count("debit")
    path = spoilt.place.batch(SEPTEMBER) / FILES["debit"]
    good = path.read_bytes()
    path.write_bytes(good.replace(b"Mt_PO", b"Montant", 1))
    try:
        spoilt.place.build(SEPTEMBER, "src_debit")
    finally:
        path.write_bytes(good)
    (row,) = spoilt.place.rows("import_log", SEPTEMBER).filter(source="debit").iter_rows(named=True)
    assert row["is_fatal"]
    assert row["head_fatal"].startswith("Fatal: sigfaible_debits.csv, line 1: expected column Mt_PO")
    assert row["summary"] == (
        "sigfaible_debits.csv: intégration terminée, 0 lignes traitées, 1 erreurs fatales, 0 lignes rejetées, "
        "0 lignes filtrées, 0 lignes valides"
    )
    assert_frame_equal(spoilt.count("debit"), before)


def test_two_hundred_messages_are_stored_and_all_records_counted(spoilt: Spoilt) -> None:
    path = spoilt.place.batch(SEPTEMBER) / FILES["debit"]
    good = path.read_bytes()
    path.write_bytes(good + b"x;y\n" * 250)
    try:
        spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit")
    finally:
        path.write_bytes(good)
    (row,) = spoilt.place.rows("import_log", SEPTEMBER).filter(source="debit").iter_rows(named=True)
    assert row["lines_rejected"] == 250 + len(spoilt.lines["debit"])
    assert len(row["head_rejected"].splitlines()) == 200


def test_a_second_replay_changes_nothing(spoilt: Spoilt) -> None:
    spoilt.correct("debit", lambda line, _: spoilt.lines["debit"][line])
    (correction,) = spoilt.replay("debit")
    spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit")
    before = spoilt.place.content(SEPTEMBER, ["stg_debit", "stg_import", "stg_quarantine", "src_arrivals"])
    stat = correction.stat()
    assert spoilt.replay("debit") == {correction: len(spoilt.lines["debit"])}
    assert correction.stat().st_mtime_ns == stat.st_mtime_ns
    assert spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    for table, rows in before.items():
        assert_frame_equal(spoilt.place.rows(table, SEPTEMBER), rows)


def test_unchanged_records_stay_refused_and_count_once(spoilt: Spoilt) -> None:
    first, *others = spoilt.lines["debit"]
    spoilt.correct("debit", lambda line, raw: spoilt.lines["debit"][line] if line == first else raw)
    assert list(spoilt.replay("debit").values()) == [1]
    spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit")
    original, correction = spoilt.count("debit").iter_rows(named=True)
    assert (original["quarantined"], original["corrected"]) == (1 + len(others), 1)
    assert (correction["records"], correction["accepted"]) == (1, 1)
    spoilt.correct("debit", lambda line, _: spoilt.lines["debit"][line])
    assert list(spoilt.replay("debit").values()) == [1 + len(others)]
    assert spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    assert_frame_equal(spoilt.place.rows("stg_debit", SEPTEMBER), spoilt.good["stg_debit"])


@pytest.mark.parametrize("taken_out", [True, False])
def test_restoring_a_record_withdraws_its_correction(spoilt: Spoilt, *, taken_out: bool) -> None:
    tables = ["stg_debit", "stg_import", "stg_quarantine", "src_arrivals"]
    # The files of a copy have a time of change of their own, which the arrivals record.
    assert spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    before = spoilt.place.content(SEPTEMBER, tables)
    spoilt.correct("debit", lambda line, _: spoilt.lines["debit"][line])
    (correction,) = spoilt.replay("debit")
    spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit")
    assert spoilt.place.rows("stg_debit", SEPTEMBER).height > before["stg_debit"].height
    if taken_out:
        (work,) = spoilt.export("debit")
        rewrite(work, lines_of(work)[:1])
    else:
        spoilt.correct("debit", lambda line, _: cut_short(spoilt.lines["debit"][line]))
    assert spoilt.replay("debit") == {correction: 0}
    assert not correction.exists()
    assert spoilt.replay("debit") == {correction: 0}
    assert spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    for table, rows in before.items():
        assert_frame_equal(spoilt.place.rows(table, SEPTEMBER), rows)


def test_a_refused_correction_replaces_nothing(spoilt: Spoilt) -> None:
    before = spoilt.place.rows("stg_sirene", SEPTEMBER)
    spoilt.correct("sirene", lambda _, raw: raw + ",trop")
    spoilt.replay("sirene")
    assert spoilt.place.build(SEPTEMBER, "src_sirene", "stg_sirene").failures == {}
    assert_frame_equal(spoilt.place.rows("stg_sirene", SEPTEMBER), before)
    original, correction = spoilt.count("sirene").iter_rows(named=True)
    assert (original["corrected"], original["cells"]) == (0, len(spoilt.lines["sirene"]))
    assert correction["quarantined"] == len(spoilt.lines["sirene"])


def test_a_correction_of_a_record_that_was_not_refused_is_not_loaded(spoilt: Spoilt) -> None:
    spoilt.correct("debit", lambda line, _: spoilt.lines["debit"][line])
    (correction,) = spoilt.replay("debit")
    header, *records = correction.read_text().splitlines()
    rewrite(correction, [header, *records, "2;" + records[0].split(";", 1)[1], records[0]])
    before = spoilt.place.rows("stg_debit", SEPTEMBER)
    run = spoilt.place.build(SEPTEMBER, "src_debit", "stg_debit")
    assert run.failures["stg_debit"].startswith(
        "2509/corrections/sigfaible_debits.csv: expected in the column ligne the number of a quarantined line of "
        "sigfaible_debits.csv, each once, found 2 other records, the first on line "
    )
    assert_frame_equal(spoilt.place.rows("stg_debit", SEPTEMBER), before)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda lines: [lines[0].replace("Mt_PO", "Montant"), *lines[1:]],
            "expected the columns of its original after",
        ),
        (lambda lines: [*lines, "2;x"], "expected lines of sigfaible_debits.csv that were refused, found line 2"),
        (lambda lines: [*lines, lines[1]], "expected each line once, found line "),
    ],
)
def test_an_edited_file_with_other_columns_or_lines_is_not_replayed(
    spoilt: Spoilt, spoil: Callable[[list[str]], list[str]], message: str
) -> None:
    (path,) = spoilt.export("debit")
    rewrite(path, spoil(lines_of(path)))
    with pytest.raises(quarantine.CannotCorrect, match=message):
        spoilt.replay("debit")
    assert not list((spoilt.place.batch(SEPTEMBER) / CORRECTIONS).glob("*"))


def test_an_edited_file_is_never_overwritten_before_it_is_replayed(spoilt: Spoilt) -> None:
    spoilt.correct("debit", lambda line, _: spoilt.lines["debit"][line])
    with pytest.raises(quarantine.CannotCorrect, match="expected no change since its last replay, found some"):
        spoilt.export("debit")
    spoilt.replay("debit")
    assert len(spoilt.export("debit")) == 1


def test_the_command_lists_exports_and_replays_without_printing_a_record(
    spoilt: Spoilt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SF_DATA_DIR", str(spoilt.place.settings.data_dir))
    printed = ""
    for verb in ("list", "export", "replay"):
        result = CliRunner().invoke(app, ["quarantine", verb, "2025-09", "debit"])
        assert result.exit_code == 0
        printed += result.output
    (first, *_) = spoilt.lines["debit"].values()
    assert first.split(";")[2] not in printed
    assert "record: record, expected 17 fields" in printed
    assert "then: sf quarantine replay 2025-09 debit\n" in printed
    assert "then: sf run monthly 2025-09 --from src_debit\n" in printed


def test_a_source_without_a_refused_record_says_so(spoilt: Spoilt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SF_DATA_DIR", str(spoilt.place.settings.data_dir))
    result = CliRunner().invoke(app, ["quarantine", "export", "2025-09", "delai"])
    assert (result.exit_code, result.stdout) == (0, "2025-09: no record of delai is refused\n")


def test_the_reasons_of_refused_records_and_cells_are_beside_them_and_replay_reads_the_records_alone(
    spoilt: Spoilt,
) -> None:
    for source, column, refused in (("debit", "", "record"), ("sirene", "longitude", "cell")):
        (path,) = spoilt.export(source)
        with quarantine.reasons_of(path).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter=BY_NAME[source].separator))
        assert [int(row["ligne"]) for row in rows] == list(spoilt.lines[source])
        assert {(row["column"], row["refused"]) for row in rows} == {(column, refused)}
        assert all(row["expected"] for row in rows)
        assert set(spoilt.replay(source).values()) == {0}, "nothing was edited"
    assert {row["found"] for row in rows} == {"ouest"}


def test_a_correction_of_an_unknown_file_is_reported_as_unsupported(spoilt: Spoilt) -> None:
    folder = spoilt.place.batch(SEPTEMBER) / CORRECTIONS
    folder.mkdir(exist_ok=True)
    (folder / "autre.csv").write_text("ligne\n")
    run = spoilt.place.build(SEPTEMBER, "src_debit")
    assert "type de fichier non supporté : corrections/autre.csv" in run.warnings


def test_corrected_records_load_the_rows_of_the_valid_files(spoilt: Spoilt) -> None:
    for source in FILES:
        assert not spoilt.place.rows(f"stg_{source}", SEPTEMBER).equals(spoilt.good[f"stg_{source}"])
        spoilt.correct(source, lambda line, _, source=source: spoilt.lines[source][line])  # type: ignore[misc]
        spoilt.replay(source)
    assert spoilt.place.build(SEPTEMBER, *ASSETS, *OTHERS).failures == {}
    for table, rows in spoilt.good.items():
        assert_frame_equal(spoilt.place.rows(table, SEPTEMBER), rows)
    marks = spoilt.place.rows("stg_quarantine", SEPTEMBER)
    for source, name in FILES.items():
        refused = len(spoilt.lines[source])
        original, correction = spoilt.count(source).iter_rows(named=True)
        assert correction["file"] == f"2509/corrections/{name.removesuffix('.gz')}"
        assert (original["quarantined"], original["corrected"], original["cells"]) == (refused, refused, 0)
        assert (correction["records"], correction["quarantined"]) == (refused, 0)
        for row in (original, correction):
            assert row["records"] == row["accepted"] + row["filtered"] + row["quarantined"]
        assert marks.filter(source=source)["corrected_by"].unique().to_list() == [correction["file"]]
