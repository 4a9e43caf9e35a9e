"""Calibration: the companies that learn, the companies that calibrate, and Platt scaling of the raw score."""

from copy import copy

import numpy as np
import polars as pl
import pytest
from drawn import fitted, later, simulated, small

from sf_assets.model.calibration import company_parts, fit_platt_scaling, rate_shift, shift_interval
from sf_assets.model.evaluation import calibration_error
from sf_assets.model.methods import METHODS, score
from sf_assets.model.population import at_mean, follow_population, mean_scores

LEARNING = [name for name, method in METHODS.items() if method.learns]


def panel(companies: int, months: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the company and the target of each row: one company in ten fails, in its last months only."""
    names = np.repeat([f"{i:09}" for i in range(companies)], months)
    failing = np.repeat(np.random.default_rng(seed).random(companies) < 0.1, months)
    return names, failing & (np.tile(np.arange(months), companies) >= months // 2)


def test_no_company_both_learns_and_calibrates():
    names, target = panel(300, 12, seed=1)
    held = company_parts(target, names, seed=0) == 0
    assert not set(names[held]) & set(names[~held])
    assert held.mean() == pytest.approx(0.2, abs=0.01)
    failing = np.unique(names[target])
    assert np.isin(failing, names[held]).mean() == pytest.approx(0.2, abs=0.05)


def test_the_companies_that_calibrate_depend_on_the_seed_and_not_on_the_order_of_rows():
    names, target = panel(300, 12, seed=1)
    order = np.random.default_rng(2).permutation(names.size)
    parts = company_parts(target, names, seed=0)
    assert np.array_equal(company_parts(target[order], names[order], seed=0), parts[order])
    assert set(names[company_parts(target, names, seed=1) == 0]) != set(names[parts == 0])


@pytest.mark.parametrize("name", [name for name in LEARNING if not METHODS[name].members])
def test_a_method_learns_from_some_companies_and_calibrates_on_the_others(name, monkeypatch):
    rows, failure = simulated(3_000, seed=1)
    names = np.repeat(np.arange(500), 6)
    method = small(name, draws=1)
    seen = {}
    monkeypatch.setattr(method, "_learn", lambda matrix, *_: seen.update(learned=matrix[:, 0]))
    monkeypatch.setattr(method, "_raw", lambda matrix: seen.update(calibrated=matrix[:, 0]) or matrix[:, 0])
    values = rows.with_columns(cotisation=np.arange(3_000.0))
    method.fit(values, failure, groups=names)
    learned, calibrated = (set(names[seen[part].astype(int)]) for part in ("learned", "calibrated"))
    assert learned | calibrated == set(names)
    assert not learned & calibrated
    assert seen["learned"].size + seen["calibrated"].size == 3_000


def test_platt_scaling_maximises_the_weighted_likelihood():
    rng = np.random.default_rng(3)
    raw = rng.normal(size=50_000)
    target = rng.random(50_000) < 1 / (1 + np.exp(3 - 2 * raw))
    slope, intercept = fit_platt_scaling(raw, target, np.ones(50_000))
    assert (slope, intercept) == pytest.approx((2, -3), abs=0.1)
    kept = target | (np.arange(50_000) % 4 == 0)
    again = fit_platt_scaling(raw[kept], target[kept], np.where(target, 1.0, 4.0)[kept])
    assert again == pytest.approx((slope, intercept), abs=0.1)


def test_a_raw_score_that_decreases_with_the_failure_rate_gives_every_row_the_mean_rate():
    raw = np.linspace(0, 1, 1_000)
    slope, intercept = fit_platt_scaling(raw, raw < 0.1, np.ones(1_000))
    assert slope == 0
    assert 1 / (1 + np.exp(-intercept)) == pytest.approx(0.1)


def test_votes_of_the_forest_become_probabilities_by_calibration():
    rows, failure = later()
    votes = fitted("foret").ensemble_.predict_proba(rows.to_numpy())[:, 1]
    assert calibration_error(votes, failure) > 0.2
    assert calibration_error(score(fitted("foret"), rows), failure) < 0.005


def rising(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a feature, a target whose rate doubles in the second half of the rows, and which rows are of that half."""
    rng = np.random.default_rng(seed)
    value, recent = rng.normal(size=(rows, 1)), np.arange(rows) >= rows // 2
    return value, rng.random(rows) < 1 / (1 + np.exp(3.5 - value[:, 0] - 0.8 * recent)), recent


@pytest.mark.parametrize("name", LEARNING)
def test_probabilities_follow_the_rate_of_recent_rows_in_the_same_order(name):
    value, target, recent = rising(20_000, seed=1)
    method = small(name, features=("a",)).fit(value, target)
    later_value, later_target, _ = rising(40_000, seed=2)
    later_value, later_target = later_value[20_000:], later_target[20_000:]
    before, contributions = method.log_odds(later_value), method.contributions(later_value[:50])
    found = method.follow_rate(value, target, recent=recent)
    after = method.log_odds(later_value)
    assert after - before == pytest.approx(np.full(20_000, found.shift))
    assert np.array_equal(method.contributions(later_value[:50]), contributions)
    assert method.base_ + contributions.sum(axis=1) == pytest.approx(after[:50], abs=1e-6)
    assert found.low < found.shift < found.high
    assert found.rate == pytest.approx(target[recent].mean())
    means = [abs((1 / (1 + np.exp(-scores))).mean() - later_target.mean()) for scores in (before, after)]
    assert means[1] < 0.3 * means[0], means
    direct = method.follow_rate(later_value, later_target)
    assert (1 / (1 + np.exp(-method.log_odds(later_value)))).mean() == pytest.approx(later_target.mean(), abs=1e-9)
    assert abs(direct.shift) < 0.2


def test_recent_rows_of_one_class_move_nothing():
    value, target, _ = rising(12_000, seed=1)
    method = small("logistique", features=("a",)).fit(value, target)
    before = method.log_odds(value)
    found = method.follow_rate(value, target, recent=np.flatnonzero(~target)[0] == np.arange(12_000))
    assert (found.shift, found.rate) == (0.0, 0.0)
    assert np.array_equal(method.log_odds(value), before)


def test_the_interval_of_a_shift_counts_companies_and_not_their_months():
    rng = np.random.default_rng(4)
    target = rng.random(500) < 0.2
    shift = rate_shift(np.zeros(500), target, np.ones(500))
    once = shift_interval(shift, np.full(500, shift), target, np.ones(500), np.arange(500))
    months = shift_interval(
        shift, np.full(6_000, shift), np.repeat(target, 12), np.ones(6_000), np.repeat(np.arange(500), 12)
    )
    assert (months.low, months.high) == pytest.approx((once.low, once.high))
    assert once.high - once.low == pytest.approx(2 * 1.96 / np.sqrt(500 * 0.2 * 0.8), rel=0.1)
    assert shift == pytest.approx(np.log(target.mean() / (1 - target.mean())))


def test_the_mean_score_of_a_month_is_that_of_the_months_learned_from_with_the_same_order_and_contributions():
    known, _ = simulated(2_000, seed=3)
    # Debts that doubled without more failures: every score rises.
    month = later()[0][:2_000].with_columns(pl.col("dette_sur_cotisation_mean12m") * 2)
    regression = copy(fitted("logistique"))
    before, explained, base = regression.log_odds(month), regression.contributions(month), regression.base_
    means = mean_scores({"logistique": regression, "seuils": fitted("seuils")}, known, np.ones(2_000))
    assert list(means) == ["logistique"], "points are not probabilities"
    moved = follow_population({"logistique": regression}, month, means)
    assert score(regression, month).mean() == pytest.approx(means["logistique"])
    assert regression.log_odds(month) == pytest.approx(before + moved["logistique"])
    assert moved["logistique"] < 0
    assert np.array_equal(regression.contributions(month), explained)
    assert regression.base_ == pytest.approx(base + moved["logistique"])
    weights = np.where(np.arange(2_000) < 1_000, 3.0, 1.0)
    weighted = mean_scores({"logistique": regression}, known, weights)["logistique"]
    assert weighted == pytest.approx(np.average(score(regression, known), weights=weights))


def test_scores_are_moved_to_a_mean_period_by_period():
    rng = np.random.default_rng(1)
    scores = {"a": rng.uniform(0.01, 0.3, 400), "points": rng.uniform(0, 1, 400)}
    periods = pl.Series(np.arange(400) % 4)
    moved = at_mean(scores, {"a": 0.02}, periods)
    assert np.array_equal(moved["points"], scores["points"])
    for period in range(4):
        rows = (periods == period).to_numpy()
        assert moved["a"][rows].mean() == pytest.approx(0.02)
        assert np.array_equal(np.argsort(moved["a"][rows]), np.argsort(scores["a"][rows]))
