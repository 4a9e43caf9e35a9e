"""The ratios that INPI and Banque de France publish: slips of the hand are refused, one set of accounts a year stays."""

import gzip
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from clean_world import SIRET, fresh_world

from sf_assets.clean.open_accounts import RATIOS_INPI
from sf_assets.sources.arrival import inspect
from sf_assets.sources.corrections import edition_of
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of
from sf_assets_tests.apart import shared

INPI = BY_NAME["ratios_inpi_bce"]
SIREN = SIRET[:9]
FIGURES = [cell.header for cell in INPI.cells if cell.reader in ("montant", "ratio")]
STG = "siren date_cloture_exercice type_bilan confidentiality chiffre_d_affaires resultat_net marge_ebe ebe"

world = pytest.fixture(fresh_world, name="world")


def line(closing="2023-12-31", kind="C", confidentiality="Public", **figures):
    values = dict.fromkeys(FIGURES, "1") | figures
    return ";".join([SIREN, closing, *values.values(), kind, confidentiality])


def staged(path, source=INPI, sirens=(SIREN,)):
    arrival = inspect(path, edition_of(source, path))
    assert arrival.fault is None
    with duckdb.connect(config={"threads": 1}) as connection:
        label_tables.load(connection)
        connection.execute("create temp table perimeter as select unnest($1) as siren", [list(sirens)])
        (count,) = read_source(connection, source, [path])
        rows = connection.execute(query_of(source)).pl()
        return rows, count, connection.execute("from quarantine order by line").pl()


def delivered(folder, *lines):
    path = folder / "ratios_inpi_bce.csv.gz"
    header = ";".join(["siren", "date_cloture_exercice", *FIGURES, "type_bilan", "confidentiality"])
    path.write_bytes(gzip.compress(("\ufeff" + "\n".join([header, *lines]) + "\n").encode()))
    return staged(path)


def test_the_compressed_file_with_a_byte_order_mark_is_read_and_kinds_of_accounts_stay_apart(tmp_path):
    rows, count, _ = delivered(tmp_path, line(), line(kind="K"), line(kind="K"), line(closing="20221231"))
    assert (count.accepted, count.filtered, count.quarantined) == (3, 1, 0)
    assert sorted(rows.select("date_cloture_exercice", "type_bilan").cast(pl.String).rows()) == [
        ("2022-12-31", "C"), ("2023-12-31", "C"), ("2023-12-31", "K"),
    ]  # fmt: skip


@pytest.mark.parametrize("closing", ["2108-12-31", "0019-12-31", "1919-12-31", "2023-02-30", ""])
def test_an_impossible_closing_date_quarantines_its_record(tmp_path, closing):
    _, count, quarantine = delivered(tmp_path, line(closing=closing))
    assert count.quarantined == 1
    assert quarantine["column"].to_list() == ["date_cloture_exercice"]


@pytest.mark.parametrize(
    ("column", "accepted", "refused"),
    [("chiffre_d_affaires", "999999999999", "1000000000000"), ("ebe", "-250000000000", "-1e12"),
     ("caf_sur_ca", "-999999.9", "1000000"), ("marge_ebe", "12,5", "x")],
)  # fmt: skip
def test_an_impossible_figure_quarantines_its_cell_only(tmp_path, column, accepted, refused):
    rows, count, quarantine = delivered(
        tmp_path, line(kind="C", **{column: accepted}), line(kind="S", **{column: refused})
    )
    assert (count.accepted, count.cells) == (2, 1)
    assert rows.sort("type_bilan")[column].to_list() == [float(accepted.replace(",", ".")), None]
    assert rows[next(name for name in FIGURES if name != column)].null_count() == 0
    assert quarantine.select("level", "column", "found").rows() == [("cell", column, refused)]


@pytest.mark.parametrize(
    ("closing", "year"),
    [("2023-12-31", 2023), ("2023-03-31", 2022), ("2023-06-30", 2022), ("2023-07-01", 2023), ("2023-08-31", 2023)],
)
def test_accounts_are_those_of_the_year_six_months_before_they_close(world, closing, year):
    world.add("stg_ratios_inpi_bce", STG, (SIREN, closing, "C", "Public", 1, 1, 1, 1))
    assert world.rows("clean_ratios_inpi", "annee_exercice") == [(year,)]


