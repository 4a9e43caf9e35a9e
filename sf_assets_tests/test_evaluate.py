"""The evaluation as deployed: from the tables of a month to figures, a champion, a report, and the next list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from drawn import simulated
from polars.testing import assert_frame_equal

from sf_assets.catalogue.tables import SUITES, TABLES
from sf_assets.engine.quality.verdicts import check_months, record_verdicts
from sf_assets.engine.storage import frame_of
from sf_assets.evaluation import assets as evaluation
from sf_assets.evaluation import loading
from sf_assets.evaluation import results as results_module
from sf_assets.evaluation.page import BEGIN, END, replace_tables
from sf_assets.evaluation.report import render_report
from sf_assets.evaluation.results import EvaluationResults, load_results
from sf_assets.evaluation.utility import feature_groups
from sf_assets.model import learning
from sf_assets.model.methods import METHODS
from sf_assets.model.selection import CHAMPION
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.deployment import Run
from sf_assets_tests.runs import Place

FIRST, MONTH = date(2017, 2, 1), date(2024, 10, 1)
COMPANIES = 150
FAST = {name: METHODS[name] for name in ("logistique", "seuils")}
YEARLY = ("eval_backtest", "eval_figures", "eval_champion", "eval_utility")
pytestmark = pytest.mark.filterwarnings("ignore:(?s).*varying BackfillPolicies")


def companies_and_procedures() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the features of companies month by month until they fail, and the procedures of those that do."""
    months = [add_months(FIRST, n) for n in range((MONTH.year - FIRST.year) * 12 + MONTH.month - FIRST.month + 1)]
    base, risky = simulated(COMPANIES, seed=8)
    rng = np.random.default_rng(8)
    frail = risky | (rng.random(COMPANIES) < 0.35)
    day = [add_months(FIRST, int(n)).replace(day=10) for n in rng.integers(8, len(months), COMPANIES)]
    # Companies that fail pay later than the others, in all months before.
    delay = np.where(frail, 25.0, 5.0) + rng.normal(0, 8, COMPANIES)
    rows = pl.concat(
        base.with_columns(
            month=pl.lit(month),
            siren=pl.Series([f"{i:09}" for i in range(COMPANIES)]),
            paydex=pl.Series(delay + rng.normal(0, 5, COMPANIES)),
        ).filter(pl.Series([not frail[i] or day[i] > month for i in range(COMPANIES)]))
        for month in months
    )
    episodes = pl.DataFrame(
        [
            {"siren": f"{i:09}", "action_procol": "liquidation", "libelle_procol": "liquidation", "source": "bodacc",
             "date_debut": day[i]}
            for i in range(COMPANIES) if frail[i]
        ]
    )  # fmt: skip
    return rows, episodes


