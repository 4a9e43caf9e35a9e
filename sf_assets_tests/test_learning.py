"""Every method is fitted twice, and settings are searched on later months of other companies."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from drawn import simulated

from sf_assets.features.configurations import IN_USE
from sf_assets.model import learning
from sf_assets.model.assets import rules_of
from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.charts import curve_charts
from sf_assets.model.columns import Names
from sf_assets.model.evaluation import ChosenSetting, Comparison
from sf_assets.model.fitted import last_writes_of
from sf_assets.model.learning import learn, learn_table, select_method
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.methods import score
from sf_assets.model.splits import Split, SplitRules, split_table
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.operations import search as module
from sf_assets.operations.search import folds, search, table_folds, table_results
from sf_assets.settings import Settings, resources_for
from sf_assets.vocabulary.partitions import add_months

FIRST = date(2017, 1, 1)
COMPANIES = 400


def labelled_rows(months: int) -> pl.DataFrame:
    """Return the same companies in each month, with the same features and target."""
    rows, failure = simulated(COMPANIES, seed=6)
    failing = failure | (np.arange(COMPANIES) % 20 == 0)
    base = rows.with_columns(
        siren=pl.Series([f"{i:09}" for i in range(COMPANIES)]),
        target=pl.Series(failing),
        en_procedure=pl.Series(np.arange(COMPANIES) % 50 == 7),
        weight=pl.lit(1.0),
    )
    return pl.concat(base.with_columns(periode=pl.lit(add_months(FIRST, n))) for n in range(months))


def test_each_part_is_read_once_and_every_method_is_fitted_twice_and_measured(monkeypatch):
    monkeypatch.setattr(learning, "METHODS", {kind.name: kind for kind in (LogisticMethod, ThresholdMethod)})
    rows = labelled_rows(4)
    months = [add_months(FIRST, n) for n in range(4)]
    plan = Split(add_months(FIRST, 40), (months[0],), (months[1],), (months[2],), tuple(months), {})
    read = []

    def load(wanted):
        read.append(wanted)
        return rows.filter(pl.col("periode").is_in(wanted))

    learned = learn(plan, load, load)
    assert read == [plan.training, plan.validation, plan.test, plan.final_training]
    assert [one.name for one in learned] == ["logistique", "seuils"]
    assert all(one.fitted.features_ == IN_USE for one in learned), "no model reads a feature that is not in use"
    regression, points = learned
    first, last = regression.reference.first, regression.reference.last
    assert (first, last) == (months[0], months[-1]), "the newest months, of which there are four here"
    assert regression.reference.rate == pytest.approx(rows.filter(~pl.col("en_procedure"))["target"].mean())
    assert points.reference is None
    inside = rows.filter(~pl.col("en_procedure"))
    assert regression.training == {"rows": inside.height, "failures": inside.filter("target")["siren"].n_unique()}
    assert (points.training, points.training_months) == ({"rows": 0, "failures": 0}, ())
    assert regression.evaluation.hors_procedure.rows == inside.height // 4
    assert regression.evaluation.toutes.rows == COMPANIES
    assert [one.precision_recall.name for one in learned] == ["logistique", "seuils"]
    assert regression.calibration.name == "logistique"
    assert points.calibration is None  # points are not probabilities
    assert set(curve_charts(learned)) == {"precision_recall", "calibration"}
    best = max(learned, key=lambda one: one.validation_precision)
    assert select_method(learned).method == best.name


def test_the_companies_to_score_have_the_mean_score_of_the_newest_labelled_months():
    rows = labelled_rows(4)
    months = [add_months(FIRST, n) for n in range(4)]
    plan = Split(add_months(FIRST, 40), (months[0],), (months[1],), (months[2],), tuple(months), {})
    # Delays of payment grew without more failures.
    month = simulated(COMPANIES, seed=7)[0].with_columns(pl.col("paydex", "dette_sur_cotisation_mean12m") * 8)

    def load(wanted):
        return rows.filter(pl.col("periode").is_in(wanted))

    kinds = {kind.name: kind for kind in (LogisticMethod, ThresholdMethod)}
    labels, followed = (
        {one.name: one for one in learn(plan, load, load, kinds=kinds, **with_month)}
        for with_month in ({}, {"current": lambda: month})
    )
    before, after = labels["logistique"], followed["logistique"]
    newest = score(before.fitted, load(months)).mean()
    assert abs(score(before.fitted, month).mean() - newest) > 1e-3
    assert score(after.fitted, month).mean() == pytest.approx(newest)
    moved = after.reference.shift - before.reference.shift
    assert after.fitted.log_odds(month) == pytest.approx(before.fitted.log_odds(month) + moved)
    assert after.reference.low - before.reference.low == pytest.approx(moved)
    assert after.reference.rate == before.reference.rate
    assert after.thresholds == before.thresholds, "the validation months choose them, at their own rate"
    assert np.array_equal(score(followed["seuils"].fitted, month), score(labels["seuils"].fitted, month))


def test_folds_measure_other_companies_on_months_after_those_whose_label_was_known():
    rows = labelled_rows(60)
    rules = SplitRules()
    measured = []
    for fold in folds(rows["periode"], rows["siren"], rules):
        learn_rows, measure_rows = rows.filter(fold.learn), rows.filter(fold.measure)
        assert not set(learn_rows["siren"]) & set(measure_rows["siren"])
        first = measure_rows["periode"].min()
        assert rules.label_known(learn_rows["periode"].max()) <= rules.cutoff(first)
        assert rules.label_known(add_months(learn_rows["periode"].max(), 1)) > rules.cutoff(first)
        assert measure_rows["periode"].n_unique() == 6
        measured.append((first, set(measure_rows["siren"])))
    assert [first for first, _ in measured] == [add_months(FIRST, n) for n in (42, 48, 54)]
    assert sum(len(companies) for _, companies in measured) == COMPANIES
    assert len(set.union(*(companies for _, companies in measured))) == COMPANIES


def test_a_history_too_short_for_folds_is_refused():
    rows = labelled_rows(20)
    with pytest.raises(ValueError, match="expected months known before the last 3 half-years"):
        list(folds(rows["periode"], rows["siren"], SplitRules()))


def test_the_same_search_gives_the_same_figures_best_first():
    rows = labelled_rows(60).filter(~pl.col("en_procedure"))
    settings = ({"C": 0.01}, {"C": 1e-9})
    parts = list(folds(rows["periode"], rows["siren"], SplitRules()))
    found = search(rows, "logistique", settings, parts)
    again = search(rows, "logistique", settings, parts)
    assert found.drop("seconds").equals(again.drop("seconds"))
    assert found["average_precision"].is_sorted(descending=True)
    assert found["setting"].to_list()[0] in ("C=0.01", "C=1e-09")
    assert found["average_precision"].is_between(0, 1).all()


def test_the_search_splits_months_by_the_same_rules_as_training(monkeypatch, tmp_path):
    used = {}
    variables = {"SF_DATA_DIR": str(tmp_path), "SF_DELAYS": '{"procol_days": 75}', "SF_TRAINING_FAILURES": "7"}
    parameters = resources_for(Settings.from_environment(variables))["parameters"]
    rows = {"siren": [], "periode": []}
    monkeypatch.setattr(
        module, "_rows", lambda _warehouse, _month, _parameters, rules, **_: used.update(rows=rules) or rows
    )
    monkeypatch.setattr(module, "folds", lambda _periods, _companies, rules: used.update(folds=rules) or ())
    monkeypatch.setattr(module, "search", lambda *_, **__: pl.DataFrame())
    assert list(module.results(None, FIRST, parameters, methods=["foret"], at_most=1)) == []
    training = rules_of(parameters)
    assert used == {"rows": training, "folds": training}
    assert training.publication_days == 75


def test_the_snapshot_of_what_was_learned_from_is_its_last_write_whenever_it_is_read():
    first, last = date(2025, 1, 1), date(2025, 2, 1)
    inputs = {
        ("feat_matrix", first): 7,
        ("feat_matrix", last): 3,
        ("model_target", last): 9,
        ("eval_champion", last): None,
    }
    assert last_writes_of(inputs) == {"feat_matrix": 7, "model_target": 9}


def yearly_panel(years: int = 8) -> pl.DataFrame:
    """Return firm-years under the names of another owner, with companies that failed before the year."""
    rows, failure = simulated(300, seed=4)
    base = rows.select(margin="rentabilite_economique", debt="dette_par_effectif").with_columns(
        firm=pl.Series([f"C{i}" for i in range(300)]),
        bankrupt=pl.Series((failure | (np.arange(300) % 12 == 0)).astype(int)),
        gone=pl.Series(np.arange(300) % 60 == 1),
    )
    return pl.concat(base.with_columns(year=pl.lit(1999 + n)) for n in range(years))


FIRMS = Names("firm", "bankrupt", "year", in_procedure="gone")


def test_a_table_of_anyone_is_learned_by_the_names_of_its_owner_with_thresholds_on_periods_in_between():
    panel = yearly_panel()
    (one,) = learn_table(panel, FIRMS, features=("margin", "debt"), kinds={"logistique": LogisticMethod}, gap=1)
    assert one.fitted.features_ == ("margin", "debt")
    assert one.training_months == tuple(range(1999, 2007))
    outside = panel.filter(~pl.col("gone"))
    assert one.training["rows"] == outside.height
    assert (one.reference.first, one.reference.last) == (2005, 2006), "a fifth of eight years is two"
    assert one.evaluation.hors_procedure.rows == outside.filter(pl.col("year") >= 2005).height
    assert one.evaluation.toutes.rows == 600
    assert 0 < one.thresholds.modere <= one.thresholds.fort < 1
    plan = split_table(panel, FIRMS, gap=1)
    assert (plan.training, plan.validation, plan.test) == ((1999, 2000), (2002, 2003), (2005, 2006))


def test_a_table_with_too_few_periods_or_failures_is_refused_with_figures():
    with pytest.raises(ValueError, match=r"year: expected 5 periods at least.* found 4 with a gap of 1"):
        split_table(yearly_panel(4), FIRMS, gap=1)
    panel = yearly_panel().with_columns(bankrupt=pl.when(pl.col("year") > 2002).then("bankrupt").otherwise(0))
    with pytest.raises(ValueError, match=r"two failing companies at least in the periods 1999 to 2002.*found 0"):
        split_table(panel.filter(pl.col("year") < 2005), FIRMS, gap=0)


def test_both_fits_have_the_setting_that_the_training_months_choose(monkeypatch):
    rows = labelled_rows(4)
    months = [add_months(FIRST, n) for n in range(4)]
    plan = Split(add_months(FIRST, 40), (months[0], months[1]), (months[2],), (months[3],), tuple(months), {})
    chosen = ChosenSetting({"leaves": 3, "rounds": 5}, (Comparison({"leaves": 3, "rounds": 5}, 0.1, -0.01, 0.001),))
    seen = []

    def choose(features, rows, *, target, groups, weights, recent, margin, at_most):
        seen.append((set(rows.filter(recent)["periode"]), rows["periode"].n_unique(), margin))
        return chosen

    monkeypatch.setattr("sf_assets.model.settings.choose_setting", choose)
    used = []
    learn_matrix = BoostingMethod._learn
    monkeypatch.setattr(
        BoostingMethod,
        "_learn",
        lambda self, *rows: used.append((self.leaves, self.rounds)) or learn_matrix(self, *rows),
    )
    kinds = {kind.name: kind for kind in (BoostingMethod, LogisticMethod)}
    learned = {
        one.name: one for one in learn(plan, *[lambda m: rows.filter(pl.col("periode").is_in(m))] * 2, kinds=kinds)
    }
    assert seen == [({months[1]}, 2, 1.96)], "the newest training month measures"
    assert set(used) == {(3, 5)}
    assert learned["boosting"].setting == chosen
    assert learned["logistique"].setting is None


def test_settings_of_any_table_are_searched_on_its_last_periods_and_other_companies(tmp_path):
    panel = yearly_panel(5)
    measured = []
    for fold in table_folds(panel, FIRMS, gap=1):
        learned, scored = panel.filter(fold.learn), panel.filter(fold.measure)
        assert not set(learned["firm"]) & set(scored["firm"])
        assert learned["year"].max() == scored["year"].min() - 2
        measured.append(scored["year"].unique().to_list())
    assert measured == [[2001], [2002], [2003]]
    with pytest.raises(ValueError, match="year: expected 5 periods at least, found 4 with a gap of 1"):
        list(table_folds(yearly_panel(4), FIRMS, gap=1))
    panel.drop("gone").write_parquet(tmp_path / "firms.parquet")
    named = Names("firm", "bankrupt", "year")
    lines = list(table_results(tmp_path / "firms.parquet", named, methods=["logistique"]))
    assert len(lines) == 3
    assert all(line.startswith("logistique") for line in lines)
    one_year = panel.filter(year=2000)
    assert [fold.learn.sum() + fold.measure.sum() for fold in table_folds(one_year, Names("firm", "bankrupt"))] == [
        300
    ] * 3
