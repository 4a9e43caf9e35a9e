"""Properties of every scoring method, of the methods that learn, and of each of them."""

import numpy as np
import polars as pl
import pytest
import skops.io
from drawn import DEBT, company, earlier, fitted, later, simulated, small
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from sf_assets.features.registry import FEATURES, NAMES
from sf_assets.model import matrix
from sf_assets.model.boosting import Bins, BoostingMethod
from sf_assets.model.evaluation import Thresholds, figures
from sf_assets.model.forest import ForestMethod
from sf_assets.model.logistic import LogisticMethod, Tame
from sf_assets.model.methods import METHODS, fit_methods, follow_recent_rate, method_named, score, scores_of
from sf_assets.model.store import canonical
from sf_assets.model.threshold import ThresholdMethod

LEARNING = [name for name, method in METHODS.items() if method.learns]
TREES = ["boosting", "foret"]


# Every method


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_a_scikit_learn_estimator_whose_scores_follow_column_names(name):
    rows, _ = later()
    method = fitted(name)
    assert clone(method).get_params() == method.get_params()
    shuffled = rows.select(pl.lit("005520135").alias("siren"), *reversed(NAMES))
    assert np.array_equal(score(method, shuffled), score(method, rows))
    assert np.array_equal(score(method, rows.to_numpy()), score(method, rows))
    proba = method.predict_proba(rows)
    assert proba.shape == (rows.height, 2)
    assert np.allclose(proba.sum(axis=1), 1)
    assert ((proba >= 0) & (proba <= 1)).all()


@pytest.mark.parametrize("name", METHODS)
def test_no_row_gives_no_score_and_no_contribution(name):
    assert score(fitted(name), company()[:0]).shape == (0,)
    assert fitted(name).contributions(company()[:0]).shape == (0, len(NAMES))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (company().drop("paydex"), "expected columns paydex"),
        (company().with_columns(paydex=pl.lit("3")), "expected numbers in paydex, found String"),
        (company(paydex=float("inf")), "infinity in paydex"),
        (np.zeros((2, 3)), f"matrix of {len(NAMES)} columns"),
    ],
)
def test_invalid_rows_are_refused_with_the_names_of_their_columns(rows, message):
    with pytest.raises(ValueError, match=message):
        ThresholdMethod(NAMES).fit(rows, np.zeros(len(rows)))


def test_all_methods_together_read_the_columns_of_a_table_once(monkeypatch):
    reads, read = [], matrix._numbers
    monkeypatch.setattr(matrix, "_numbers", lambda rows, names: reads.append(names) or read(rows, names))
    rows, failure = (part[:2_000] for part in earlier())
    outcome = {"target": failure, "weights": np.ones(2_000), "groups": np.arange(2_000)}
    kinds = {name: METHODS[name] for name in ("logistique", "deux_etages", "seuils")}
    together = fit_methods(kinds, NAMES, rows, **outcome)
    follow_recent_rate(together, rows, **outcome)
    scores_of(together, rows)
    assert len(reads) == 3, "fit, follow, score"


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"boosting, deux_etages, ensemble, foret, logistique, seuils.*found 'reseau'"):
        method_named("reseau")


@pytest.mark.parametrize("name", METHODS)
def test_scoring_does_not_fit_and_does_not_depend_on_the_other_rows(name):
    rows, _ = later()
    before = canonical(skops.io.dumps(fitted(name)))
    whole = score(fitted(name), rows)
    alone = np.concatenate([score(fitted(name), rows[i]) for i in range(20)])
    assert alone == pytest.approx(whole[:20], abs=1e-12)
    assert canonical(skops.io.dumps(fitted(name))) == before


# Methods that learn


@pytest.mark.parametrize("name", LEARNING)
def test_a_method_ranks_and_is_calibrated_on_companies_it_has_not_seen(name):
    rows, failure = later()
    found = figures(score(fitted(name), rows), failure, Thresholds(0.05, 0.1), probabilities=True)
    assert found.roc_auc > 0.75
    assert found.calibration_error < 0.005
    assert abs(found.calibration_in_the_large) < 0.003


@pytest.mark.parametrize("name", LEARNING)
def test_the_same_rows_give_the_same_scores_whatever_the_threads(name):
    rows, _ = later()
    with threadpool_limits(1):
        again = small(name).fit(*simulated(20_000, seed=1))
    assert np.array_equal(score(again, rows), score(fitted(name), rows))
    assert np.array_equal(score(fitted(name), rows), score(fitted(name), rows))


