"""Every method is a scikit-learn classifier that reads anyone's table: scikit-learn's own checks, and frames by name."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn import company
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from sf_assets.model.methods import METHODS, method_named, score
from sf_assets.model.staged import StagedMethod
from sf_assets.model.threshold import Limit, ThresholdMethod

LEARNING = [name for name, method in METHODS.items() if method.learns]
# scikit-learn's checks fit on ten to thirty rows: leaves of one row, and few trees.
TINY = {
    "boosting": {"leaf_rows": 1, "rounds": 20, "draws": 2},
    "foret": {"leaf_rows": 1, "trees": 4, "draws": 2},
    "logistique": {"draws": 2},
    "ensemble": {
        "settings": {"boosting": {"leaf_rows": 1, "rounds": 10}, "foret": {"leaf_rows": 1, "trees": 4}},
        "draws": 1,
    },
    "deux_etages": {"draws": 2},
    "seuils": {"limits": (Limit("x0", 1, 0.5, 1, "a limit of a table without names"),)},
}
_DRAWN = (
    "Rows are companies drawn to learn or to calibrate: a row of weight two is on one side, two rows may be on both."
)
_NOTHING_LEARNED = (
    "The method learns nothing: it fits on no row, on one class, and its scores do not follow the target."
)
EXEMPT = {
    "seuils": {
        "check_estimators_empty_data_messages": _NOTHING_LEARNED,
        "check_classifiers_one_label": _NOTHING_LEARNED,
    }
} | {name: {"check_sample_weight_equivalence_on_dense_data": _DRAWN} for name in LEARNING}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_a_method_passes_the_checks_of_scikit_learn_and_each_exemption_is_still_needed(name):
    method = method_named(name)(**TINY.get(name, {}))
    results = check_estimator(method, expected_failed_checks=EXEMPT[name], on_skip=None, on_fail=None)
    assert {one["check_name"]: str(one["exception"]) for one in results if one["status"] == "failed"} == {}
    failed = {one["check_name"] for one in results if one["status"] == "xfail"}
    assert failed == set(EXEMPT[name]), "an exemption that nothing needs"
    assert len(results) > 40


FEW_TREES = {"boosting": {"rounds": 30}, "foret": {"trees": 10}}
FEW_TREES["ensemble"] = {"settings": dict(FEW_TREES)}


def outsiders(rows: int = 1_500) -> tuple[pl.DataFrame, np.ndarray]:
    """Return a table of nobody here: three columns with unknown values, and labels in words."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(rows, 3))
    failed = rng.random(rows) < 1 / (1 + np.exp(1.5 - 1.5 * table[:, 0] + table[:, 2]))
    table[rng.random(table.shape) < 0.1] = np.nan
    return pl.DataFrame(table, schema=["debt", "age", "cash"]).fill_nan(None), np.where(failed, "ko", "fine")


def learner(name: str, **changes: object):
    return method_named(name)(**FEW_TREES.get(name, {}) | {"draws": 1} | changes)


@pytest.mark.parametrize("name", LEARNING)
def test_columns_are_read_by_name_in_any_order_and_kind_of_frame(name):
    frame, label = outsiders()
    method = learner(name).fit(frame, label)
    expected = score(method, frame)
    assert method.feature_names_in_.tolist() == ["debt", "age", "cash"]
    assert method.n_features_in_ == 3
    assert method.classes_.tolist() == ["fine", "ko"]
    assert set(method.predict(frame)) == {"fine", "ko"}
    mixed = frame.select("cash", pl.lit("x").alias("name"), "age", "debt")
    for other in (mixed, mixed.lazy(), mixed.to_pandas(), frame.to_numpy()):
        assert np.array_equal(score(method, other), expected), type(other)
        assert np.array_equal(method.contributions(other), method.contributions(frame))
    again = learner(name).fit(frame.to_pandas(), pd.Series(label))
    assert np.array_equal(score(again, mixed.to_pandas()), expected)
    lazy = learner(name).fit(frame.lazy(), label)
    assert np.array_equal(score(lazy, frame), expected)


@pytest.mark.parametrize("name", LEARNING)
def test_scikit_learn_selects_and_validates_a_method_by_its_ranking(name):
    frame, label = outsiders()
    assert is_classifier(clone(learner(name)))
    validated = cross_val_score(learner(name), frame.to_pandas(), label == "ko", scoring="roc_auc", cv=3)
    assert (validated > 0.7).all()
    grid = GridSearchCV(learner(name), {"seed": [0, 1]}, scoring="roc_auc", cv=3, refit=False)
    grid.fit(frame.to_pandas(), label == "ko")
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("kind", [pl.DataFrame.to_pandas, pl.DataFrame.lazy, pl.DataFrame.clone])
def test_what_cannot_be_learned_from_is_refused_by_the_name_of_its_column(name, kind):
    frame, label = outsiders()
    method = learner(name).fit(frame, label)
    for wrong, message in (
        (frame.with_columns(cash=pl.lit(-np.inf)), "found infinity in cash"),
        (frame.with_columns(cash=pl.lit("much")), "expected numbers in cash, found String"),
    ):
        with pytest.raises(ValueError, match=message):
            learner(name).fit(kind(wrong), label)
        with pytest.raises(ValueError, match=message):
            method.predict_proba(kind(wrong))
    with pytest.raises(ValueError, match="expected columns age, found none of that name"):
        method.predict_proba(kind(frame.drop("age")))


