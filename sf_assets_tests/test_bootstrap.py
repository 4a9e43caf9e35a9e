"""Bootstrap figures equal those of scikit-learn, intervals have their coverage, and companies are drawn, not rows."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from sf_assets.evaluation import bootstrap
from sf_assets.evaluation.bootstrap import (
    calibration,
    confusion,
    draw_weights,
    interval,
    median,
    ranking,
    ratio,
    totals,
)
from sf_assets.model.evaluation import calibration_error


def scored_rows(rows: int, seed: int, *, distinct: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores with many ties, whether each row failed, and the company of each row."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, distinct, rows) / distinct
    return score, rng.random(rows) < score / 3, rng.integers(0, max(rows // 5, 1), rows)


def test_figures_of_the_sample_and_of_each_draw_equal_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    score, target, company = scored_rows(600, seed=1)
    weights = draw_weights(120, replicates=9, seed=2)
    auc, precision = ranking(score, target, company, weights)
    for draw in range(10):
        row_weights = weights[company, draw]
        assert auc[draw] == pytest.approx(roc_auc_score(target, score, sample_weight=row_weights))
        assert precision[draw] == pytest.approx(average_precision_score(target, score, sample_weight=row_weights))
    monkeypatch.setattr(bootstrap, "_BLOCK", 1)
    one_by_one = ranking(score, target, company, weights)
    assert one_by_one[0] == pytest.approx(auc, rel=1e-12)
    assert one_by_one[1] == pytest.approx(precision, rel=1e-12)


def test_figures_without_failures_or_without_others_are_undefined() -> None:
    weights = draw_weights(3, replicates=5)
    for target in (np.zeros(3, bool), np.ones(3, bool)):
        auc, precision = ranking(np.arange(3.0), target, np.arange(3), weights)
        assert np.isnan(auc[0])
        assert np.isnan(precision[0])
        assert interval(auc).value is None
    assert np.isnan(ranking(np.empty(0), np.empty(0, bool), np.empty(0, int), weights)[0]).all()


def test_the_interval_covers_a_known_roc_auc_nineteen_times_in_twenty() -> None:
    known = norm.cdf(1 / np.sqrt(2))  # two normal scores one deviation apart
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        target = np.arange(300) < 60
        auc, _ = ranking(rng.normal(size=300) + target, target, np.arange(300), draw_weights(300, seed=seed))
        found = interval(auc)
        covered += found.low <= known <= found.high
    assert 52 <= covered <= 60


def test_repeated_rows_of_a_company_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    score, target = rng.random(200), rng.random(200) < 0.3
    weights = draw_weights(200)
    once = interval(ranking(score, target, np.arange(200), weights)[0])
    twelve = interval(ranking(np.repeat(score, 12), np.repeat(target, 12), np.repeat(np.arange(200), 12), weights)[0])
    assert (twelve.value, twelve.low, twelve.high) == pytest.approx((once.value, once.low, once.high))


def test_the_interval_of_a_share_has_the_width_of_the_normal_approximation() -> None:
    target = np.arange(1000) < 300
    share = ratio(*totals(np.arange(1000), draw_weights(1000, replicates=2000), target, np.ones(1000)))
    found = interval(share)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 1000), rel=0.06)


def test_a_figure_that_most_draws_do_not_define_has_no_interval() -> None:
    found = interval(np.array([0.5, np.nan, np.nan, 0.4, 0.6]))
    assert (found.value, found.low, found.high) == (0.5, None, None)


def test_alerts_are_counted_by_weight() -> None:
    alert, target = np.array([True, True, False, False]), np.array([True, False, True, False])
    figures = confusion(alert, target, np.arange(4), np.array([[1, 3], [1, 1], [1, 0], [1, 2]], dtype=np.float32))
    assert figures["precision"].tolist() == [0.5, 0.75]
    assert figures["recall"].tolist() == [0.5, 1]
    assert figures["balanced_accuracy"] == pytest.approx([0.5, (1 + 2 / 3) / 2])
    assert figures["f05"] == pytest.approx([0.5, 1.25 * 3 / (0.25 * 3 + 4)])
    assert figures["f2"] == pytest.approx([0.5, 5 * 3 / (4 * 3 + 4)])
    assert figures["volume"].tolist() == [2, 4]


def test_the_calibration_error_of_a_known_case() -> None:
    score = np.repeat([0.1, 0.3], 500)
    target = np.arange(1000) % 5 == 0
    error, large = calibration(score, target, np.arange(1000), draw_weights(1000, replicates=20))
    assert error[0] == pytest.approx(0.1)
    assert error[0] == pytest.approx(calibration_error(score, target))
    assert large[0] == pytest.approx(0)


def test_the_median_is_weighted() -> None:
    values = np.array([5.0, 1.0, 3.0])
    weights = np.array([[1, 0], [1, 1], [1, 0]], dtype=np.float32)
    assert median(values, np.arange(3), weights).tolist() == [3, 1]
    assert np.isnan(median(values, np.arange(3), np.zeros((3, 1), dtype=np.float32))[0])
    assert np.isnan(median(np.empty(0), np.empty(0, int), weights)).all()


def test_the_same_seed_draws_the_same_companies() -> None:
    assert np.array_equal(draw_weights(50, seed=4), draw_weights(50, seed=4))
    assert not np.array_equal(draw_weights(50, seed=4), draw_weights(50, seed=5))
    assert (draw_weights(50)[:, 0] == 1).all()
