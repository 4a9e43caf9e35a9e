"""Bad deliveries: one message names the fault, dependent assets wait, others run, and loaded rows stay."""

import gzip
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from sf_assets.sources.registry import BY_NAME
from sf_assets_dev.deployment import Run
from sf_assets_tests.runs import LOADED as SEPTEMBER
from sf_assets_tests.runs import Place, copy_of

OCTOBER = date(2025, 10, 1)
OPTIONAL = {"paydex": "altares_paydex.csv", "ccsf": "sigfaible_ccsf.csv", "ratios_dirco": "ratios_dirco.csv"}
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


@dataclass(frozen=True)
class World:
    """A deployment whose September was delivered again without the optional files and with an unknown file."""

    place: Place
    run: Run


@pytest.fixture(scope="module")
def world(loaded_month: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    place = copy_of(loaded_month, tmp_path_factory.mktemp("bad_input"))
    folder = place.batch(SEPTEMBER)
    for name in OPTIONAL.values():
        (folder / name).unlink()
    (folder / "courrier.txt").write_text("Veuillez trouver ci-joint")
    concerned = dg.AssetSelection.assets(*(f"src_{source}" for source in OPTIONAL)).downstream()
    loaded = place.names_of(concerned & dg.AssetSelection.groups("sources", "staging", "clean"))
    return World(place, place.build(SEPTEMBER, *loaded))


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    """Yield the deployment, and restore September's files afterwards."""
    folder = world.place.batch(SEPTEMBER)
    backup = folder.with_name("backup")
    shutil.copytree(folder, backup)
    yield world.place
    shutil.rmtree(folder, ignore_errors=True)
    backup.rename(folder)


def test_optional_files_may_be_missing(world: World) -> None:
    assert world.run.failures == {}
    assert not world.run.metadata["src_paydex"]["delivered"]
    assert {"stg_paydex", "clean_paydex", "clean_ratios"} <= world.run.written


def test_an_unknown_file_is_reported_and_the_other_files_are_loaded(world: World) -> None:
    assert "type de fichier non supporté : courrier.txt" in world.run.warnings
    assert world.run.success


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_byte(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b";", "é;".encode("latin-1"), 1)
    path.write_bytes(b"".join(lines))


def rename_column(path: Path) -> None:
    path.write_text(path.read_text().replace("Mt_PO", "Montant", 1))


def deliver_twice(path: Path) -> None:
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes()))


def take_away(path: Path) -> None:
    path.unlink()


# What happens to the file of each source, the check that refuses it, and what its message says.
BAD_FILES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "procol": (empty, "as_promised", "sigfaible_pcoll.csv: expected a header, found an empty file"),
    "debit": (
        rename_column,
        "as_promised",
        "sigfaible_debits.csv, line 1: expected column Mt_PO in the header, found 17 columns",
    ),
    "delai": (spoil_byte, "as_promised", "sigfaible_delais.csv, line 3: expected UTF-8, found byte 0xe9"),
    "cotisation": (
        cut,
        "as_promised",
        "sigfaible_cotisdues.csv.gz: expected a complete gzip archive, found a cut",
    ),
    "effectif": (
        deliver_twice,
        "delivered_once",
        "expected each delivery once, found sigfaible_effectif_siret.csv and sigfaible_effectif_siret.csv.gz",
    ),
    "apdemande": (take_away, "delivered", "expected demande_ap.csv in "),
}


