"""Archives: a single file in zip or gzip is read, other archives are refused with the reason, and expansion is limited."""

import gzip
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sf_assets.engine.storage import packed
from sf_assets.engine.storage.packed import LONGEST_LINE, readable_text
from sf_assets.operations.quarantine import _header
from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import read_batch, source_of
from sf_assets.sources.content import file_states
from sf_assets.sources.corrections import correction_name, edition_of
from sf_assets.sources.inspection import label_table_fault
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.nomenclatures.label_tables import TABLES, csv_path
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets_tests.test_editions import UNITS, staged

PROCOL = BY_NAME["procol"]
HEADER = "Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx\n"
GOOD = HEADER + (
    "51234567800019;512345678;26MAY2014;1;Redressement_ouverture\n"
    '51234567800019;512345678;26MAI2014;1;"Redressement\n'
    '_ouverture"\n'
    "51234567800019;512345678;27MAY2014;1;Liquidation_ouverture"
)


def zipped(path: Path, content: bytes, member: str = "x.csv", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(member, content)
    return path


@pytest.mark.parametrize(
    ("name", "source", "plain"),
    [
        ("sigfaible_debits.csv.zip", "debit", "sigfaible_debits.csv"),
        ("sigfaible_debits.zip", "debit", "sigfaible_debits.csv"),
        ("StockUniteLegale_utf8.zip", "sirene_ul", "StockUniteLegale_utf8.csv"),
        ("StockEtablissement_utf8.zip", "sirene", "StockEtablissement_utf8.csv"),
        ("StockEtablissementHistorique_utf8.zip", "sirene_histo", "StockEtablissementHistorique_utf8.csv"),
        ("stock-stockunitelegale-csv.zip", "sirene_ul", "stock-stockunitelegale-csv.csv"),
        ("stock-stocketablissement-csv.zip", "sirene", "stock-stocketablissement-csv.csv"),
        ("stock-stocketablissementhistorique-csv.zip", "sirene_histo", "stock-stocketablissementhistorique-csv.csv"),
        ("stock-stockunitelegale-parquet.parquet", "sirene_ul", "stock-stockunitelegale-parquet.parquet.csv"),
        ("stock-stocketablissement-parquet.parquet", "sirene", "stock-stocketablissement-parquet.parquet.csv"),
        ("stock-stocketablissementhistorique-parquet.parquet", "sirene_histo",
         "stock-stocketablissementhistorique-parquet.parquet.csv"),
        ("annonces-commerciales.json.zip", "bodacc", "annonces-commerciales.json.csv"),
        ("effectif_dom.csv.zip", "effectif", "effectif_dom.csv"),
    ],
)  # fmt: skip
def test_archives_and_the_names_of_spring_2026_belong_to_their_source(name: str, source: str, plain: str) -> None:
    found = source_of(name)
    assert found is not None
    assert (found.name, correction_name(name)) == (source, plain)


def _plain(path: Path) -> Path:
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED], ids=["deflated", "stored"])
def test_a_zip_archive_gives_the_rows_the_lines_and_the_quarantine_of_the_text(tmp_path: Path, method: int) -> None:
    text = _plain(tmp_path / "sigfaible_pcoll.csv")
    archive = zipped(tmp_path / "sigfaible_pcoll.zip", GOOD.encode(), method=method)
    rows, counts, refused = staged(PROCOL, text)
    again, others, refusals = staged(PROCOL, archive)
    assert again.equals(rows)
    assert rows.height == 2
    assert refusals.drop("file").equals(refused.drop("file"))
    assert refusals["line"].to_list() == [3]
    assert [count.records for count in others] == [count.records for count in counts] == [3]
    arrivals = [inspect(path, PROCOL) for path in (text, archive)]
    assert [arrival.fault for arrival in arrivals] == [None, None]
    assert len({(arrival.lines, arrival.header, arrival.content_sha256) for arrival in arrivals}) == 1
    assert _header(archive, PROCOL) == _header(text, PROCOL)


