"""Refused records of files without text or column names are corrected in a text with column names."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from sf_assets.operations import quarantine
from sf_assets.sources.batch import read_batch
from sf_assets.sources.mended import edition_of
from sf_assets.sources.registry import BY_NAME
from sf_assets_dev.synthetic import write_batch
from sf_assets_tests.runs import Place

SEPTEMBER = date(2025, 9, 1)
PERIMETER = ("src_filter", "stg_filter", "src_effectif_ent", "stg_filter_import")
# What stands in each file, and what should.
WRONG = {"sirene_ul": "12345", "bodacc": "2025-31-01", "ellisphere": "54321", "paydex": "2025-02-31", "diane": "1234"}


def parquet(folder: Path, siren: str) -> tuple[Path, str]:
    """Write legal units, one of them under half a siren and a name that a text must quote."""
    extract = folder / "sireneUL.csv"
    units = pl.read_csv(extract, infer_schema=False)
    extract.unlink()
    name = pl.lit('ATELIER, DIT "LE GRAND"').alias("denominationUniteLegale")
    spoilt = units.filter(pl.col("siren") == siren).with_columns(name, siren=pl.lit(WRONG["sirene_ul"]))
    path = folder / "StockUniteLegale_utf8.parquet"
    pl.concat([units.filter(pl.col("siren") != siren), spoilt]).write_parquet(path)
    return path, siren


def records(folder: Path, siren: str) -> tuple[Path, str]:
    """Write announcements as the API gives them, one of them of no day there is."""
    export = folder / "bodacc_procedures.csv"
    announcement = pl.read_csv(export, separator=";", infer_schema=False).row(0, named=True)
    export.unlink()
    path = folder / "bodacc_procedures.json"
    path.write_text(json.dumps([announcement | {"registre": siren, "dateparution": WRONG["bodacc"]}]))
    return path, announcement["dateparution"]


def workbook(folder: Path, siren: str) -> tuple[Path, str]:
    """Write a sheet of groups without a line of names, with an address of two lines."""
    path = folder / "Ellisphère-Tête de groupe-juin.xlsx"
    head = ["G1", "G", "400000001", "R1", "HOLDING FICTIVE", "1 RUE A\n75001 PARIS", "", "", "", 1, 75.5, "", "F1", "P"]
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, [*head, siren, "R1"])
        page.write_row(1, 0, [*head, WRONG["ellisphere"], "R2"])
    return path, siren


def positions(folder: Path, siren: str) -> tuple[Path, str]:
    """Write notes by position, in the provider's encoding, closed by a line of its own."""
    path = folder / "S_202011095834-3_202509010315.csv"
    fields = ["2", siren, *[""] * 16, "actif €", *[""] * 11, WRONG["paydex"]]
    path.write_text(f"{';'.join(fields)}\nFin du fichier : total 1 ligne(s)\n", encoding="iso-8859-15")
    return path, "2025-02-28"


def years(folder: Path, siren: str) -> tuple[Path, str]:
    """Write accounts of three years side by side, in UTF-16."""
    path = folder / "diane_export.txt"
    cells = [cell.header for cell in BY_NAME["diane"].cells if cell.header not in ("Annee", "Numéro Siren")]
    header = ["Numéro Siren", *cells, "Chiffre d'affaires net (H.T.) kEUR 2017", "Date de clôture 2019"]
    record = [WRONG["diane"], *[""] * len(cells), "100", "31/12/2019"]
    path.write_text("".join(f"{';'.join(line)}\n" for line in (header, record)), encoding="utf-16")
    return path, siren


FORMS: dict[str, Callable[[Path, str], tuple[Path, str]]] = {
    "sirene_ul": parquet,
    "bodacc": records,
    "ellisphere": workbook,
    "paydex": positions,
    "diane": years,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("corrected"))
    write_batch(place.batch(SEPTEMBER), month=SEPTEMBER, companies=40, years=3)
    assert place.build(SEPTEMBER, *PERIMETER).failures == {}
    return place


