"""Calibration: the companies that learn, the companies that calibrate, and Platt scaling of the raw score."""

import numpy as np
import pytest
from drawn import fitted, later, simulated, small

from sf_assets.model.calibrated import fit_platt_scaling, held_out
from sf_assets.model.evaluation import calibration_error
from sf_assets.model.methods import METHODS, score

LEARNING = [name for name, method in METHODS.items() if method.learns]


def panel(companies: int, months: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the company and the target of each row: one company in ten fails, in its last months only."""
    names = np.repeat([f"{i:09}" for i in range(companies)], months)
    failing = np.repeat(np.random.default_rng(seed).random(companies) < 0.1, months)
    return names, failing & (np.tile(np.arange(months), companies) >= months // 2)


def test_no_company_both_learns_and_calibrates():
    names, target = panel(300, 12, seed=1)
    held = held_out(target, names, seed=0)
    assert not set(names[held]) & set(names[~held])
    assert held.mean() == pytest.approx(0.2, abs=0.01)
    failing = np.unique(names[target])
    assert np.isin(failing, names[held]).mean() == pytest.approx(0.2, abs=0.05)


def test_the_companies_that_calibrate_depend_on_the_seed_and_not_on_the_order_of_rows():
    names, target = panel(300, 12, seed=1)
    order = np.random.default_rng(2).permutation(names.size)
    held = held_out(target, names, seed=0)
    assert np.array_equal(held_out(target[order], names[order], seed=0), held[order])
    assert set(names[held_out(target, names, seed=1)]) != set(names[held])


@pytest.mark.parametrize("name", LEARNING)
def test_a_method_learns_from_some_companies_and_calibrates_on_the_others(name, monkeypatch):
    rows, failure = simulated(3_000, seed=1)
    names = np.repeat(np.arange(500), 6)
    method = small(name)
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