def test_other_encodings_sheets_json_and_parquet_are_read_from_archives_too(tmp_path: Path) -> None:
    parquet = tmp_path / "stock-stockunitelegale-parquet.parquet"
    UNITS.write_parquet(parquet)
    units = BY_NAME["sirene_ul"]
    rows, *_ = staged(units, parquet)
    for name in ("units.parquet.zip", "units.parquet.gz"):
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(parquet.read_bytes()))
        else:
            zipped(path, parquet.read_bytes())
        assert inspect(path, edition_of(units, path)).fault is None
        again, *_ = staged(units, path)
        assert again.equals(rows)
    sheet = tmp_path / "s.xlsx"
    pl.DataFrame([["1", "1", "400000001", *["1"] * 11, "400000001", "1"]]).transpose().write_excel(
        sheet, include_header=False
    )
    path = zipped(tmp_path / "s.xlsx.zip", sheet.read_bytes())
    assert inspect(path, BY_NAME["ellisphere"]).fault is None
    path = zipped(tmp_path / "diane_x.txt.zip", "a;b\n".encode("utf-16"))
    assert "expected columns" in str(inspect(path, BY_NAME["diane"]).fault)


def test_label_tables_and_the_sensor_accept_archives(tmp_path: Path) -> None:
    table = next(one for one in TABLES if one.name == "types_voie")
    path = zipped(tmp_path / "types_voie.csv.zip", csv_path(table.name).read_bytes())
    assert label_table_fault([path], table.name) is None
    folder = tmp_path / "2610"
    folder.mkdir()
    for name in ("types_voie.zip", "sigfaible_debits.csv.zip"):
        zipped(folder / name, csv_path(table.name).read_bytes())
    batch = read_batch(tmp_path, date(2026, 10, 1))
    assert (set(batch.files), batch.unsupported) == ({"types_voie", "debit"}, ())
    assert "sigfaible_debits.csv.zip" in file_states(batch)


def _two_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, GOOD)


def _cut(path: Path) -> None:
    zipped(path, GOOD.encode())
    path.write_bytes(path.read_bytes()[:-40])


def _spoilt(path: Path) -> None:
    zipped(path, GOOD.encode(), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"26MAY2014", b"27MAY2014", 1))


def _locked(path: Path) -> None:
    zipped(path, GOOD.encode())
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (_two_members, "expected an archive of one file, found 2. Unpack it and deliver the file that is meant"),
        (_cut, "expected a complete zip archive, found a cut or damaged one"),
        (_spoilt, "expected a complete zip archive, found a cut or damaged one"),
        (_locked, "expected an archive without password, found an encrypted one. Unpack it"),
        (lambda path: zipped(path, GOOD.encode(), method=zipfile.ZIP_LZMA),
         "expected the usual compression (deflate), found lzma"),
        (lambda path: path.write_bytes(b""), "expected a complete zip archive, found a cut or damaged one"),
        (lambda path: path.write_bytes(GOOD.encode()), "expected a complete zip archive, found a cut or damaged one"),
    ],
)  # fmt: skip
def test_an_archive_that_is_not_one_whole_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    path = tmp_path / "sigfaible_pcoll.csv.zip"
    make(path)
    assert str(inspect(path, PROCOL).fault).startswith(f"{path.name}: {expected}")


def _gzip_with(flags: int, extra: bytes) -> bytes:
    """Return an archive of GOOD whose header has optional parts."""
    plain = gzip.compress(GOOD.encode(), mtime=0)
    return plain[:3] + bytes([flags]) + plain[4:10] + extra + plain[10:]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(GOOD.encode()) + bytes(512),
        gzip.compress(GOOD.encode()[:100]) + gzip.compress(GOOD.encode()[100:]),
        _gzip_with(4, b"\x04\x00abcd"),
        _gzip_with(8, b"pcoll.csv\0"),
        _gzip_with(16, b"a comment\0"),
        _gzip_with(2, (zlib.crc32(b"\x1f\x8b\x08\x02" + _gzip_with(2, b"")[4:10]) & 0xFFFF).to_bytes(2, "little")),
    ],
    ids=["padded", "two_parts", "extra", "named", "comment", "header_checksum"],
)
def test_every_gzip_archive_that_is_accepted_on_arrival_can_be_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sigfaible_pcoll.csv.gz"
    path.write_bytes(content)
    arrival = inspect(path, PROCOL)
    assert arrival.fault is None
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select '512345678' as siren")
        (count,) = read_source(connection, PROCOL, [path])
    assert (count.records, count.accepted, count.quarantined) == (arrival.records, 2, 1)