def test_bad_files_stop_what_depends_on_them_until_they_are_delivered_again(place: Place) -> None:  # deviation B2
    """Six files at once: each stops its own tables, and no other."""
    sources, staging = ([f"{layer}_{name}" for name in BAD_FILES] for layer in ("src", "stg"))
    clean = [f"clean_{'ap' if name == 'apdemande' else name}" for name in BAD_FILES]
    before = place.content(SEPTEMBER, [*staging, *clean])
    good = {}
    for name, (spoil, _, _) in BAD_FILES.items():
        (delivered,) = (
            path for path in place.batch(SEPTEMBER).iterdir() if path.name.removesuffix(".gz") in BY_NAME[name].names
        )
        good[delivered] = delivered.read_bytes()
        spoil(delivered)

    run = place.build(SEPTEMBER, *sources, *staging, *clean, "src_apconso", "stg_apconso")
    assert len(run.errors) == len(BAD_FILES)
    for name, (_, check, message) in BAD_FILES.items():
        (error,) = (error for error in run.errors if message in error)
        assert run.metadata[f"src_{name}"]["fault"] == error
        assert run.blocking(f"src_{name}") == {check}
    assert run.written == {*sources, "src_apconso", "stg_apconso"}
    assert set(run.failures) == {f"{source}_checks" for source in sources}

    for layer in (staging, clean):
        later = place.build(SEPTEMBER, *layer)
        assert set(later.failures) == set(layer)
        for asset, (name, (spoil, check, message)) in zip(layer, BAD_FILES.items(), strict=True):
            fault = later.failures[asset].split(f"src_{name}, 2025-09: {check} refuses ")[1]
            assert fault.startswith(("the batch: expected ", message))
            # Which of two files is the copy is for a person to say.
            assert (".csv.gz" in fault) is (spoil in (deliver_twice, cut))
            assert "Stack Trace" not in later.failures[asset]
            assert_frame_equal(place.rows(asset, SEPTEMBER), before[asset])

    for delivered, content in good.items():
        for path in place.batch(SEPTEMBER).glob(f"{delivered.name}*"):
            path.unlink()
        delivered.write_bytes(content)
    corrected = place.build(SEPTEMBER, *sources, *staging, *clean)
    assert (corrected.failures, corrected.errors) == ({}, [])
    for asset, rows in before.items():
        assert_frame_equal(place.rows(asset, SEPTEMBER), rows)


