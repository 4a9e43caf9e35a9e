"""Thresholds and figures, by example."""

import numpy as np
import pytest
from drawn import fitted, later

from sf_assets.model.evaluation import (
    REFERENCE_GRID,
    Thresholds,
    best_threshold,
    calibration_error,
    choose_thresholds,
    evaluate,
    figures,
)
from sf_assets.model.methods import score

SCORE = np.array([0.05, 0.10, 0.20, 0.20, 0.60, 0.90])
TARGET = np.array([False, False, True, False, True, True])


def test_the_best_threshold_has_the_highest_f_beta():
    assert best_threshold(SCORE, TARGET, beta=2) == pytest.approx((0.2, 5 * 3 / (4 * 3 + 4)))
    assert best_threshold(SCORE, TARGET, beta=0.5) == pytest.approx((0.6, 1.25 * 2 / (0.25 * 3 + 2)))


def test_the_lowest_threshold_wins_on_ties_as_on_the_grid_of_the_reference():
    assert best_threshold(SCORE, TARGET, beta=0.5, candidates=REFERENCE_GRID)[0] == pytest.approx(0.21)
    assert best_threshold(np.array([0.5, 0.5]), np.array([True, True]), beta=2, candidates=REFERENCE_GRID) == (0, 1)


def test_every_distinct_score_is_at_least_as_good_as_the_grid():
    rows, failure = later()
    probabilities = score(fitted("logistique"), rows)
    for beta in (0.5, 2.0):
        exact = best_threshold(probabilities, failure, beta=beta)[1]
        assert exact >= best_threshold(probabilities, failure, beta=beta, candidates=REFERENCE_GRID)[1]


def test_thresholds_are_chosen_on_companies_in_no_procedure():
    score_, target = np.append(SCORE, 0.99), np.append(TARGET, False)
    in_procedure = np.arange(7) == 6
    assert choose_thresholds(score_, target, in_procedure) == Thresholds(modere=0.2, fort=0.6)


def test_a_strong_risk_never_starts_below_a_moderate_one():
    rng = np.random.default_rng(3)
    for _ in range(300):
        scores = rng.integers(0, 8, 30) / 8
        chosen = choose_thresholds(scores, np.arange(30) < rng.integers(1, 30), np.zeros(30, bool))
        assert chosen.modere <= chosen.fort


def test_a_threshold_needs_a_failure():
    with pytest.raises(ValueError, match="found none"):
        best_threshold(SCORE, np.zeros(6, bool), beta=2)


def test_figures_by_example():
    found = figures(SCORE, TARGET, Thresholds(modere=0.2, fort=0.6), probabilities=True)
    assert (found.rows, found.failures) == (6, 3)
    assert found.roc_auc == pytest.approx(8.5 / 9)
    assert (found.modere.tn, found.modere.fp, found.modere.fn, found.modere.tp) == (2, 1, 0, 3)
    assert (found.fort.tn, found.fort.fp, found.fort.fn, found.fort.tp, found.fort.volume) == (3, 0, 1, 2, 2)
    assert (found.fort.precision, found.fort.recall) == (1, pytest.approx(2 / 3))
    assert found.fort.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert found.fort.f_beta == pytest.approx(best_threshold(SCORE, TARGET, beta=0.5)[1])
    assert found.brier == pytest.approx(np.mean((SCORE - TARGET) ** 2))
    assert found.calibration_in_the_large == pytest.approx(SCORE.mean() - 0.5)
    assert found.undefined == {}


def test_the_calibration_error_is_the_mean_gap_of_ten_groups():
    score_ = np.repeat([0.1, 0.3], 50)
    target = np.tile([True, False, False, False, False], 20)
    assert calibration_error(score_, target) == pytest.approx((0.1 + 0.1) / 2)


def test_an_undefined_figure_is_none_with_a_reason_and_never_zero():
    found = figures(SCORE, np.zeros(6, bool), Thresholds(0.95, 0.99), probabilities=False)
    flat = found.flat()
    for name in ("roc_auc", "average_precision", "brier", "modere_recall", "fort_precision", "fort_f_beta"):
        assert flat[name] is None
        assert found.undefined[name]
    assert {name for name, value in flat.items() if value is None} == set(found.undefined)


def test_companies_in_a_procedure_are_removed_in_one_reading_and_failed_in_the_other():  # deviation B18
    in_procedure = np.array([False, True, False, False, False, False])
    found = evaluate(SCORE, TARGET, in_procedure, Thresholds(0.2, 0.6), probabilities=True)
    assert (found.hors_procedure.rows, found.hors_procedure.failures) == (5, 3)
    assert (found.toutes.rows, found.toutes.failures) == (6, 4)
    rows = found.rows()
    precision = [row["valeur"] for row in rows if (row["lecture"], row["mesure"]) == ("toutes", "modere_precision")]
    assert precision == [0.75]
    assert len(rows) == 2 * len(found.toutes.flat())


def test_an_unknown_score_cannot_be_evaluated():
    with pytest.raises(ValueError, match="found 1 unknown"):
        evaluate(np.array([0.1, np.nan]), np.zeros(2, bool), np.zeros(2, bool), Thresholds(0, 0), probabilities=True)