def write_inputs(place: Place) -> None:
    """Write the tables that an evaluation reads, and check them."""
    rows, episodes = companies_and_procedures()
    months = rows["month"].unique().sort().to_list()
    described = rows.select("month", "siren", naf_section=pl.lit("F"), libelle_region=pl.lit("Corse"))
    with place.warehouse.session() as session:
        for name, frame in (("feat_matrix", rows), ("feat_company_month", described)):
            table = TABLES[name]
            given = frame_of(table, frame.iter_rows(named=True), with_month=True)
            session.replace({table: given}, where={"month": months}, author="test", message="test")
        table = TABLES["clean_procedure_episode"]
        given = frame_of(table, episodes.iter_rows(named=True))
        session.replace({table: given}, where={"month": MONTH}, author="test", message="test")
        for name, judged in (("feat_matrix", months), ("feat_company_month", months), (table.name, [MONTH])):
            verdicts = check_months(session, SUITES[name], judged)
            record_verdicts(session, name, verdicts, run_id="test", judged_at=datetime(2024, 11, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a deployment with the inputs of an evaluation and the models of the month, by two methods that are fast to fit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "METHODS", FAST)
        patch.setattr(evaluation, "METHODS", FAST)
        patch.setattr(evaluation, "feature_groups", lambda features: feature_groups(features)[:1])
        patch.setattr(evaluation, "ORIGINS", 1)
        place = Place(tmp_path_factory.mktemp("evaluate"), perimeter_months=120, training_failures=5)
        write_inputs(place)
        run = place.build(MONTH, "model_target", "model_fitted", "model_evaluation")
        assert run.failures == {}
        yield place


@dataclass(frozen=True)
class Evaluated:
    run: Run
    rows: dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def evaluated(place: Place) -> Evaluated:
    run = place.build(MONTH, *YEARLY)
    assert run.failures == {}
    return Evaluated(run, place.content(MONTH, YEARLY))


@pytest.fixture(scope="module")
def results(place: Place, evaluated: Evaluated) -> EvaluationResults:
    with place.warehouse.session() as session:
        return load_results(session, MONTH, 0, Path("no oracle"))


def test_every_method_is_measured_at_every_origin_in_every_reading(evaluated: Evaluated) -> None:
    origins = [f"{year}-04" for year in range(2019, 2023)]
    assert evaluated.run.metadata["eval_backtest"]["origins"] == origins
    figures = evaluated.rows["eval_figures"]
    assert set(figures["methode"]) == set(FAST)
    assert set(figures["entreprises"]) == {"toutes", "nouvelles"}
    assert set(figures.filter(dimension="origine")["groupe"]) == set(origins)
    whole = figures.filter(dimension="ensemble", mesure="roc_auc")
    assert whole.height == 8
    assert (whole["bas"] <= whole["valeur"]).all()
    assert (whole["valeur"] <= whole["haut"]).all()


def test_a_backtest_scores_each_company_and_month_once_and_only_from_its_origin_on(evaluated: Evaluated) -> None:
    scores = evaluated.rows["eval_backtest"]
    assert not scores.select("siren", "periode", "methode", "entreprises").is_duplicated().any()
    assert scores.filter(pl.col("periode") < pl.col("origine")).is_empty()
    assert scores.filter(pl.col("periode") >= pl.col("origine").dt.offset_by("12mo")).is_empty()
    assert scores["periode"].max() == date(2023, 3, 1), "the last month whose outcome is known"


def test_the_utility_of_a_theme_is_measured_and_useless_themes_are_named(evaluated: Evaluated) -> None:
    (row,) = evaluated.rows["eval_utility"].rows(named=True)
    assert (row["nature"], row["nom"]) == ("theme", "Dettes sociales")
    named = [] if row["apporte"] else ["Dettes sociales"]
    assert evaluated.run.metadata["eval_utility"]["adds_nothing"] == named


def test_the_same_evaluation_gives_the_same_rows(place: Place, evaluated: Evaluated) -> None:
    assert place.build(MONTH, *YEARLY).failures == {}
    for table, before in evaluated.rows.items():
        assert_frame_equal(place.rows(table, MONTH), before, check_exact=True)


def test_the_champion_of_an_evaluation_makes_the_lists_of_later_months(place: Place, evaluated: Evaluated) -> None:
    (before,) = place.rows("model_fitted", MONTH).filter("retained")["methode"]
    (decided,) = evaluated.rows["eval_champion"].rows(named=True)
    assert decided["tenant"] == before
    (other,) = set(FAST) - {before}
    with place.warehouse.session() as session:
        row = decided | {"champion": other, "remplace": True, "bas": 0.01}
        session.replace(
            {CHAMPION: frame_of(CHAMPION, [row])}, where={"month": date(2024, 9, 1)}, author="test", message="x"
        )
    unchecked = place.build(MONTH, "model_fitted", "model_evaluation").failures
    assert "eval_champion, 2024-09" in unchecked["model_learning"], "an unchecked decision blocks the models"
    assert place.run_checks(date(2024, 9, 1), "eval_champion").success
    assert place.build(MONTH, "model_fitted", "model_evaluation").failures == {}
    (after,) = place.rows("model_fitted", MONTH).filter("retained")["methode"]
    assert after == other


def test_drift_compares_the_month_with_the_months_its_models_learned_from(place: Place, evaluated: Evaluated) -> None:
    run = place.build(MONTH, "eval_drift")
    assert run.failures == {}
    drift = place.rows("eval_drift", MONTH)
    assert drift.filter(nature="score")["nom"].to_list() == ["logistique"], "the threshold method learns from no month"
    assert drift.filter(nom="paydex")["psi"].item() > 0.25, "most companies that pay late have failed by then"
    assert run.refused["eval_drift"][-1].severity == dg.AssetCheckSeverity.WARN


def test_the_report_is_one_file_without_external_resources(results: EvaluationResults) -> None:
    text = render_report(results)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in text
    assert text.count("<svg") == 3 + len(results.groups) + 2
    assert all(METHODS[name].label in text for name in FAST)
    assert "color-scheme: light dark" in text
    cells = re.findall(r"<td>(.*?)</td>", text)
    assert any(re.fullmatch(r"0,\d{3}<br><small>\[0,\d{3}\s;\s0,\d{3}\]</small>", cell) for cell in cells)
    assert not [cell for cell in cells if re.search(r"\d\.\d", cell)], "French writes a comma"


def test_a_method_removed_since_is_left_out_of_the_report(
    place: Place, evaluated: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "METHODS", {"seuils": METHODS["seuils"]})
    monkeypatch.setattr(results_module, "METHODS", {"seuils": METHODS["seuils"]})
    with place.warehouse.session() as session:
        left = load_results(session, MONTH, 0, Path("no oracle"))
    assert left.methods == ["seuils"]
    assert METHODS["logistique"].label not in render_report(left)


def test_the_page_keeps_its_text_and_gets_new_tables(results: EvaluationResults) -> None:
    page = replace_tables(f"before {BEGIN} old {END} after", results)
    assert page.startswith(f"before {BEGIN}\n")
    assert page.endswith(f"{END} after")
    assert " old " not in page
    assert "| ROC AUC | 0." in page
    assert replace_tables(page, results) == page