@pytest.mark.parametrize("name", LEARNING)
def test_any_numeric_table_with_missing_values_can_be_learned(name):
    rng = np.random.default_rng(5)
    table = rng.normal(size=(4_000, 3))
    failure = rng.random(4_000) < 1 / (1 + np.exp(3 - 2 * table[:, 0]))
    table[rng.random(table.shape) < 0.3] = np.nan
    frame = pl.DataFrame(table, schema=["poids", "taille", "couleur"]).fill_nan(None)
    method = small(name, features=("poids", "taille", "couleur")).fit(frame, failure)
    probability = score(method, frame)
    known = np.isfinite(table[:, 0])
    assert np.corrcoef(table[known, 0], np.log(probability[known]))[0, 1] > 0.8
    assert np.abs(method.base_ + method.contributions(frame).sum(axis=1) - method.log_odds(frame)).max() < 1e-6
    assert np.abs(method.contributions(frame)).mean(axis=0).argmax() == 0


@pytest.mark.parametrize("name", LEARNING)
def test_a_feature_unknown_everywhere_in_training_changes_nothing_later(name):
    rows, failure = later()
    method = small(name).fit(rows.with_columns(paydex=pl.lit(None, pl.Float64)), failure)
    low, high, unknown = (score(method, company(paydex=days)) for days in (0.0, 300.0, None))
    assert low == high == unknown


@pytest.mark.parametrize("name", LEARNING)
def test_weights_correct_for_rows_left_out_of_the_sample(name):
    rows, failure = earlier()
    kept = failure | (np.arange(len(failure)) % 5 == 0)
    weights = np.where(failure, 1.0, 5.0)[kept]
    weighted = small(name, draws=1).fit(rows.filter(kept), failure[kept], sample_weight=weights)
    unweighted = small(name, draws=1).fit(rows.filter(kept), failure[kept])
    mean = score(weighted, later()[0]).mean()
    assert mean == pytest.approx(failure.mean(), rel=0.15)
    assert score(unweighted, later()[0]).mean() > 3 * mean


@pytest.mark.parametrize("target", [np.zeros(4, bool), np.ones(4, bool), np.arange(4) == 1])
@pytest.mark.parametrize("name", LEARNING)
def test_a_method_needs_two_companies_that_fail_and_two_others(name, target):
    with pytest.raises(ValueError, match="expected failures and others"):
        small(name).fit(pl.concat([company()] * 4), target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": [1.0, np.nan]}, "true or false in every row"),
        ({"y": [1, 0], "sample_weight": [1.0, -1.0]}, "finite numbers from 0 on"),
        ({"y": [1, 0], "sample_weight": [1.0]}, "weights: expected 2 values"),
        ({"y": [1, 0], "groups": ["a"]}, "groups: expected 2 values"),
    ],
)
def test_targets_weights_and_companies_that_do_not_match_the_rows_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LogisticMethod().fit(pl.concat([company()] * 2), **arguments)


# The logistic regression


def test_amounts_are_clipped_and_scaled_by_the_training_rows_and_unknown_values_stay():
    amounts = np.array([[0.0], [0.0], [10.0], [-1000.0], [np.nan]])
    tame = Tame(tail=0.0).fit(amounts)
    assert tame.scale_.tolist() == [505.0]
    tamed = tame.transform(np.array([[0.0], [1e14], [np.nan], [-5.0]]))
    assert tamed[:2, 0] == pytest.approx([0, np.arcsinh(10 / 505)])
    assert np.isnan(tamed[2, 0])
    assert tame.inverse_transform(tamed)[3, 0] == pytest.approx(-5)


def test_the_regression_replaces_a_value_unknown_at_scoring_only_by_the_training_mean():
    learned = fitted("logistique")
    usual = company(**dict(zip(NAMES, learned.typical_.tolist(), strict=True)))
    unknown = usual.with_columns(effectif=pl.lit(None, pl.Float64))
    assert score(learned, unknown) == pytest.approx(score(learned, usual), abs=1e-12)


# The methods made of trees


def test_the_boosting_respects_the_monotonic_constraints_of_the_registry():
    rows = later()[0][:500]
    before = score(fitted("boosting"), rows)
    for feature in FEATURES:
        if feature.risk:
            riskier = rows.with_columns(pl.col(feature.name) + feature.risk * pl.col(feature.name).abs().mean())
            known = rows[feature.name].is_not_null().to_numpy()
            assert (score(fitted("boosting"), riskier) >= before)[known].all(), feature.name
    assert (score(fitted("boosting"), rows.with_columns(pl.col(DEBT) + 3)) > before).any()


