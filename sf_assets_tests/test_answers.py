"""Answers of officers: the workbook that they fill in, and the source that reads what comes back."""

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
import xlsxwriter

from sf_assets.lists.readme import About
from sf_assets.lists.workbook import write_xlsx
from sf_assets.model.evaluation import Thresholds
from sf_assets.sources.arrival import inspect
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import READERS, Count, read_source
from sf_assets.staging.tables import query_of

ID, OTHER = "512345678", "812345678"
TITLES = ("SIREN", "Liste", "Destinataire", "Contactée", "Contactée le", "Utilité", "Aide proposée", "Remarque")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select '0' as siren")
        connection.execute(READERS)
        yield connection


def read_back(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[tuple[object, ...]], Count]:
    (count,) = read_source(connection, BY_NAME["retour"], [path])
    return connection.execute(query_of(BY_NAME["retour"])).fetchall(), count


def test_an_answer_is_read_a_line_without_one_is_left_out_and_a_wrong_one_is_quarantined(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "retour_codefi-21.csv"
    lines = (
        "Rang;SIREN;Liste;Destinataire;Contactée;Contactée le;Utilité;Aide proposée;Remarque",
        f"1;{ID};2510;codefi-21;Oui;12/11/2025;Utile;délai de paiement;bon accueil",
        f"2;{OTHER};2510;codefi-21;;;;;",
        f"3;{ID};2510;codefi-21;peut-être;;Utile;;",
        f"4;{ID};2510;codefi-21;Oui;2025-11-12;;;",
        f"5;{ID};octobre;codefi-21;Non;;Déjà connue;;",
        "6;12345;2510;codefi-21;Non;;;;",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    (row,), count = read_back(connection, path)
    assert row[:8] == (ID, "2510", "codefi-21", True, date(2025, 11, 12), "Utile", "délai de paiement", "bon accueil")
    assert (count.accepted, count.filtered, count.quarantined) == (1, 1, 4)
    refused = connection.execute('select line, "column" from quarantine order by line').fetchall()
    assert refused == [(4, "Contactée"), (5, "Contactée le"), (6, "Liste"), (7, "siren")]


def test_a_workbook_has_choices_and_protects_everything_else(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "retour_codefi-21_2510.xlsx"
    listed = pl.DataFrame({"siren": [ID, OTHER], "raison_sociale": ["A", "B"]})
    thresholds = Thresholds(modere=0.1, fort=0.2)
    about = About(
        date(2025, 10, 1), date(2025, 10, 31), "m", probabilities=False, thresholds=thresholds, staff=10, window=120
    )
    write_xlsx(listed, path, about, recipient="codefi-21")
    with zipfile.ZipFile(path) as book:
        sheet, styles = (book.read(f"xl/{part}.xml").decode() for part in ("worksheets/sheet1", "styles"))
    assert "<sheetProtection" in sheet
    assert sheet.count("<dataValidation ") == 3
    assert "Utile,Déjà connue,Alerte erronée,Hors de notre ressort" in sheet
    assert 'locked="0"' in styles
    rows, count = read_back(connection, path)
    assert rows == []
    assert (count.accepted, count.filtered, count.quarantined) == (0, 2, 0), "nobody answered yet"
    arrived = inspect(path, BY_NAME["retour"])
    assert (arrived.records, arrived.fault) == (2, None)
    write_xlsx(listed[:0], path, about, recipient="codefi-21")
    plain = tmp_path / "plain.xlsx"
    write_xlsx(listed, plain, about)
    with zipfile.ZipFile(plain) as book:
        assert "<sheetProtection" not in book.read("xl/worksheets/sheet1.xml").decode()


def test_a_workbook_that_was_filled_in_is_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "retour_codefi-21_2510.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Liste")
        sheet.write_row(0, 0, TITLES)
        sheet.write_row(1, 0, (ID, "2510", "codefi-21", "Oui", "12/11/2025", "Déjà connue", "", "suivie en CODEFI"))
        sheet.write_row(2, 0, (OTHER, "2510", "codefi-21"))
    (row,), count = read_back(connection, path)
    assert row[:8] == (ID, "2510", "codefi-21", True, date(2025, 11, 12), "Déjà connue", None, "suivie en CODEFI")
    assert (count.accepted, count.filtered) == (1, 1)