@pytest.mark.parametrize("source", FORMS)
def test_a_refused_record_is_corrected_in_a_text_with_column_names_whatever_its_file(place: Place, source: str) -> None:
    incoming = place.settings.data_dir / "incoming"
    siren = place.rows("stg_filter_import", SEPTEMBER)["siren"][0]
    original, right = FORMS[source](place.batch(SEPTEMBER), siren)
    assets = (f"src_{source}", f"stg_{source}")
    # So few records, of which some refused, stop the month: they are read all the same.
    assert place.build(SEPTEMBER, *assets).failures.keys() <= {f"stg_{source}_checks"}
    before = place.rows(f"stg_{source}", SEPTEMBER)

    batch, work = read_batch(incoming, SEPTEMBER), place.settings.data_dir / "quarantine"
    (exported,) = quarantine.export(place.warehouse, batch, BY_NAME[source], work)
    header, text = exported.read_text().split("\n", 1)
    assert header.startswith("ligne")
    assert {cell.header for cell in edition_of(BY_NAME[source], original).cells} <= {*header.split(header[5]), "Annee"}
    assert text.count(WRONG[source]) == 1
    exported.write_text(f"{header}\n{text.replace(WRONG[source], right)}")
    (taken,) = quarantine.replay(place.warehouse, batch, BY_NAME[source], work).items()
    assert taken == (exported.parent.parent / "incoming" / "2509" / "corrections" / exported.name, 1)

    assert place.build(SEPTEMBER, *assets).failures == {}, "corrected records unblock the month"
    files = {row["file"]: row for row in place.rows("stg_import", SEPTEMBER).iter_rows(named=True)}
    assert (files[original.name]["quarantined"], files[original.name]["corrected"]) == (1, 1)
    correction = files[f"2509/corrections/{exported.name}"]
    assert (correction["records"], correction["accepted"]) == (1, 1)
    added = place.rows(f"stg_{source}", SEPTEMBER).join(before, on=before.columns, how="anti", nulls_equal=True)
    assert added["siren"].to_list() == [siren] * (3 if source == "diane" else 1)
    assert quarantine.replay(place.warehouse, batch, BY_NAME[source], work) == dict([taken])
    assert quarantine.export(place.warehouse, batch, BY_NAME[source], work) == [exported]
    if source == "sirene_ul":
        assert added["raison_sociale"].to_list() == ['ATELIER, DIT "LE GRAND"']
    if source == "paydex":
        assert added["etat_organisation"].to_list() == ["actif €"]


def test_records_of_json_are_corrected_one_after_the_other(place: Place) -> None:
    incoming = place.settings.data_dir / "incoming"
    path = place.batch(SEPTEMBER) / "annonces-commerciales.json"
    announcement = pl.read_json(place.batch(SEPTEMBER) / "bodacc_procedures.json").row(0, named=True)
    days = ["2025-13-01", "2025-14-01"]
    path.write_text(json.dumps([announcement | {"id": f"B{day}", "dateparution": day} for day in days]))
    for count, day in enumerate(days, start=1):
        place.build(SEPTEMBER, "src_bodacc", "stg_bodacc")
        batch, work = read_batch(incoming, SEPTEMBER), place.settings.data_dir / "quarantine"
        (exported,) = (
            one
            for one in quarantine.export(place.warehouse, batch, BY_NAME["bodacc"], work)
            if one.name.startswith("ann")
        )
        exported.write_text(exported.read_text().replace(f";{day};", ";2025-02-28;"))
        taken = quarantine.replay(place.warehouse, batch, BY_NAME["bodacc"], work)
        assert taken[place.batch(SEPTEMBER) / "corrections" / exported.name] == count
    place.build(SEPTEMBER, "src_bodacc", "stg_bodacc")
    assert {f"B{day}" for day in days} <= {*place.rows("stg_bodacc", SEPTEMBER)["id_annonce"]}


def test_a_corrected_perimeter_unblocks_the_month(place: Place) -> None:
    siren, other = place.rows("stg_filter_import", SEPTEMBER)["siren"][:2]
    path = place.batch(SEPTEMBER) / "filter_2509.csv"
    path.write_text(f"{siren}\n{other[:8]}\n")
    assert place.build(SEPTEMBER, "src_filter", "stg_filter").failures.keys() == {"stg_filter_checks"}
    batch, work = read_batch(place.settings.data_dir / "incoming", SEPTEMBER), place.settings.data_dir / "quarantine"
    (exported,) = quarantine.export(place.warehouse, batch, BY_NAME["filter"], work)
    assert exported.read_text() == f"ligne;siren\n2;{other[:8]}\n"
    exported.write_text(f"ligne;siren\n2;{other}\n")
    quarantine.replay(place.warehouse, batch, BY_NAME["filter"], work)
    assert place.build(SEPTEMBER, "src_filter", "stg_filter").failures == {}
    assert set(place.rows("stg_filter", SEPTEMBER)["siren"]) == {siren, other}
