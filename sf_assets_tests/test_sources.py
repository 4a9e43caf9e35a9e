"""File names, batch keys and inspection of files: accepted and refused cases, with their messages."""

import gzip
from datetime import date

import pytest

from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import BadBatch, batch_key, month_of, read_batch, source_of
from sf_assets.sources.known import KNOWN
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.vocabulary.delays import DELAYS

PROCOL = BY_NAME["procol"]
GOOD = "Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx\n51234567800019;512345678;26MAY2014;1;Redressement_ouverture\n"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("consommation_ap.csv", "apconso"),
        ("demande_ap.csv", "apdemande"),
        ("demande_ap.csv.gz", "apdemande"),
        ("sigfaible_effectif_siren.csv", "effectif_ent"),
        ("sigfaible_effectif_siren.csv.gz", "effectif_ent"),
        ("sigfaible_effectif_siret.csv", "effectif"),
        ("effectif_dom.csv", "effectif"),
        ("my_effectif_siren_2024.csv", "effectif"),
        ("filter_effectif_x.csv", "effectif"),
        ("filter_2603.csv", "filter"),
        ("sigfaible_debits.csv", "debit"),
        ("sigfaibles_debits.csv", None),
        ("sigfaible_debits2.csv", None),
        ("SIGFAIBLE_DEBITS.CSV", None),
    ],
)
def test_a_file_name_identifies_the_source(name, source):  # trap 12
    found = source_of(name)
    assert (found.name if found else None) == source


@pytest.mark.parametrize("key", ["26", "2613", "2600", "26x3", "202603", "२६०३"])
def test_an_invalid_batch_key_is_refused_with_the_expected_form(key):
    with pytest.raises(BadBatch, match=r"expected four digits AAMM .* found"):
        month_of(key)


def test_batch_key_and_month_are_inverse_functions():
    assert month_of("2610") == date(2026, 10, 1)
    assert batch_key(date(2026, 10, 1)) == "2610"


def test_a_missing_folder_is_reported_with_its_expected_path(tmp_path):
    with pytest.raises(BadBatch, match=r"batch 2610: expected a folder .*2610, found none"):
        read_batch(tmp_path, date(2026, 10, 1))


def test_unknown_files_are_listed_as_unsupported(tmp_path):
    folder = tmp_path / "2610"
    folder.mkdir()
    (folder / "notes.txt").write_text("hello")
    (folder / "sigfaible_pcoll.csv").write_text(GOOD)
    (folder / "sub").mkdir()
    batch = read_batch(tmp_path, date(2026, 10, 1))
    assert batch.unsupported == ("notes.txt",)
    assert list(batch.files) == ["procol"]


def _inspect(tmp_path, content: bytes, name="sigfaible_pcoll.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return inspect(path, PROCOL)


def test_a_valid_file_has_no_fault_and_its_lines_are_counted(tmp_path):
    arrival = _inspect(tmp_path, GOOD.encode())
    assert (arrival.fault, arrival.lines, arrival.bytes) == (None, 2, len(GOOD))


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path):  # trap 21, deviation B3
    assert _inspect(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()).fault is None


def test_an_empty_file_is_refused(tmp_path):
    assert _inspect(tmp_path, b"").fault == "sigfaible_pcoll.csv: expected a header, found an empty file"


def test_a_missing_column_is_named(tmp_path):
    fault = _inspect(tmp_path, b"Siret;Siren;Lib_actx_stdx\n").fault
    assert fault.startswith("sigfaible_pcoll.csv, line 1: expected column Dt_effet in the header, found 3 columns")


@pytest.mark.parametrize(
    ("separator", "found"), [(",", "commas"), ("\t", "tabs"), ("|", "bars")], ids=["comma", "tab", "bar"]
)
def test_another_separator_is_named_instead_of_the_columns(tmp_path, separator, found):
    fault = _inspect(tmp_path, GOOD.replace(";", separator).encode()).fault
    assert fault == (
        "sigfaible_pcoll.csv, line 1: expected columns separated by semicolons, found them separated by " + found
    )


