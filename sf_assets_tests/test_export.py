"""The export of a month: its clean tables as files, all or none, and the report on its perimeter."""

import hashlib
from datetime import date
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.catalogue.tables import TABLES
from sf_assets.clean.export import write_tables
from sf_assets.clean.report import NAME, Perimeter, report, write_report
from sf_assets.engine.queries import read_query
from sf_assets.sources.arrival import read_header
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.headcounts import apply_perimeter_rules
from sf_assets.staging.reading import READERS
from sf_assets.staging.records import read_records
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Table
from sf_assets_tests.runs import LOADED as SEPTEMBER
from sf_assets_tests.runs import Place, copy_of

# The ten tables of rules §8.4, and two tables that the former system did not export.
EXPORTED = {
    "clean_filter", "clean_ap", "clean_cotisation", "clean_debit", "clean_delai", "clean_procol", "clean_procol_at_date",
    "clean_effectif_ent", "clean_sirene_ul", "clean_sirene_histo", "clean_effectif", "clean_sirene",
}  # fmt: skip
KEYED = Table("keyed", "one company", pick("siren periode effectif"), key=("siren", "periode"))
COPIES = Table("copies", "one company, now and then twice", pick("siren effectif"))
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def tables_in(order: str, *, rows: int = 300_000, threads: int = 2) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": threads})
    made = "select lpad((i % 70000)::varchar, 9, '0') as siren, date '2020-01-01' + (i // 70000)::integer as periode, i % 7"
    connection.execute(f"create table keyed as {made} as effectif from range({rows}) t(i) order by {order}")
    connection.execute(
        f"create table copies as select siren, effectif from keyed order by {order.replace('i', 'siren')}"
    )
    return connection


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_rows_give_the_same_bytes_however_they_are_stored(tmp_path: Path) -> None:
    for name, order, threads in (("a", "i", 2), ("b", "i desc", 2), ("c", "hash(i)", 1)):
        with tables_in(order, threads=threads) as connection:
            written = write_tables(connection, [KEYED, COPIES], tmp_path / name)
        assert dict(written.select("file", "sha256").iter_rows()) == digests(tmp_path / name)
    assert digests(tmp_path / "a") == digests(tmp_path / "b") == digests(tmp_path / "c")


def test_a_failure_on_one_table_leaves_the_files_of_all_as_they_were(tmp_path: Path) -> None:
    with tables_in("i", rows=10) as connection:
        write_tables(connection, [KEYED, COPIES], tmp_path / "2509")
        before = digests(tmp_path / "2509")
        connection.execute("delete from keyed")
        connection.execute("drop table copies")
        connection.execute("create view copies as select error('no such page')::varchar as siren, 1 as effectif")
        with pytest.raises(duckdb.Error, match="no such page"):
            write_tables(connection, [KEYED, COPIES], tmp_path / "2509")
    assert digests(tmp_path / "2509") == before
    assert [path.name for path in tmp_path.iterdir()] == ["2509"]


def test_a_new_export_replaces_the_former_one_and_preserves_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "2509"
    write_report("texte\n", folder)
    for rows in (5, 10):
        with tables_in("i", rows=rows) as connection:
            write_tables(connection, [KEYED], folder)
    assert sorted(path.name for path in folder.iterdir()) == [NAME, "keyed.parquet"]
    assert (folder / NAME).read_text() == "texte\n"
    assert pl.read_parquet(folder / "keyed.parquet").height == 10


def test_an_empty_table_is_a_file_with_its_columns(tmp_path: Path) -> None:
    with tables_in("i", rows=0) as connection:
        write_tables(connection, [COPIES], tmp_path / "x")
    assert pl.read_parquet(tmp_path / "x" / "copies.parquet").columns == ["siren", "effectif"]


def steps(tmp_path: Path, text: str, *, months: int, recent: bool = False) -> dict[str, tuple[int, int, int]]:
    """Return companies before, left out and after each step for a head-count file."""
    path = tmp_path / "sigfaible_effectif_siren.csv"
    path.write_text(text)
    source = BY_NAME["effectif_ent"]
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute(READERS)
        line, header = read_header(path, source)
        read_records(connection, path, separator=";", lenient=True, header_line=line, width=len(header))
        values = {"perimeter_months": months, "minimum": 10, "recent": recent}
        apply_perimeter_rules(connection, header, values)
        query = read_query(files("sf_assets.staging"), "stg_filter_steps")
        rows = connection.execute(f"from ({query.text}) order by ordre", query.bind_values(values)).fetchall()
    return {name: figures for _, name, *figures in rows}  # type: ignore[misc]


HEADCOUNTS = """siren;eff202341;eff202342;eff202343;eff202411
512345678;15;9;9;
523456789;1;;10;
534567890;;;;
54567;50;50;50;
"""


def test_the_steps_of_the_perimeter_are_those_of_the_worked_example(tmp_path: Path) -> None:
    assert steps(tmp_path, HEADCOUNTS, months=2) == {
        "perimetre_initial": [3, 0, 3],
        "effectif": [3, 2, 1],
        "donnees_recentes": [1, 0, 1],
    }