def blank_book(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()


def rewritten_sheet(path: Path, sheet: bytes) -> None:
    blank_book(path)
    with zipfile.ZipFile(path) as book:
        members = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in (members | {"xl/worksheets/sheet1.xml": sheet}).items():
            book.writestr(name, content)


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
CELL = b'<c r="A1" t="inlineStr"><is><t>%b</t></is></c></row></sheetData></worksheet>'
GROUPS = "Ellisphère-Tête de groupe-{}.xlsx"
# Each of these files once stopped the inspection of all sources, or gave a message without its name.
BAD_OPTIONAL: tuple[tuple[str, str, Callable[[Path], object], str], ...] = (
    ("ellisphere", GROUPS.format("a"), blank_book, "expected a sheet with rows, found a blank one"),
    ("ellisphere", GROUPS.format("b"), lambda path: rewritten_sheet(path, SHEET), "found a blank one"),
    ("ellisphere", GROUPS.format("c"), lambda path: rewritten_sheet(path, SHEET + CELL % (b"x" * 40_000_000)),
     "found a cell longer than a workbook may hold"),
    ("ellisphere", GROUPS.format("d"), lambda path: path.write_bytes(b"PK\x03\x04" + bytes(9999)), "workbook, found"),
    ("ellisphere", GROUPS.format("e"), empty, "workbook, found"),
    ("ratios_inpi_bce", "ratios_inpi_bce.csv.gz", lambda path: path.write_bytes(gzip.compress(bytes(40_000_000))),
     "expected lines of at most"),
    ("ratios_dirco", "ratios_dirco.csv", lambda path: path.write_bytes(b"\0" * 100), "expected column"),
    ("declarations_af", "declarations_af.csv", lambda path: (path.unlink(), path.symlink_to("/proc/self/mem")),
     "expected a file that this service may read, found none"),
    ("sirene_histo", "StockEtablissementHistorique_utf8.csv.zip", empty, "expected a complete zip archive"),
    ("sirene_histo", "StockEtablissementHistorique_utf8.parquet", lambda path: path.write_bytes(b"PAR1" * 9),
     "expected a complete Parquet file"),
    ("bodacc", "annonces-commerciales.json", lambda path: path.write_bytes(b"[" * 100_000), "expected a list of records"),
    ("bodacc", "annonces-commerciales.json.gz", lambda path: path.write_bytes(b"\x1f\x8b" + bytes(99)),
     "expected a complete gzip archive"),
    ("types_voie", "types_voie.csv", lambda path: path.write_bytes(b'"' + b"x" * 200_000), "expected a header"),
)  # fmt: skip


def test_bad_optional_files_stop_their_own_tables_only_and_are_named(place: Place) -> None:
    for _, name, spoil, _ in BAD_OPTIONAL:
        spoil(place.batch(SEPTEMBER) / name)
    owners = {f"src_{source}" for source, *_ in BAD_OPTIONAL if source in BY_NAME}
    run = place.build(SEPTEMBER, "src_debit", "stg_debit", *owners)
    assert set(run.failures) == {f"{owner}_checks" for owner in owners}
    assert {"src_debit", "stg_debit"} <= run.written
    arrivals = place.rows("src_arrivals", SEPTEMBER)
    faults = {(source, file): fault for source, file, fault in arrivals.select("source", "file", "fault").iter_rows()}
    for source, name, _, message in BAD_OPTIONAL:
        assert str(faults[source, name]).startswith(name)
        assert message in faults[source, name]


def test_a_missing_folder_is_reported_and_no_asset_of_its_month_runs(place: Place) -> None:
    run = place.build(OCTOBER, "src_debit", "stg_debit")
    (error,) = run.failures.values()
    assert error == f"batch 2510: expected a folder {place.batch(OCTOBER)}, found none"
    assert run.written == set()
    later = place.build(OCTOBER, "stg_debit")
    assert "src_debit, 2025-10: as_promised never ran" in later.failures["stg_debit"]


def test_a_bad_month_does_not_read_the_month_before_and_does_not_block_it(place: Place) -> None:
    before = place.rows("stg_debit", SEPTEMBER)
    shutil.copytree(place.batch(SEPTEMBER), place.batch(OCTOBER))
    cut(place.batch(OCTOBER) / "sigfaible_cotisdues.csv.gz")
    assert not place.build(OCTOBER, "src_cotisation", "stg_cotisation").success
    blocked = place.build(OCTOBER, "clean_cotisation")
    fault = "sigfaible_cotisdues.csv.gz: expected a complete gzip archive, found a cut"
    assert f"src_cotisation, 2025-10: as_promised refuses {fault}" in blocked.failures["clean_cotisation"]
    shutil.rmtree(place.batch(OCTOBER))
    assert place.build(SEPTEMBER, "src_debit", "stg_debit").failures == {}
    assert_frame_equal(place.rows("stg_debit", SEPTEMBER), before)


def test_a_file_changed_since_its_inspection_is_not_read(place: Place) -> None:
    before = place.rows("stg_debit", SEPTEMBER)
    empty(place.batch(SEPTEMBER) / "sigfaible_debits.csv")
    run = place.build(SEPTEMBER, "stg_debit")
    assert run.failures == {
        "stg_debit": "stg_debit, 2025-09: expected sigfaible_debits.csv as inspected on arrival, "
        "found sigfaible_debits.csv, changed since. Materialise src_debit again."
    }
    assert_frame_equal(place.rows("stg_debit", SEPTEMBER), before)


def test_a_folder_removed_after_its_inspection_loses_no_loaded_rows(place: Place) -> None:
    before = place.rows("stg_filter_import", SEPTEMBER)
    shutil.rmtree(place.batch(SEPTEMBER))
    run = place.build(SEPTEMBER, "stg_filter_import")
    assert run.failures == {"stg_filter_import": f"batch 2509: expected a folder {place.batch(SEPTEMBER)}, found none"}
    assert_frame_equal(place.rows("stg_filter_import", SEPTEMBER), before)