def test_folders_and_mac_metadata_are_no_second_file(tmp_path: Path) -> None:
    path = tmp_path / "sigfaible_pcoll.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("export")
        archive.writestr("export/pcoll.csv", GOOD)
        archive.writestr("__MACOSX/export/._pcoll.csv", b"\0")
    assert inspect(path, PROCOL).fault is None


# ---- limits


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_NEVER_TOO_LARGE", 1 << 20)


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", ["sigfaible_pcoll.csv.gz", "sigfaible_pcoll.csv.zip"])
def test_an_archive_that_expands_too_much_is_refused_before_it_is_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = HEADER.encode() + b"\n" * (4 << 20)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    else:
        zipped(path, content)
    fault = str(inspect(path, PROCOL).fault)
    assert fault.startswith(f"{name}: expected at most 200 times its size once unpacked, found ")
    assert fault.endswith("If it is meant, unpack it and deliver the plain file")


@pytest.mark.usefixtures("narrow")
def test_an_archive_that_holds_more_than_it_declares_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "sigfaible_pcoll.csv.zip", HEADER.encode() + b"x" * 5000)
    content = path.read_bytes()
    declared = (len(HEADER) + 5000).to_bytes(4, "little")
    path.write_bytes(content.replace(declared, (200).to_bytes(4, "little")))
    assert "expected a complete zip archive" in str(inspect(path, PROCOL).fault)


@pytest.mark.usefixtures("narrow")
def test_a_workbook_or_parquet_file_that_declares_too_large_a_size_is_refused(tmp_path: Path) -> None:
    sheet = tmp_path / "book.xlsx"
    pl.DataFrame({"a": ["1"]}).write_excel(sheet)
    with zipfile.ZipFile(sheet, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/x.bin", bytes(8 << 20))
    assert "book.xlsx: expected at most 200 times its size" in str(inspect(sheet, BY_NAME["ellisphere"]).fault)
    rows = tmp_path / "StockUniteLegale_utf8.parquet"
    pl.select(siren=pl.repeat("1", 3_000_000)).write_parquet(rows)
    fault = str(inspect(rows, BY_NAME["sirene_ul"]).fault)
    assert "expected at most 200 times its size once unpacked, found 3,000,000 rows" in fault


@pytest.mark.parametrize("place", ["first", "other"])
def test_a_line_that_is_too_long_is_refused_with_its_number(tmp_path: Path, place: str) -> None:
    path = tmp_path / "sigfaible_pcoll.csv"
    path.write_bytes((b"" if place == "first" else GOOD.encode() + b"\n") + b"x" * (LONGEST_LINE + 1))
    line = 1 if place == "first" else 6
    assert str(inspect(path, PROCOL).fault).startswith(
        f"sigfaible_pcoll.csv, line {line}: expected lines of at most 16,777,216 bytes, found a longer one"
    )


_INSPECTED = """
import resource, sys
from pathlib import Path
from sf_assets.sources.registry import BY_NAME
from sf_assets.sources.arrival import inspect
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(inspect(path, BY_NAME["procol"]).fault)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_one_line_of_a_gigabyte_in_a_megabyte_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "sigfaible_pcoll.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for _ in range(200):
            out.write(bytes(1 << 20))
    done = subprocess.run(
        [sys.executable, "-c", _INSPECTED, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    fault, kilobytes = done.stdout.splitlines()
    assert "expected lines of at most" in fault
    assert int(kilobytes) < 100_000


def test_the_temporary_copy_of_an_archive_is_as_small_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    lines = b"".join(b"%014d;512345678;26MAY2014;1;x\n" % n for n in range(50_000))
    path = zipped(tmp_path / "sigfaible_pcoll.csv.zip", HEADER.encode() + lines)
    with readable_text(path) as text:
        assert text.stat().st_size < path.stat().st_size
        assert gzip.decompress(text.read_bytes()) == HEADER.encode() + lines
    assert [*scratch.iterdir()] == []
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create temp table perimeter as select '512345678' as siren")
        label_tables.load(connection)
        (count,) = read_source(connection, PROCOL, [path])
        assert count.records == 50_000
    assert [*scratch.iterdir()] == []
