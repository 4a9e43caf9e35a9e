"""A month from its files to its list, run as the jobs of the pages do; run again, changed, and followed by the next."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.catalogue import SUITES, TABLES
from sf_assets.features.delays import DELAYS
from sf_assets.lists import tables as list_tables
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.partitions import add_months
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.synthetic import write_batch
from sf_assets_tests.runs import Place, Run

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
# Long enough for months that train, months that choose thresholds and months that measure, each known before the next.
YEARS = 8
SEED = 3
STORED = (*TABLES, ARRIVALS.name, "check_verdicts")


def write(place: Place, month: date) -> None:
    write_batch(place.batch(month), month=month, companies=500, seed=SEED, years=YEARS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        # Among so few companies the best thresholds are a matter of luck, and so is the length of the list.
        patch.setattr(list_tables, "_LARGEST_SHARE", 1.0)
        yield Place(tmp_path_factory.mktemp("month"), perimeter_months=12 * YEARS, training_failures=2)


@pytest.fixture(scope="module")
def october(place: Place) -> dict[str, Run]:
    """Run October as the demonstration does: its batch, the history its models learn from, its scores and its list."""
    write(place, OCTOBER)
    runs = {"batch": place.run("batch", OCTOBER)}
    assert runs["batch"].failures == {}
    first = place.warehouse.query("select min(periode) from lake.clean_effectif_ent").item()
    known = max(add_months(first, DELAYS["effectif_months"]), add_months(OCTOBER, 1 - 12 * YEARS))
    runs["history"] = place.run_range("history", known, add_months(OCTOBER, -1))
    runs["score"] = place.run("score", OCTOBER)
    assert [run.failures for run in runs.values()] == [{}, {}, {}]
    return runs


def lines_of(path: Path) -> int:
    opened = gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    with opened as stream:
        return sum(1 for _ in stream)


def test_every_record_delivered_is_accepted_filtered_or_quarantined(place: Place, october: dict[str, Run]) -> None:
    counted = {row["file"]: row for row in place.rows("stg_import", OCTOBER).iter_rows(named=True)}
    assert set(counted) == {path.name for path in place.batch(OCTOBER).iterdir()}
    for name, row in counted.items():
        assert row["records"] == lines_of(place.batch(OCTOBER) / name) - 1
        assert row["records"] == row["accepted"] + row["filtered"] + row["quarantined"]


def test_every_check_of_every_asset_is_recorded_for_the_month(place: Place, october: dict[str, Run]) -> None:
    judged = place.rows("check_verdicts", OCTOBER)
    assert set(judged.select("asset", "check_name").iter_rows()) == {
        (suite.asset, check.name) for suite in SUITES.values() for check in suite.checks
    }
    assert judged.filter(~pl.col("passed") & (pl.col("severity") == "error")).is_empty()


def test_both_methods_are_measured_on_later_months_and_one_is_retained(place: Place, october: dict[str, Run]) -> None:
    fitted = place.rows("model_fitted", OCTOBER)
    assert fitted["methode"].to_list() == ["logistique", "seuils"]
    assert fitted["supported"].all()
    assert fitted["retained"].sum() == 1
    figures = place.rows("model_evaluation", OCTOBER).pivot("mesure", index=["methode", "lecture"], values="valeur")
    assert set(figures.select("methode", "lecture").iter_rows()) == {
        (method, reading) for method in ("logistique", "seuils") for reading in ("hors_procedure", "toutes")
    }
    assert figures["roc_auc"].is_between(0, 1).all()
    assert (figures["failures"] > 0).all()


def test_the_list_is_handed_over_in_four_formats_that_agree(place: Place, october: dict[str, Run]) -> None:
    listed = place.rows("list_alerts", OCTOBER).sort("rang")
    assert listed.height > 0, "choose another seed"
    folder = place.settings.data_dir / "lists" / "2610"
    assert sorted(path.name for path in folder.iterdir()) == [f"liste_2610.{kind}" for kind in ("csv", "json", "parquet", "xlsx")]
    assert pl.read_parquet(folder / "liste_2610.parquet")["siren"].to_list() == listed["siren"].to_list()
    text = (folder / "liste_2610.csv").read_text("utf-8-sig")
    assert [line.split(";")[1] for line in text.splitlines()[1:]] == listed["siren"].to_list()
    with zipfile.ZipFile(folder / "liste_2610.xlsx") as book:
        assert "Lisez-moi" in book.read("xl/workbook.xml").decode()
    companies = {one["siren"]: one for one in json.loads((folder / "liste_2610.json").read_text())["scores"]}
    assert {siren for siren, one in companies.items() if one["alert"] != "Pas d'alerte"} == set(listed["siren"])
    assert listed["motif_1"].null_count() == 0


def test_scored_rows_record_the_snapshot_they_read(place: Place, october: dict[str, Run]) -> None:
    (snapshot,) = place.rows("model_scores", OCTOBER)["features_snapshot"].unique()
    read = place.warehouse.query(
        "select * from lake.feat_matrix at (version => $snapshot) where month = $month",
        {"snapshot": snapshot, "month": OCTOBER},
    )
    assert_frame_equal(read.sort(read.columns), place.rows("feat_matrix", OCTOBER))


@dataclass(frozen=True)
class Again:
    run: Run
    before: dict[str, pl.DataFrame]
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def again(place: Place, october: dict[str, Run]) -> Again:
    """Run the whole of October a second time, from the same files."""
    before = place.content(OCTOBER, STORED)
    return Again(place.run("monthly", OCTOBER), before, files_of(place))


def files_of(place: Place) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (place.settings.data_dir / "lists" / "2610").iterdir()}


def test_running_the_same_month_again_gives_the_same_rows_in_every_table(place: Place, again: Again) -> None:
    assert again.run.failures == {}
    assert set(place.tables()) == set(STORED)
    for table, before in again.before.items():
        assert_frame_equal(place.rows(table, OCTOBER), before)


def test_running_the_same_month_again_makes_no_new_version_and_the_same_files(place: Place, again: Again) -> None:
    assert again.run.metadata["model_scores"]["unchanged"]
    assert place.rows("model_scores", OCTOBER)["version"].unique().to_list() == [1]
    assert files_of(place) == again.files


def test_scoring_never_fits(place: Place, again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("scoring fits")

    for method in (LogisticMethod, ThresholdMethod):
        monkeypatch.setattr(method, "fit", refuse)
    assert place.build(OCTOBER, "model_scores").failures == {}


@pytest.fixture(scope="module")
def changed(place: Place, again: Again) -> Run:
    """Score October once more after its features have changed."""
    query = "select * exclude (month) replace (paydex + 15 as paydex) from lake.feat_matrix where month = $month"
    with place.warehouse.session() as session:
        session.replace(
            {TABLES["feat_matrix"]: query},
            where={"month": OCTOBER},
            author="test",
            message="late payments",
            parameters={"month": OCTOBER},
        )
    return place.build(OCTOBER, "model_scores")


def test_scores_of_changed_features_wait_until_they_are_judged(place: Place, changed: Run) -> None:
    assert "feat_matrix_checks" not in changed.failures
    assert "judged an older write of the month" in changed.failures["model_scores"]