def test_the_rule_on_recent_data_leaves_out_companies_without_head_count_for_three_months(tmp_path: Path) -> None:
    text = "siren;eff202341;eff202342;eff202343;eff202411\n512345678;15;;;\n523456789;;;10;\n534567890;;;9;7\n"
    figures = steps(tmp_path, text, months=36, recent=True)
    assert figures["effectif"] == [3, 1, 2]
    assert figures["donnees_recentes"] == [2, 1, 1]


def test_the_report_has_figures_rates_and_reasons_in_french() -> None:
    rows = [
        (1, "perimetre_initial", 4_000_000, 0, 4_000_000),
        (2, "effectif", 4_000_000, 3_876_543, 123_457),
        (3, "donnees_recentes", 123_457, 0, 123_457),
        (4, "liste_noire", 123_457, 15_432, 108_025),
        (5, "motif_categorie_juridique", 123_457, 10, None),
        (6, "motif_activite", 123_457, 15_000, None),
        (7, "motif_siege", 123_457, 450, None),
    ]
    frame = pl.DataFrame(rows, schema=["ordre", "etape", "avant", "exclues", "apres"], orient="row")
    text = report(frame, Perimeter(SEPTEMBER, date(2025, 9, 30), 36, 10, recent=False, explicit=1200))
    for line in (
        "Lot 2509, arrêté au 30/09/2025.",
        "| Fenêtre des effectifs | 36 mois |",
        "| Effectif minimal | 10 |",
        "| Effectif connu dans les 3 derniers mois | non exigé |",
        "| Périmètre initial | 4 000 000 | | |",
        "| Effectif d'au moins 10 | 123 457 | 3 876 543 | 96,91 % |",
        "| Données récentes | 123 457 | 0 | 0,00 % |",
        "| Avant | 123 457 | | |",
        "| Après exclusion | 108 025 | 15 432 | 12,50 % |",
        "| Siège absent de Sirene ou hors de France | 450 |",
    ):
        assert line in text.replace("\u202f", " ").splitlines()
    assert "un filtre explicite de 1 200 entreprises" in text.replace("\u202f", " ")


@pytest.fixture(scope="module")
def place(loaded_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return copy_of(loaded_month, tmp_path_factory.mktemp("export"))


def test_a_batch_exports_its_clean_tables_and_the_report(place: Place) -> None:
    folder = place.settings.data_dir / "exports" / "2509"
    assert {path.name for path in folder.iterdir()} == {*(f"{name}.parquet" for name in EXPORTED), NAME}
    exports = {row["file"]: row for row in place.rows("clean_export", SEPTEMBER).iter_rows(named=True)}
    for name in EXPORTED:
        exported = pl.read_parquet(folder / f"{name}.parquet")
        assert exported.columns == list(TABLES[name].column_names)
        assert_frame_equal(exported.sort(exported.columns), place.rows(name, SEPTEMBER).drop("month"))
        assert exports[f"{name}.parquet"]["rows"] == exported.height
        assert exports[f"{name}.parquet"]["sha256"] == digests(folder)[f"{name}.parquet"]


def test_exporting_and_reporting_a_month_again_gives_the_same_bytes(place: Place) -> None:
    folder = place.settings.data_dir / "exports" / "2509"
    before = digests(folder)
    run = place.build(SEPTEMBER, "clean_export", "perimeter_report")
    assert run.failures == {}
    assert digests(folder) == before
    assert run.metadata["perimeter_report"]["report"] == (folder / NAME).read_text(encoding="utf-8")


def test_the_figures_of_the_report_are_those_of_the_tables(place: Place) -> None:
    rows = {row["etape"]: row for row in place.rows("perimeter_report", SEPTEMBER).iter_rows(named=True)}
    blacklist = place.rows("siren_blacklist", SEPTEMBER)
    assert rows["donnees_recentes"]["apres"] == place.rows("stg_filter_import", SEPTEMBER).height
    assert rows["liste_noire"]["apres"] == place.rows("clean_filter", SEPTEMBER).height
    assert rows["liste_noire"]["exclues"] == blacklist.height > 0
    for reason in ("motif_categorie_juridique", "motif_activite", "motif_siege"):
        assert rows[reason]["exclues"] == blacklist[reason].sum()


def test_nothing_is_exported_when_a_table_has_not_passed_its_checks(place: Place) -> None:
    folder = place.settings.data_dir / "exports" / "2509"
    before = digests(folder)
    with place.warehouse.session() as session:
        session.replace(
            {TABLES["clean_delai"]: "select * exclude (month) from lake.clean_delai where month = $month limit 1"},
            where={"month": SEPTEMBER},
            author="test",
            message="not judged",
            parameters={"month": SEPTEMBER},
        )
    run = place.build(SEPTEMBER, "clean_export")
    assert "clean_delai, 2025-09: " in run.failures["clean_export"]
    assert digests(folder) == before