def test_of_the_accounts_of_a_year_the_consolidated_then_the_full_then_the_last_are_used(world):
    world.add(
        "stg_ratios_inpi_bce", STG,
        (SIREN, "2022-12-31", "C", "Public", 1, 1, 1, 1), (SIREN, "2022-09-30", "K", "Public", 2, 1, 1, 1),
        (SIREN, "2021-12-31", "S", "Public", 3, 1, 1, 1), (SIREN, "2021-09-30", "C", "Public", 4, 1, 1, 1),
        (SIREN, "2020-12-31", "C", "Public", 5, 1, 1, 1), (SIREN, "2021-03-31", "C", "Public", 6, 1, 1, 1),
    )  # fmt: skip
    assert world.rows("clean_ratios_inpi", "annee_exercice, type_bilan, chiffre_d_affaires, date_publication") == [
        (2020, "C", 6, "2021-10-31"),
        (2021, "C", 4, "2022-04-30"),
        (2022, "K", 2, "2023-04-30"),
    ]


def test_zero_is_unknown_in_confidential_accounts_except_in_the_balance_sheet(world):
    world.add(
        "stg_ratios_inpi_bce", STG + " autonomie_financiere credit_fournisseurs_jours",
        (SIREN, "2021-12-31", "C", "Partiellement confidentiel", 0, 0, 0, 0, 0, 803),
        (SIREN, "2022-12-31", "C", "Public", 0, 0, 0, 0, 0, 803),
    )  # fmt: skip
    columns = "est_confidentiel, chiffre_d_affaires, ebe, resultat_net, autonomie_financiere, credit_fournisseurs_jours"
    assert world.rows("clean_ratios_inpi", columns) == [(False, 0, 0, 0, 0, 803), (True, None, None, 0, 0, 803)]


def test_accounts_that_close_after_the_batch_and_those_of_a_blacklisted_company_are_left_out(world):
    world.add("stg_ratios_inpi_bce", STG, (SIREN, "2024-06-30", "C", "Public", 1, 1, 1, 1))
    world.add("stg_ratios_inpi_bce", STG, (SIREN, "2032-12-31", "C", "Public", 1, 1, 1, 1))
    assert world.rows("clean_ratios_inpi", "date_cloture_exercice") == [("2024-06-30",)]
    world.blacklist(SIREN)
    assert world.rows("clean_ratios_inpi") == []


@pytest.mark.parametrize(
    ("turnover", "margin", "ebe", "reported"),
    [(17188502, 9.014, 1549389, 0), (1718850200, 9.014, 1549389, 1), (17188, 9.014, 1549389, 1), (0, 0, 5, 0)],
)
def test_a_turnover_in_another_unit_than_its_margin_is_reported(world, turnover, margin, ebe, reported):
    world.add("stg_ratios_inpi_bce", STG, (SIREN, "2020-12-31", "C", "Public", turnover, 1, margin, ebe))
    world.build("clean_ratios_inpi")
    (rule,) = RATIOS_INPI.rules
    query = rule.arguments["unexpected_rows_query"].replace("{batch}", "clean_ratios_inpi")
    assert len(world.connection.execute(query).fetchall()) == reported


def sample(folder, name, into):
    """Copy a sample under the name of a delivery; skip the test without it."""
    return Path(shutil.copy(shared("samples", name), folder / into))


def test_the_published_extract_is_accepted_and_has_one_row_per_year(tmp_path, world):
    path = sample(tmp_path, "ratios_inpi_bce_extrait.csv", "ratios_inpi_bce.csv")
    sirens = set(pl.read_csv(path, separator=";", infer_schema=False)["siren"])
    rows, count, quarantine = staged(path, sirens=tuple(sirens))
    assert (count.accepted, count.quarantined, quarantine.height) == (count.records, 0, 0)
    world.connection.register("extract", rows.to_arrow())
    world.connection.execute("insert into stg_ratios_inpi_bce by name from extract")
    found = world.rows("clean_ratios_inpi", "siren, annee_exercice, type_bilan")
    assert len(found) == len({row[:2] for row in found})
    assert ("552032534", 2022, "K") in found
    assert {row[0] for row in found} < sirens, "one company closes after the batch"


def test_insees_own_extract_of_legal_units_is_accepted(tmp_path):
    path = sample(tmp_path, "StockUniteLegale_utf8_extrait3.csv", "StockUniteLegale_utf8.csv")
    rows, count, quarantine = staged(path, BY_NAME["sirene_ul"])
    assert (count.records, count.accepted, count.filtered) == (4, 4, 0)
    assert quarantine.height == 0
    assert rows.select("siren", "activite_principale", "est_actif").rows() == [
        ("000325175", "32.12Z", True), ("001807254", "85.59A", False),
        # Their codes are of a nomenclature that is no longer in use.
        ("005410220", None, False), ("005410345", None, False),
    ]  # fmt: skip
