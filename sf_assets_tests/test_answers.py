"""Answers of officers: the workbook that they fill in, and the source that reads what comes back."""

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
import xlsxwriter

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.definitions import defs
from sf_assets.engine.lineage import trace_to_files
from sf_assets.engine.sql import read_sql
from sf_assets.features.registry import NAMES
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
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select '0' as siren")
        connection.execute(
            f"create temp table published as select unnest(['{ID}', '{OTHER}']) as company, '2510' as first_list"
        )
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


def test_an_answer_about_a_company_that_was_on_no_list_until_its_own_is_refused_with_the_reason(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("create or replace temp table published as select $1 as company, '2511' as first_list", [ID])
    path = tmp_path / "retour_codefi-21.csv"
    lines = (
        ";".join(TITLES),
        f"{ID};2512;codefi-21;Oui;;Utile;;",
        f"{ID};2510;codefi-21;Oui;;Utile;;",
        f"{OTHER};2511;codefi-21;Oui;;Utile;;",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    (row,), _ = read_back(connection, path)
    assert row[:2] == (ID, "2512"), "a company that left the list is still shown to those who could see it"
    refused = connection.execute('select line, "column", expected, found from quarantine order by line').fetchall()
    reason = "a company of the published list that the answer names, or of one before"
    assert refused == [(3, "SIREN", reason, ID), (4, "SIREN", reason, OTHER)]


def test_only_lists_published_before_the_batch_may_be_answered() -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("create table list_alerts as select * from (values ('a', date '2025-10-01', 1), "
                           "('b', date '2025-10-01', 2), ('a', date '2025-09-01', 1), ('c', date '2025-11-01', 1), "
                           "('d', date '2025-08-01', 1)) as t (siren, month, version)")  # fmt: skip
        connection.execute("create table list_publication as select * from (values (date '2025-10-01', 2), "
                           "(date '2025-09-01', 1), (date '2025-11-01', 1)) as t (month, list_version)")  # fmt: skip
        query = read_sql("sf_assets.staging", "published_companies")
        found = connection.execute(query, {"month": date(2025, 11, 1)}).fetchall()
    assert sorted(found) == [("a", "2509"), ("b", "2510")]


def answers(*rows: dict[str, object]) -> pl.DataFrame:
    """Return the newest answers among rows of `stg_retour`, by `list_answers.sql`."""
    columns = ("month", "siren", "liste", "destinataire", "contactee", "contactee_le", "utilite", "aide", "remarque")
    types = dict(zip(columns, (pl.Date, *[pl.String] * 3, pl.Boolean, pl.Date, *[pl.String] * 3), strict=True))
    default: dict[str, object] = {"month": date(2025, 11, 1), "siren": ID, "liste": "2510", "destinataire": "codefi-21"}
    types |= {"file_number": pl.Int64, "line": pl.Int64}
    default |= {"file_number": 1, "line": 2}
    stg_retour = pl.DataFrame([default | row for row in rows], schema=types)  # noqa: F841 - read by the query
    with duckdb.connect(config={"threads": 1}) as connection:
        return connection.execute(read_sql("sf_assets.lists", "list_answers") + " order by all").pl()


def test_the_newest_answer_of_each_recipient_counts_and_conflicts_stay() -> None:
    found = answers(
        {"utilite": "Utile", "contactee_le": date(2025, 11, 3), "aide": "CCSF", "remarque": "un secret"},
        {"utilite": "Alerte erronée", "line": 9},
        {"utilite": "Déjà connue", "month": date(2025, 12, 1)},
        {"utilite": "Utile", "liste": "2511", "month": date(2025, 12, 1)},
        {"utilite": "Hors de notre ressort", "destinataire": "ddets-r84", "file_number": 2},
    )
    assert found.select("mois_liste", "destinataire", "utilite", "recue").rows() == [
        (date(2025, 10, 1), "codefi-21", "Déjà connue", date(2025, 12, 1)),
        (date(2025, 10, 1), "ddets-r84", "Hors de notre ressort", date(2025, 11, 1)),
        (date(2025, 11, 1), "codefi-21", "Utile", date(2025, 12, 1)),
    ]
    assert found.columns == list(TABLES["list_answers"].column_names), "no free text"
    dated = answers({"contactee_le": date(2025, 11, 3), "aide": "CCSF"})
    assert dated.select("contactee", "aide_proposee").row(0) == (True, True)


def known(*rows: dict[str, object]) -> dict[str, tuple[str, date | None]]:
    list_answers = answers(*rows)  # noqa: F841 - read by the query
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.execute(read_sql("sf_assets.lists", "known_answers")).fetchall()
    return {siren: (told, since) for siren, told, since in found}


def test_what_was_answered_is_said_in_french_without_names_and_free_texts() -> None:
    found = known(
        {"utilite": "Déjà connue"},
        {"utilite": "Utile", "contactee_le": date(2025, 12, 12), "liste": "2511", "month": date(2025, 12, 1)},
        {"contactee": False, "destinataire": "ddets-r84", "remarque": "un secret"},
        {"siren": OTHER, "remarque": "un secret"},
        {"siren": OTHER, "remarque": "un secret", "destinataire": "ddets-r84"},
    )
    assert found == {
        ID: ("Utile, contactée le 12/12/2025 ; Non contactée, réponse reçue en 11/2025", date(2025, 10, 1)),
        OTHER: ("Réponse reçue en 11/2025", None),
    }


def test_no_feature_score_or_level_is_made_of_an_answer() -> None:
    graph = defs.resolve_asset_graph()
    # The list itself is gated by answers, which stand beside it; nothing before it is.
    returned = {key.to_user_string() for key in graph.get_all_asset_keys() if key.to_user_string() == "stg_retour"}
    assert returned == {"stg_retour"}
    before = {"feat_matrix", "feat_company_month", "model_target", "model_fitted", "model_scores", "list_corrections"}
    for name in before:
        (key,) = (key for key in graph.get_all_asset_keys() if key.to_user_string() == name)
        ancestors = {one.to_user_string() for one in graph.get_ancestor_asset_keys(key)}
        assert not ancestors & {"src_retour", "stg_retour", "list_answers"}, name
    made = {("feat_matrix", name) for name in NAMES} | {("model_scores", "probabilite")}
    made |= {("list_alerts", name) for name in ("niveau", "rang", "probabilite", "motif_1", "motif_2", "motif_3")}
    assert not [field for field in made if any(file == "src_retour" for file, _ in trace_to_files(field))]
    assert trace_to_files(("list_alerts", "derniere_reponse")), "the trace would find it"


def test_remarks_and_free_texts_never_leave_the_table() -> None:
    kept = {
        (table.name, column.name)
        for table in TABLES.values()
        for column in table.columns
        if {("src_retour", "Remarque"), ("src_retour", "Aide proposée")} & {*trace_to_files((table.name, column.name))}
    }
    assert kept == {("stg_retour", "remarque"), ("stg_retour", "aide"), ("list_answers", "aide_proposee")}


def test_refused_answers_are_a_note_that_stops_no_list() -> None:
    blocking = {check.name for check in SUITES["stg_retour"].checks if check.severity == "error"}
    assert "few_refused" not in blocking
    assert "nothing_lost" in blocking
