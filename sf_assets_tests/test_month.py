"""A month from its files to its list, run as the jobs of the pages do; run again, changed, and followed by the next."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.catalogue.modes import outside_of
from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.storage.inputs import ASSET_INPUTS
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists import tables as list_tables
from sf_assets.lists.expert_rules import NAMES as EXPERT_RULES
from sf_assets.lists.selection import LEVELS
from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.forest import ForestMethod
from sf_assets.model.methods import METHODS
from sf_assets.operations import explain
from sf_assets.sources.arrival import ARRIVALS
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.modes import FULL
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.deployment import Run
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.nomenclature import Nomenclature
from sf_assets_tests.runs import Place

# Dagster runs months that have ended: these have the register of before the switch of nomenclature, and of its month. The
# month after it is compared in test_switch.py.
SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
NOMENCLATURES: dict[date, Nomenclature] = {SEPTEMBER: "before", OCTOBER: "during"}
# Long enough for months that train, months that choose thresholds and months that measure, each known before the next.
YEARS = 8
SEED = 3
# Features run over ranges of months, other layers month by month.
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")
# What the methods are worth is said once a year.
YEARLY = {"eval_backtest", "eval_figures", "eval_champion", "eval_utility", "eval_effect"}
# What no model in use reads, and publications, are made on demand only; some tables are those of the other mode.
APART = {*YEARLY, "feat_lags", "list_publication", *outside_of(FULL)}
STORED = (
    *(name for name in TABLES if name not in APART),
    "stg_import",
    "stg_quarantine",
    ARRIVALS.name,
    "check_verdicts",
    "list_versions",
    ASSET_INPUTS.name,
)


def write(place: Place, month: date) -> None:
    nomenclature = NOMENCLATURES[month]
    write_batch(place.batch(month), month=month, companies=500, seed=SEED, years=YEARS, nomenclature=nomenclature)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch:
        # Among so few companies the best thresholds are a matter of luck, and so is the length of the list.
        patch.setattr(list_tables, "LARGEST_LIST", 1.0)
        # What the months are made of matters here, not how good the models are.
        patch.setitem(ForestMethod.__init__.__kwdefaults__, "trees", 10)
        patch.setitem(BoostingMethod.__init__.__kwdefaults__, "rounds", 30)
        yield Place(tmp_path_factory.mktemp("month"), perimeter_months=12 * YEARS, training_failures=2)


@pytest.fixture(scope="module")
def september(place: Place) -> dict[str, Run]:
    """Run September as the demonstration does: its batch, the history its models learn from, its scores and its list."""
    write(place, SEPTEMBER)
    runs = {"batch": place.run("batch", SEPTEMBER)}
    assert runs["batch"].failures == {}
    first = place.warehouse.query("select min(periode) from lake.clean_effectif_ent").item()
    known = max(add_months(first, DELAYS["effectif_months"]), add_months(SEPTEMBER, 1 - 12 * YEARS))
    runs["history"] = place.run_range("history", known, add_months(SEPTEMBER, -1))
    runs["score"] = place.run("score", SEPTEMBER)
    assert [run.failures for run in runs.values()] == [{}, {}, {}]
    return runs


def lines_of(path: Path) -> int:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).count(b"\n")


def test_every_record_delivered_is_accepted_filtered_or_quarantined(place: Place, september: dict[str, Run]) -> None:
    counted = {row["file"]: row for row in place.rows("stg_import", SEPTEMBER).iter_rows(named=True)}
    assert set(counted) == {path.name for path in place.batch(SEPTEMBER).iterdir()}
    for name, row in counted.items():
        assert row["records"] == lines_of(place.batch(SEPTEMBER) / name) - 1
        assert row["records"] == row["accepted"] + row["filtered"] + row["quarantined"]


def test_every_check_of_every_asset_is_recorded_for_the_month(place: Place, september: dict[str, Run]) -> None:
    judged = place.rows("check_verdicts", SEPTEMBER)
    assert set(judged.select("asset", "check_name").iter_rows()) == {
        (suite.asset, check.name) for suite in SUITES.values() if suite.asset not in APART for check in suite.checks
    }
    assert judged.filter(~pl.col("passed") & (pl.col("severity") == "error")).is_empty()


def test_every_method_is_measured_on_later_months_and_one_is_retained(place: Place, september: dict[str, Run]) -> None:
    fitted = place.rows("model_fitted", SEPTEMBER)
    assert fitted["methode"].to_list() == list(METHODS)
    assert fitted["supported"].all()
    assert fitted["retained"].sum() == 1
    figures = place.rows("model_evaluation", SEPTEMBER).pivot("mesure", index=["methode", "lecture"], values="valeur")
    assert set(figures.select("methode", "lecture").iter_rows()) == {
        (method, reading) for method in METHODS for reading in ("hors_procedure", "toutes")
    }
    assert figures["roc_auc"].is_between(0, 1).all()
    assert (figures["failures"] > 0).all()


def test_the_list_is_handed_over_in_five_files_that_agree(place: Place, september: dict[str, Run]) -> None:
    listed = place.rows("list_alerts", SEPTEMBER).sort("rang")
    assert listed.height > 0, "choose another seed"
    folder = place.settings.data_dir / "lists" / "2509"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"liste_2509.{kind}" for kind in ("csv", "html", "json", "parquet", "xlsx")
    ]
    assert pl.read_parquet(folder / "liste_2509.parquet")["siren"].to_list() == listed["siren"].to_list()
    text = (folder / "liste_2509.csv").read_text("utf-8-sig")
    assert [line.split(";")[1].strip('="') for line in text.splitlines()[1:]] == listed["siren"].to_list()
    with zipfile.ZipFile(folder / "liste_2509.xlsx") as book:
        assert "Lisez-moi" in book.read("xl/workbook.xml").decode()
    companies = {one["siren"]: one for one in json.loads((folder / "liste_2509.json").read_text("utf-8"))}
    assert {siren for siren, one in companies.items() if one["alert"] != "Pas d'alerte"} == set(listed["siren"])
    assert listed["motif_1"].null_count() == 0


def test_scored_rows_record_the_snapshot_they_read(place: Place, september: dict[str, Run]) -> None:
    (snapshot,) = place.rows("model_scores", SEPTEMBER)["features_snapshot"].unique()
    read = place.warehouse.query(
        "select * from lake.feat_matrix at (version => $snapshot) where month = $month",
        {"snapshot": snapshot, "month": SEPTEMBER},
    )
    assert_frame_equal(read.sort(read.columns), place.rows("feat_matrix", SEPTEMBER))


@dataclass(frozen=True)
class Again:
    run: Run
    before: dict[str, pl.DataFrame]
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def again(place: Place, september: dict[str, Run]) -> Again:
    """Run the whole of September a second time, from the same files."""
    before = place.content(SEPTEMBER, STORED)
    return Again(place.run("monthly", SEPTEMBER), before, files_of(place))


def files_of(place: Place) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (place.settings.data_dir / "lists" / "2509").iterdir()}


def test_running_the_same_month_again_gives_the_same_rows_in_every_table(
    place: Place, again: Again
) -> None:  # deviation B9
    assert again.run.failures == {}
    assert set(place.tables()) == set(STORED)
    for table, before in again.before.items():
        assert_frame_equal(place.rows(table, SEPTEMBER), before)


def test_running_the_same_month_again_makes_no_new_version_and_the_same_files(place: Place, again: Again) -> None:
    assert again.run.metadata["model_scores"]["unchanged"]
    assert place.rows("model_scores", SEPTEMBER)["version"].unique().to_list() == [1]
    assert files_of(place) == again.files


def test_scoring_never_fits(place: Place, again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("scoring fits")

    for method in METHODS.values():
        monkeypatch.setattr(method, "fit", refuse)
    assert place.build(SEPTEMBER, "model_scores").failures == {}


@dataclass(frozen=True)
class Changed:
    early: Run
    run: Run
    first: pl.DataFrame


@pytest.fixture(scope="module")
def changed(place: Place, again: Again) -> Changed:
    """Score and list September once more after its features have changed."""
    first = place.rows("model_scores", SEPTEMBER)
    query = "select * exclude (month) replace (paydex + 15 as paydex) from lake.feat_matrix where month = $month"
    with place.warehouse.session() as session:
        session.replace(
            {TABLES["feat_matrix"]: query},
            where={"month": SEPTEMBER},
            author="test",
            message="late payments",
            parameters={"month": SEPTEMBER},
        )
    early = place.build(SEPTEMBER, "model_scores")
    assert place.run_checks(SEPTEMBER, "feat_matrix").success
    # The models of a month know the features of its companies: the mean score follows them.
    learned = place.build(SEPTEMBER, "model_fitted", "model_evaluation")
    assert learned.failures == {}
    return Changed(
        early, place.build(SEPTEMBER, "model_scores", "list_corrections", "list_alerts", "list_export"), first
    )


def test_scores_wait_until_changed_features_are_judged(changed: Changed) -> None:
    assert set(changed.early.failures) == {"model_scores"}
    assert "feat_matrix, 2025-09: " in changed.early.failures["model_scores"]
    assert "ran on an older write of the month" in changed.early.failures["model_scores"]


def test_new_scores_of_a_published_month_are_a_new_version_beside_the_first(place: Place, changed: Changed) -> None:
    assert changed.run.failures == {}
    scores = place.rows("model_scores", SEPTEMBER)
    assert sorted(scores["version"].unique()) == [1, 2]
    assert_frame_equal(scores.filter(version=1), changed.first)
    joined = scores.filter(version=1).join(scores.filter(version=2), on=["siren", "methode"])
    assert joined.height == changed.first.height
    assert (joined["probabilite"] != joined["probabilite_right"]).any()


def test_a_new_version_is_announced_and_the_list_says_which_it_uses(place: Place, changed: Changed) -> None:
    scored, listed = changed.run.warnings
    assert "2025-09 is published" in scored
    assert "beside version 2" in scored
    assert "version 2 is written beside it, and the files of version 1 stay in a folder of their own" in listed
    assert changed.run.metadata["list_export"]["dagster/partition_row_count"] == 5
    # What was handed over before stays: each version has its list.
    assert sorted(place.rows("list_export", SEPTEMBER)["version"].unique()) == [1, 2]
    assert sorted(place.rows("list_alerts", SEPTEMBER)["version"].unique()) == [1, 2]


def test_the_files_handed_over_first_are_those_of_the_first_version(
    place: Place, again: Again, changed: Changed
) -> None:
    aside = place.settings.data_dir / "lists" / "2509_v1"
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == again.files


@dataclass(frozen=True)
class Next:
    run: Run
    before: dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def october(place: Place, changed: Changed) -> Next:
    """Run the whole of the month after, in one run."""
    write(place, OCTOBER)
    before = place.content(SEPTEMBER, STORED)
    return Next(place.run("monthly", OCTOBER), before)


def test_the_month_after_ends_with_its_own_list(place: Place, october: Next) -> None:
    assert october.run.failures == {}
    assert len(list((place.settings.data_dir / "lists" / "2510").iterdir())) == 5
    assert place.rows("model_scores", OCTOBER)["version"].unique().to_list() == [1]


def test_the_month_after_leaves_the_former_month_untouched(place: Place, october: Next) -> None:
    for table, before in october.before.items():
        assert_frame_equal(place.rows(table, SEPTEMBER), before)


def test_a_former_month_scored_again_keeps_both_versions(place: Place, october: Next) -> None:
    run = place.build(SEPTEMBER, "model_scores")
    assert run.failures == {}
    assert run.metadata["model_scores"]["unchanged"]
    assert sorted(place.rows("model_scores", SEPTEMBER)["version"].unique()) == [1, 2]


def test_the_list_of_the_month_after_says_what_became_of_each_alert(place: Place, october: Next) -> None:
    listed = place.rows("list_alerts", OCTOBER)
    newest = place.rows("list_alerts", SEPTEMBER).filter(pl.col("version") == pl.col("version").max())
    known = listed["siren"].is_in(newest["siren"].to_list())
    assert (listed["evolution"] == "Nouvelle alerte").to_list() == (~known).to_list()
    assert listed.filter(known)["premiere_alerte"].unique().to_list() == [SEPTEMBER]
    assert newest["evolution"].null_count() == newest.height


def test_corrections_that_the_deployment_names_change_levels_and_say_so(place: Place, october: Next) -> None:
    folder = place.settings.data_dir
    corrected = Place(folder, corrections=EXPERT_RULES, perimeter_months=12 * YEARS, training_failures=2)
    assert corrected.build(OCTOBER, "list_corrections", "list_alerts").failures == {}
    changed = corrected.rows("list_corrections", OCTOBER)
    assert changed.height > 0
    listed = corrected.rows("list_alerts", OCTOBER).filter(version=2)
    told = listed.filter(pl.col("niveau_modele").is_not_null()).select(
        "siren", "niveau_modele", "niveau", "corrections"
    )
    assert_frame_equal(
        told.sort("siren"), changed.filter(pl.col("niveau") > 0).select(told.columns).sort("siren"), check_dtypes=False
    )
    before = place.rows("list_alerts", OCTOBER).filter(version=1)
    assert before.height > 0, "what was handed over stays"
    assert before["corrections"].null_count() == before.height
    # A page speaks with the levels of the list.
    labels = {level.rank: level.label for level in LEVELS}
    with place.warehouse.session() as session:
        for row in changed.head(3).iter_rows(named=True):
            text = explain.page(session, OCTOBER, row["siren"], Shelf(folder / "models"))
            assert f"{labels[row['niveau']]} (niveau du modèle corrigé : {escape(row['corrections'])})" in text


def test_the_month_after_keeps_the_method_and_says_so(place: Place, october: Next) -> None:
    kept = {
        month: place.rows("model_fitted", month).filter("retained").row(0, named=True) for month in (SEPTEMBER, OCTOBER)
    }
    assert kept[OCTOBER]["methode"] == kept[SEPTEMBER]["methode"]
    assert kept[SEPTEMBER]["choice"] == "la plus précise sur les mois qui choisissent les seuils"
    assert kept[OCTOBER]["choice"].startswith("la même que pour la liste de 09/2025")
    with zipfile.ZipFile(place.settings.data_dir / "lists" / "2510" / "liste_2510.xlsx") as book:
        texts = book.read("xl/sharedStrings.xml").decode().replace("\xa0", " ")
    assert "la même que pour la liste de 09/2025" in texts
    assert "Méthode : la même" in texts
    assert "le mois dernier). Sorties de la liste : " in texts


def test_other_thresholds_over_a_listed_month_end_in_another_list(place: Place, october: Next) -> None:
    folder = place.settings.data_dir
    scores = place.rows("model_scores", OCTOBER)
    companies = scores["siren"].n_unique()
    # A shorter list: one twice as long as last month's would be refused.
    wanted = place.rows("list_versions", OCTOBER).filter(version=1)["companies"].item() / companies / 2
    shorter = Place(folder, alert_shares=(wanted / 3, wanted), perimeter_months=12 * YEARS, training_failures=2)
    steps = ("model_fitted", "model_evaluation", "model_scores", "list_corrections", "list_alerts", "list_export")
    run = shorter.build(OCTOBER, *steps)
    assert run.failures == {}
    after = place.rows("model_scores", OCTOBER)
    assert_frame_equal(after.filter(version=1), scores)
    assert after["version"].max() == 2
    exported = place.rows("list_export", OCTOBER)
    assert exported["version"].unique().sort().to_list() == [1, 2]
    fitted = place.rows("model_fitted", OCTOBER).filter("retained").row(0, named=True)
    standing = place.rows("list_versions", OCTOBER).sort("version").row(-1, named=True)
    assert (standing["seuil_fort"], standing["seuil_modere"]) == (fitted["seuil_fort"], fitted["seuil_modere"])
    assert (folder / "lists" / "2510_v1").is_dir()
    # And the same models again change nothing.
    assert shorter.build(OCTOBER, *steps[2:]).failures == {}
    assert place.rows("list_export", OCTOBER).equals(exported)


def test_the_page_of_a_company_has_the_reasons_of_the_list_and_pictures(place: Place, october: Next) -> None:
    models = Shelf(place.settings.data_dir / "models")
    listed = place.rows("list_alerts", OCTOBER).filter(pl.col("version") == pl.col("version").max()).row(0, named=True)
    with place.warehouse.session() as session:
        text = explain.page(session, OCTOBER, listed["siren"], models)
        with pytest.raises(explain.UnknownCompany, match="found another siren"):
            explain.page(session, OCTOBER, "000000000", models)
    assert escape(listed["motif_1"]) in text
    assert escape(listed["libelle_activite_principale"]) in text
    assert escape(listed["adresse"].splitlines()[0]) in text
    assert "Données connues au 31/10/2025" in text
    assert text.count("<svg") == 2
    assert "Elle ne sert jamais à contrôler" in text


def test_the_month_of_the_switch_of_nomenclature_codes_companies_in_both(place: Place, october: Next) -> None:
    assert october.run.failures == {}
    switched = {
        month: (place.rows("feat_company_month", month)["nomenclature_activite"] == "NAF2025").mean()
        for month in (SEPTEMBER, OCTOBER)
    }
    assert switched[SEPTEMBER] == 0
    assert 0.3 < switched[OCTOBER] < 0.7


def test_the_switch_of_nomenclature_moves_neither_companies_nor_sections(place: Place, october: Next) -> None:
    september, rows = (place.rows("feat_company_month", month) for month in (SEPTEMBER, OCTOBER))
    both = september.join(rows, on="siren")
    # In a month, fewer companies than that close or fall below the smallest head-count.
    assert both.height >= 0.99 * september.height
    for column in ("naf_section", "naf25_section", "code_naf", "code_naf25"):
        assert both[column].equals(both[f"{column}_right"], check_names=False)


def test_the_switch_of_nomenclature_leaves_the_list_stable(place: Place, october: Next) -> None:
    before, after = (
        set(rows.filter(pl.col("version") == pl.col("version").min())["siren"])
        for rows in (place.rows("list_alerts", month) for month in (SEPTEMBER, OCTOBER))
    )
    assert len(before & after) >= 0.5 * min(len(before), len(after))


def test_lags_are_made_on_demand_from_the_months_that_were_computed(place: Place, october: Next) -> None:
    run = place.run_range("wide", add_months(SEPTEMBER, -13), SEPTEMBER)
    assert run.failures == {}
    assert run.written == {"feat_lags"}
    now, before = (place.rows("feat_matrix", month) for month in (SEPTEMBER, add_months(SEPTEMBER, -12)))
    lags = place.rows("feat_lags", SEPTEMBER)
    assert lags["siren"].to_list() == now["siren"].to_list()
    both = lags.join(before, on="siren")
    assert both.height > 0
    for name in ("effectif", "paydex", "ebe_sur_ca", "dette_par_effectif"):
        assert both[f"{name}_lag12m"].equals(both[name], check_names=False)
