"""One source, several editions: other names, encodings, Parquet and sheets give the rows that the plain file gives."""

import gzip
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from sf_assets import nomenclatures
from sf_assets.sources import BY_NAME, Cell
from sf_assets.sources.arrival import inspect
from sf_assets.sources.batch import source_of
from sf_assets.sources.mended import edition_of
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of

SIREN = "512345678"
UNITS = pl.DataFrame(
    {
        "siren": [SIREN, "812345678", "12345"],
        "denominationUniteLegale": ["ATELIER", "FONDERIE ÉTÉ", "X"],
        **{f"prenom{n}UniteLegale": [None, None, None] for n in (1, 2, 3, 4)},
        "nomUniteLegale": [None, "DUPONT", None],
        "nomUsageUniteLegale": [None, None, None],
        "categorieJuridiqueUniteLegale": ["5710", "5499", "5710"],
        "activitePrincipaleUniteLegale": ["25.62B", "24.51Z", "25.62B"],
        "nomenclatureActivitePrincipaleUniteLegale": ["NAFRev2"] * 3,
        "dateCreationUniteLegale": ["2001-02-03", None, "2001-02-03"],
        "etatAdministratifUniteLegale": ["A", "C", "A"],
    },
    schema_overrides={f"prenom{n}UniteLegale": pl.String for n in (1, 2, 3, 4)} | {"nomUsageUniteLegale": pl.String},
)
PAYDEX = replace(
    BY_NAME["paydex"],
    editions=(
        replace(
            BY_NAME["paydex"],
            names=(),
            pattern="increment.*[.](csv|xlsx)",
            separator=";",
            encoding="iso-8859-15",
            columns=("n", "siren", "etat", "jours", "date"),
            trims=True,
            trailer="Fin du fichier",
            cells=(
                Cell("siren", column="siren"),
                Cell("etat", column="etat_organisation"),
                Cell("jours", "decimal_virgule", "paydex"),
                Cell("date", "date_fr", "date_valeur", required=True),
            ),
        ),
    ),
)
INCREMENT = f"1;{SIREN};  actif €;12,5;28/03/2024\n2;{SIREN};cessé;;31/02/2024\nFin du fichier : total 2 ligne(s)\n"


def staged(source, *paths):
    """Return the staging rows, the counts and the quarantine of files."""
    with duckdb.connect() as connection:
        nomenclatures.load(connection)
        connection.execute("create temp table perimeter as select $1 as siren", [SIREN])
        counts = read_source(connection, source, paths)
        rows = connection.execute(query_of(source)).pl()
        return rows, counts, connection.execute("from quarantine order by line").pl()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("StockUniteLegale_utf8.csv.gz", "sirene_ul"),
        ("StockUniteLegale_utf8.parquet", "sirene_ul"),
        ("StockEtablissement_utf8.csv", "sirene"),
        ("StockEtablissement_utf8.parquet", "sirene"),
        ("StockEtablissementHistorique_utf8.parquet", "sirene_histo"),
        ("stockunitelegale_utf8.csv", None),
    ],
)
def test_insee_editions_are_known_by_their_names_b7(name, source):
    found = source_of(name)
    assert (found.name if found else None) == source


def test_the_parquet_edition_gives_the_rows_of_the_csv_edition_b7(tmp_path):
    source = BY_NAME["sirene_ul"]
    csv, parquet = tmp_path / "StockUniteLegale_utf8.csv", tmp_path / "StockUniteLegale_utf8.parquet"
    UNITS.write_csv(csv)
    UNITS.with_columns(pl.col("dateCreationUniteLegale").str.to_date(), extra=1).write_parquet(parquet)
    rows, (count,), quarantine = staged(source, csv)
    again, (other,), refused = staged(source, parquet)
    assert rows.height == 2
    assert again.equals(rows)
    assert (other.accepted, other.quarantined) == (count.accepted, count.quarantined) == (2, 1)
    assert refused.select("column", "expected", "found").equals(quarantine.select("column", "expected", "found"))
    assert refused["line"].to_list() == [3]
    assert "12345" in refused["raw"].item()


def test_units_without_the_column_of_the_second_nomenclature_are_as_promised(tmp_path):
    source = BY_NAME["sirene_ul"]
    faults = {}
    for name in ("StockUniteLegale_utf8.csv", "sireneUL.csv"):
        UNITS.write_csv(tmp_path / name)
        faults[name] = inspect(tmp_path / name, edition_of(source, tmp_path / name)).fault
    assert faults == {"StockUniteLegale_utf8.csv": None, "sireneUL.csv": None}


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "StockUniteLegale_utf8.parquet"
    UNITS.write_parquet(path)
    assert inspect(path, edition_of(BY_NAME["sirene_ul"], path)).lines == 3
    path.write_bytes(path.read_bytes()[:-10])
    fault = inspect(path, BY_NAME["sirene_ul"]).fault
    assert fault.startswith(f"{path.name}: expected a complete Parquet file, found a damaged or other one")


@pytest.mark.parametrize("name", ["increment.csv", "increment.csv.gz"])
@pytest.mark.parametrize("encoding", ["iso-8859-15", "utf-16"])
def test_an_edition_has_its_own_encoding_columns_blanks_and_trailer(tmp_path, name, encoding):
    source = replace(PAYDEX, editions=(replace(PAYDEX.editions[0], encoding=encoding),))
    path = tmp_path / name
    content = INCREMENT.encode(encoding)
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    arrival = inspect(path, edition_of(source, path))
    assert (arrival.fault, arrival.lines) == (None, 3)
    rows, (count,), quarantine = staged(source, path)
    assert rows.select("siren", "etat_organisation", "paydex").rows() == [(SIREN, "actif €", 12.5)]
    assert (count.records, count.accepted, count.filtered, count.quarantined) == (3, 1, 1, 1)
    assert quarantine.select("line", "column", "found").rows() == [(2, "date", "31/02/2024")]


def test_bytes_that_are_not_of_the_encoding_are_refused_with_their_place(tmp_path):
    edition = replace(PAYDEX.editions[0], encoding="utf-16")
    path = tmp_path / "increment.csv"
    path.write_bytes(INCREMENT.encode("utf-16")[:-1])
    assert inspect(path, edition).fault == "increment.csv, after line 2: expected utf-16, found bytes 0x0a"
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(INCREMENT.encode("utf-16"))[:-9])
    assert "expected a complete gzip archive" in inspect(path.with_suffix(".csv.gz"), edition).fault


def test_a_sheet_is_read_like_text(tmp_path):
    path = tmp_path / "increment.xlsx"
    table = [line.split(";") for line in INCREMENT.splitlines()]
    pl.DataFrame(table[:2], orient="row", schema=["a", "b", "c", "d", "e"]).write_excel(path, include_header=False)
    assert inspect(path, edition_of(PAYDEX, path)).fault is None
    rows, (count,), _ = staged(PAYDEX, path)
    assert rows.select("siren", "etat_organisation", "paydex").rows() == [(SIREN, "actif €", 12.5)]
    assert (count.records, count.accepted, count.quarantined) == (2, 1, 1)


def test_a_workbook_of_two_sheets_or_none_is_refused(tmp_path):
    import xlsxwriter  # noqa: PLC0415

    path = tmp_path / "increment.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()
        book.add_worksheet()
    assert inspect(path, edition_of(PAYDEX, path)).fault == "increment.xlsx: expected one sheet, found 2"
    path.write_bytes(b"no workbook")
    assert "expected a workbook" in inspect(path, edition_of(PAYDEX, path)).fault
