"""Every method is fitted twice, and settings are searched on later months of other companies."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from drawn import simulated

from sf_assets.features.configurations import IN_USE
from sf_assets.model import learning
from sf_assets.model.assets import rules_of
from sf_assets.model.charts import curve_charts
from sf_assets.model.fitted import last_writes_of
from sf_assets.model.learning import learn, select_method
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.splits import Split, SplitRules
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.operations import search as module
from sf_assets.operations.search import folds, search
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
    found = search(rows, "logistique", settings, SplitRules())
    again = search(rows, "logistique", settings, SplitRules())
    assert found.drop("seconds").equals(again.drop("seconds"))
    assert found["average_precision"].is_sorted(descending=True)
    assert found["setting"].to_list()[0] in ("C=0.01", "C=1e-09")
    assert found["average_precision"].is_between(0, 1).all()


def test_the_search_splits_months_by_the_same_rules_as_training(monkeypatch, tmp_path):
    used = {}
    variables = {"SF_DATA_DIR": str(tmp_path), "SF_DELAYS": '{"procol_days": 75}', "SF_TRAINING_FAILURES": "7"}
    parameters = resources_for(Settings.from_environment(variables))["parameters"]
    monkeypatch.setattr(module, "_rows", lambda _warehouse, _month, _parameters, rules, **_: used.update(rows=rules))
    monkeypatch.setattr(
        module, "search", lambda _rows, _name, _settings, rules: used.update(folds=rules) or pl.DataFrame()
    )
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