def test_a_column_in_which_nothing_is_known_is_unknown_whatever_its_type():
    frame, label = outsiders()
    method = learner("boosting").fit(frame, label)
    unknown = frame.with_columns(cash=pl.lit(None, dtype=pl.Float64))
    untyped = frame.with_columns(cash=pl.lit(None))
    assert untyped["cash"].dtype == pl.Null
    for kind in (pl.DataFrame.clone, pl.DataFrame.lazy, pl.DataFrame.to_pandas):
        assert np.array_equal(score(method, kind(untyped)), score(method, unknown))
        learner("logistique").fit(kind(untyped), label)


def test_a_repeated_column_is_refused_by_name():
    frame, label = outsiders()
    twice = pd.concat([frame.to_pandas(), frame.to_pandas()[["age"]]], axis=1)
    with pytest.raises(ValueError, match="found several of age"):
        learner("logistique").fit(twice, label)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.arange(40) % 3, "Only binary classification is supported"),
        (["ko"] * 40, "found one class, ko"),
        ([None, True] * 20, "found unknown values"),
        ([np.nan, 1.0] * 20, "found unknown values"),
    ],
)
def test_a_target_without_two_classes_is_refused(target, message):
    with pytest.raises(ValueError, match=message):
        learner("logistique").fit(outsiders(40)[0], target)


@pytest.mark.parametrize("name", ["boosting", "foret"])
def test_a_table_too_small_to_grow_a_tree_is_refused_with_figures(name):
    frame, label = outsiders(300)
    with pytest.raises(ValueError, match=f"{name}: expected 400 rows at least to learn from, .*found 240"):
        learner(name, leaf_rows=200).fit(frame, label)
    assert np.unique(score(learner(name).fit(frame, label), frame)).size > 20, "leaves follow the size of the table"


def test_below_the_smallest_leaves_a_table_is_refused():
    frame, label = outsiders(45)
    with pytest.raises(ValueError, match=r"boosting: expected 40 rows at least to learn from, .*found 36"):
        learner("boosting").fit(frame, label)


def test_accounts_that_are_no_feature_are_refused_by_name():
    frame, label = outsiders()
    with pytest.raises(ValueError, match="expected some of the features debt, age, cash, found cahs"):
        StagedMethod(accounts=("cahs",)).fit(frame, label)
    assert StagedMethod(accounts=("cash",)).fit(frame, label).draws_[0].with_ is not None


def test_limits_of_french_features_are_refused_with_a_sentence_on_another_table():
    frame, label = outsiders()
    with pytest.raises(ValueError, match=r"seuils: expected columns dette_sur_cotisation_mean12m, .*use a method that"):
        ThresholdMethod().fit(frame, label)
    named = ThresholdMethod(limits=(Limit("debt", 1, 1.0, 3, "much"), Limit("cash", -1, -1.0, 1, "little")))
    high = named.fit(frame, label).predict_proba(pl.DataFrame({"debt": [2.0], "age": [0.0], "cash": [0.0]}))[0, 1]
    assert high == pytest.approx(0.75)
    assert ThresholdMethod().fit(company(), [False]).classes_.tolist() == [False, True]


@pytest.mark.parametrize("name", [name for name in LEARNING if not METHODS[name].members])
def test_on_few_rows_each_fifth_of_the_companies_calibrates_in_turn(name):
    frame, label = outsiders()
    one, all_draws = (learner(name, draws=draws).fit(frame, label) for draws in (1, 5))
    assert np.array_equal(score(learner(name, draws=None).fit(frame, label), frame), score(all_draws, frame))
    assert (len(one.draws_), len(all_draws.draws_)) == (0, 5)
    mean = np.mean([draw._calibrated(frame.to_numpy()) for draw in all_draws.draws_], axis=0)
    assert all_draws.log_odds(frame) == pytest.approx(mean, abs=1e-12)
    parts = all_draws.base_ + all_draws.contributions(frame).sum(axis=1)
    assert np.abs(parts - all_draws.log_odds(frame)).max() < 1e-6
    assert all_draws.typical_.shape == (3,)
    # Another seed moves the mean of five fits less than a single fit.
    others = [learner(name, draws=draws, seed=3).fit(frame, label) for draws in (1, 5)]
    moved = [
        np.abs(a.log_odds(frame) - b.log_odds(frame)).mean() for a, b in zip((one, all_draws), others, strict=True)
    ]
    assert moved[1] < moved[0]
