"""The whole register written around the followed companies: INSEE's columns, one population in three files, two forms."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sf_assets.sources.arrival import inspect
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME
from sf_assets.staging.reading import read_source
from sf_assets.staging.tables import query_of
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.register.stock import FOLLOWED, UNITS, write_register

MONTH = date(2026, 10, 1)
SHARE = 0.0001
STOCKS = {
    "sirene_ul": ("sireneUL.csv", "StockUniteLegale_utf8", 35),
    "sirene": ("StockEtablissement_utf8_geo.csv", "StockEtablissement_utf8", 54),
    "sirene_histo": ("StockEtablissementHistorique_utf8.csv", "StockEtablissementHistorique_utf8", 18),
}


@pytest.fixture(scope="module", name="written")
def fixture_written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, int]]:
    """Return a batch without the register, the same batch with it, and the rows written."""
    alone, whole = (tmp_path_factory.mktemp(name) / "2610" for name in ("alone", "whole"))
    for folder in (alone, whole):
        write_batch(folder, month=MONTH, companies=20, years=1)
    return alone, whole, write_register(whole, month=MONTH, share=SHARE)


def stock(folder: Path, source: str) -> pl.DataFrame:
    return pl.read_parquet(folder / f"{STOCKS[source][1]}.parquet")


def test_stocks_replace_the_files_of_the_followed_companies_at_the_share_asked_for(written) -> None:
    alone, whole, rows = written
    names = {path.name for path in whole.iterdir()}
    assert names & FOLLOWED == set()
    assert names - set(rows) == {path.name for path in alone.iterdir()} - FOLLOWED
    followed = pl.read_csv(alone / "sireneUL.csv", infer_schema=False).height
    assert rows["StockUniteLegale_utf8.parquet"] == pytest.approx(UNITS * SHARE + followed, abs=2)
    # 43.9 million establishments and 95.9 million periods for 29.9 million units.
    assert stock(whole, "sirene").height == pytest.approx(UNITS * SHARE * 43.9 / 29.9, rel=0.05)
    assert stock(whole, "sirene_histo").height == pytest.approx(UNITS * SHARE * 95.9 / 29.9, rel=0.06)


@pytest.mark.parametrize("source", STOCKS)
def test_a_stock_has_the_columns_of_insee_and_arrives_without_fault(written, source: str) -> None:
    _, whole, rows = written
    _, name, columns = STOCKS[source]
    found = stock(whole, source)
    assert found.width == columns
    arrival = inspect(whole / f"{name}.parquet", BY_NAME[source].edition_of(f"{name}.parquet"))
    assert (arrival.fault, arrival.records) == (None, rows[f"{name}.parquet"])


@pytest.mark.parametrize("source", STOCKS)
def test_rows_of_the_followed_companies_stay_as_they_are(written, source: str) -> None:
    alone, whole, _ = written
    before = pl.read_csv(alone / STOCKS[source][0], infer_schema=False)
    after = stock(whole, source).filter(pl.col("siren").is_in(before["siren"].implode()))
    shared = [name for name in before.columns if name in after.columns]
    assert {name for name in before.columns if name not in after.columns} <= {
        "longitude", "latitude", "geo_score", "geo_type", "geo_adresse", "geo_id", "geo_ligne", "geo_l4", "geo_l5",
    }  # fmt: skip
    found = after.select(pl.col(shared).cast(pl.String))
    order = [name for name in ("siren", "nic", "dateDebut", "etatAdministratifEtablissement") if name in shared]
    assert found.sort(order).equals(before.select(shared).sort(order))


def test_the_three_files_speak_of_one_population(written) -> None:
    _, whole, _ = written
    units, places, periods = (stock(whole, name) for name in STOCKS)
    assert units["siren"].is_unique().all()
    assert units["siren"].is_sorted()
    assert places["siret"].is_unique().all()
    drawn = places.filter(places["nic"] < "00200").group_by("siren").agg(pl.col("etablissementSiege").sum())
    assert drawn["etablissementSiege"].max() == 1
    assert set(places["siren"]) == set(units["siren"])
    assert set(periods["siret"]) <= set(places["siret"])
    backwards = periods.filter(pl.col("dateFin") < pl.col("dateDebut"))
    assert backwards.is_empty()
    last = periods.group_by("siret").agg(pl.col("etatAdministratifEtablissement").sort_by("dateDebut").last())
    states = last.join(places, on="siret").filter(pl.col("siren").is_in(units.head(1000)["siren"].implode()))
    assert (states["etatAdministratifEtablissement"] == states["etatAdministratifEtablissement_right"]).mean() > 0.99


def test_shares_of_the_register_are_those_of_the_documentation(written) -> None:
    _, whole, _ = written
    units, places, _ = (stock(whole, name) for name in STOCKS)
    assert (units["etatAdministratifUniteLegale"] == "A").mean() == pytest.approx(0.5, abs=0.03)
    persons = units["nomUniteLegale"].is_not_null()
    assert persons.mean() == pytest.approx(0.62, abs=0.03)
    assert (units.filter(persons)["nomUniteLegale"] == "[ND]").mean() == pytest.approx(0.1, abs=0.03)
    former = places["nomenclatureActivitePrincipaleEtablissement"] != "NAFRev2"
    assert former.mean() == pytest.approx(0.24, abs=0.04)


@pytest.fixture(scope="module", name="as_csv")
def fixture_as_csv(tmp_path_factory: pytest.TempPathFactory, written) -> Path:
    folder = tmp_path_factory.mktemp("csv") / "2610"
    write_batch(folder, month=MONTH, companies=20, years=1)
    assert [*write_register(folder, month=MONTH, share=SHARE, form="csv").values()] == [*written[2].values()]
    return folder


def test_csv_and_parquet_hold_the_same_rows(written, as_csv: Path) -> None:
    _, whole, _ = written
    for _, name, _ in STOCKS.values():
        csv = f"from read_csv('{as_csv}/{name}.csv', all_varchar = true)"
        parquet = f"select columns(*)::varchar from '{whole}/{name}.parquet'"
        assert duckdb.sql(f"({csv}) except ({parquet})").fetchall() == []


@pytest.mark.parametrize("source", STOCKS)
def test_a_stock_read_in_place_gives_the_rows_and_the_account_of_its_texts(written, as_csv: Path, source: str) -> None:
    alone, whole, _ = written
    found = []
    for folder, form in ((whole, "parquet"), (as_csv, "csv")):
        with duckdb.connect() as connection:
            label_tables.load(connection)
            connection.execute(f"create temp table perimeter as select siren from '{alone}/sireneUL.csv'")
            connection.execute("alter table perimeter alter siren type varchar using lpad(siren::varchar, 9, '0')")
            (count,) = read_source(connection, BY_NAME[source], [folder / f"{STOCKS[source][1]}.{form}"])
            rows = connection.execute(f"from ({query_of(BY_NAME[source])}) order by all").pl()
            found.append((rows, replace(count, file=""), connection.execute("from quarantine").fetchall()))
    (rows, count, refused), (texts, counted, refused_texts) = found
    assert rows.equals(texts)
    assert (count, refused) == (counted, refused_texts)
    assert count.accepted == rows.height > 0
    assert (count.outside > 0) == BY_NAME[source].filtered


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_that_is_none_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(ValueError, match="expected above 0 and at most 1, found"):
        write_register(tmp_path, month=MONTH, share=share)