def test_a_single_unknown_column_is_not_taken_for_another_separator(tmp_path):
    assert _inspect(tmp_path, b"Siret\n").fault.startswith("sigfaible_pcoll.csv, line 1: expected columns ")
    assert "separated" not in _inspect(tmp_path, b"a,Siret,b\n").fault


def test_a_header_that_is_a_record_is_not_repeated_in_the_message(tmp_path):
    fault = _inspect(tmp_path, GOOD.encode().split(b"\n", 1)[1]).fault
    assert fault.endswith("in the header, found 5 columns, 0 of them declared")


def test_a_header_that_cannot_be_split_is_refused(tmp_path):
    fault = _inspect(tmp_path, b"Siret;" + b"x" * 200_000 + b"\n").fault
    assert fault.startswith("sigfaible_pcoll.csv, line 1: expected a header, found field larger than")


@pytest.mark.parametrize("ending", [b"\r", b"\rx\n"])
@pytest.mark.parametrize("lines", [1, 60_000])
def test_a_lone_carriage_return_is_reported_with_its_line(tmp_path, ending, lines):
    record = b"51234567800019;512345678;26MAY2014;1;x"
    fault = _inspect(tmp_path, GOOD.encode() + (record + b"\r\n") * (lines - 1) + record + ending).fault
    assert fault == (
        f"sigfaible_pcoll.csv, line {lines + 2}: expected lines that end with a line feed, found a lone carriage return"
    )


def test_a_header_is_compared_without_case(tmp_path):
    assert _inspect(tmp_path, GOOD.upper().encode()).fault is None


def test_a_byte_that_is_not_utf8_is_reported_with_its_line(tmp_path):
    fault = _inspect(tmp_path, GOOD.encode() + "é\n".encode("latin-1")).fault
    assert fault == "sigfaible_pcoll.csv, line 3: expected UTF-8, found byte 0xe9"


def test_a_bad_byte_far_from_the_start_is_reported_with_its_line(tmp_path):
    lines = GOOD.encode() + b"51234567800019;512345678;26MAY2014;1;x\n" * 60_000
    fault = _inspect(tmp_path, lines + b"\xff\n").fault
    assert fault == "sigfaible_pcoll.csv, line 60003: expected UTF-8, found byte 0xff"


def test_a_character_cut_by_the_end_is_refused(tmp_path):
    assert "cut by the end" in _inspect(tmp_path, GOOD.encode() + "é".encode()[:1]).fault


def test_a_cut_archive_is_refused(tmp_path):  # deviation B3
    archive = gzip.compress(GOOD.encode() * 1000)
    fault = _inspect(tmp_path, archive[: len(archive) // 2], "sigfaible_pcoll.csv.gz").fault
    assert fault.startswith("sigfaible_pcoll.csv.gz: expected a complete gzip archive, found a cut or damaged one")


def test_a_file_named_gz_that_is_no_archive_is_refused(tmp_path):
    assert "expected a complete gzip archive" in _inspect(tmp_path, GOOD.encode(), "sigfaible_pcoll.csv.gz").fault


def test_a_headcount_file_without_months_is_refused(tmp_path):
    path = tmp_path / "sigfaible_effectif_siren.csv"
    path.write_text("siren;rais_soc\n")
    assert "expected head-count columns effAAAAXY, found none" in inspect(path, BY_NAME["effectif_ent"]).fault
    # A header close to a month is refused: its head-counts could be assigned to no month.
    path.write_text("siren;eff202412;eff²02411\n")
    assert "expected head-count columns effAAAAXY, found eff²02411" in inspect(path, BY_NAME["effectif_ent"]).fault


def test_every_source_has_a_grain_and_a_rule_of_when_it_is_known():
    assert sorted(KNOWN) == sorted(BY_NAME)
    for source in SOURCES:
        assert source.grain, source.name
        assert KNOWN[source.name].describe(DELAYS), source.name
        assert len({cell.column for cell in source.cells if cell.column}) == sum(bool(c.column) for c in source.cells)