def test_without_constraints_the_boosting_follows_the_rows():
    rng = np.random.default_rng(7)
    debt = rng.uniform(0, 10, 4_000)
    failure = rng.random(4_000) < np.where(debt < 5, 0.2, 0.02)
    low_and_high = np.array([[1.0], [9.0]])
    free = BoostingMethod((DEBT,), risks=(0,), rounds=20).fit(debt[:, np.newaxis], failure)
    bound = BoostingMethod((DEBT,), rounds=20).fit(debt[:, np.newaxis], failure)
    unknown_name = BoostingMethod(("inconnu",), rounds=20).fit(debt[:, np.newaxis], failure)
    assert np.array_equal(score(free, low_and_high), score(unknown_name, low_and_high))
    assert score(free, low_and_high)[0] > 3 * score(free, low_and_high)[1]
    assert score(bound, low_and_high)[0] <= score(bound, low_and_high)[1]


@pytest.mark.parametrize("seed", range(4))
def test_above_200_000_rows_a_rarely_known_feature_still_has_all_its_bins(seed):
    rng = np.random.default_rng(10)
    table = np.column_stack([rng.normal(size=300_000), np.full(300_000, np.nan)])
    failure = rng.random(300_000) < 1 / (1 + np.exp(5 - table[:, 0]))
    # Known among failures alone, which weigh least: a draw of rows by weight has next to none of them.
    table[rng.choice(np.flatnonzero(failure), 40, replace=False), 1] = rng.normal(size=40)
    method = BoostingMethod(("a", "b"), risks=(0, 0), rounds=2, seed=seed)
    method.fit(table, failure, np.where(failure, 1.0, 60.0))
    bins = method.ensemble_._bin_mapper
    learned = np.unique(method.bins_.transform(table)[:, 1])
    assert bins.n_bins_non_missing_[1] >= 0.7 * np.isfinite(learned).sum(), "companies that calibrate hold the others"
    table[:, 1] = 7.0
    assert np.isfinite(score(method, table[:1000])).all()


@pytest.mark.parametrize("name", TREES)
def test_trees_use_unknown_as_a_value_of_its_own(name):
    rng = np.random.default_rng(8)
    values = rng.normal(size=6_000)
    unknown = rng.random(6_000) < 0.3
    failure = rng.random(6_000) < np.where(unknown, 0.3, 0.02)
    values[unknown] = np.nan
    method = small(name, features=("comptes",)).fit(values[:, np.newaxis], failure)
    scores = score(method, np.array([[np.nan], [-1.0], [0.0], [1.0]]))
    assert scores[0] > 5 * scores[1:].max()


def test_zero_has_a_bin_of_its_own_and_large_debts_have_several():
    column = np.append(np.zeros(10_000), np.arange(1, 501)).reshape(-1, 1)
    bins = Bins().fit(column)
    zero, low, high, unknown = bins.transform(np.array([[0.0], [1e-9], [1.0], [np.nan]]))[:, 0]
    assert zero == low < high
    assert np.isnan(unknown)
    assert np.unique(bins.transform(column)).size > 200
    negative, zero, positive = bins.transform(np.array([[-1.0], [0.0], [1.0]]))[:, 0]
    assert negative == zero < positive
    both = Bins().fit(np.array([[-2.0], [0.0], [3.0]])).transform(np.array([[-2.0], [0.0], [3.0]]))[:, 0]
    assert both[0] < both[1] < both[2]


def test_the_forest_weighs_failures_up_to_35_percent():
    votes = fitted("foret").ensemble_.predict_proba(later()[0].to_numpy())[:, 1]
    assert 0.2 < votes.mean() < 0.45
    assert isinstance(fitted("foret"), ForestMethod)


def test_each_tree_of_the_forest_draws_rows_by_weight_so_that_failures_come_back_several_times():
    rows, failure = earlier()
    forest = small("foret", trees=4, tree_rows=8_000).fit(rows, failure).ensemble_
    for tree in (one.tree_ for one in forest.estimators_):
        assert tree.weighted_n_node_samples[0] == 8_000, "draws count, weights are used up by the drawing"
        assert tree.value[0, 0, 1] == pytest.approx(0.35, abs=0.03)
        assert tree.n_node_samples[0] < 7_000, "rows that are drawn again"
