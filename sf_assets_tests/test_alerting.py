"""Alert thresholds by the best F-beta, by the length of the list or by precision, as settings choose."""

import numpy as np
import pytest

from sf_assets.model.alerting import AlertRule, threshold_of_precision, threshold_of_share
from sf_assets.model.evaluation import choose_thresholds
from sf_assets.settings import Settings

RNG = np.random.default_rng(5)
SCORE = RNG.random(2_000)
TARGET = RNG.random(2_000) < SCORE / 2
IN_PROCEDURE = RNG.random(2_000) < 0.1


def test_by_default_thresholds_are_those_of_the_best_f_beta():
    assert AlertRule().thresholds(SCORE, TARGET, IN_PROCEDURE) == choose_thresholds(SCORE, TARGET, IN_PROCEDURE)


def test_the_list_has_the_wanted_length_among_companies_in_no_procedure():
    thresholds = AlertRule(shares=(0.01, 0.05)).thresholds(SCORE, TARGET, IN_PROCEDURE)
    outside = SCORE[~IN_PROCEDURE]
    assert (outside >= thresholds.fort).sum() == np.ceil(0.01 * outside.size)
    assert (outside >= thresholds.modere).sum() == np.ceil(0.05 * outside.size)


def test_thresholds_give_the_longest_list_that_has_the_wanted_precision():
    thresholds = AlertRule(precisions=(0.45, 0.35)).thresholds(SCORE, TARGET, IN_PROCEDURE)
    outside, failed = SCORE[~IN_PROCEDURE], TARGET[~IN_PROCEDURE]
    for threshold, wanted in ((thresholds.fort, 0.45), (thresholds.modere, 0.35)):
        assert failed[outside >= threshold].mean() >= wanted
        assert all(failed[outside >= lower].mean() < wanted for lower in outside[outside < threshold])
    assert thresholds.modere < thresholds.fort


def test_a_precision_out_of_reach_gives_the_most_precise_list():
    scores, failed = np.array([0.9, 0.8, 0.8, 0.1]), np.array([False, True, True, False])
    assert threshold_of_precision(scores, failed, 0.95) == 0.8


def test_equal_scores_are_in_alert_together():
    assert threshold_of_share(np.array([0.5, 0.5, 0.5, 0.1]), 0.25) == 0.5
    assert threshold_of_precision(np.array([0.5, 0.5, 0.4]), np.array([True, False, True]), 0.6) == 0.4


def test_thresholds_need_scores_and_failures():
    with pytest.raises(ValueError, match="found none"):
        threshold_of_share(np.empty(0), 0.1)
    with pytest.raises(ValueError, match="found none"):
        threshold_of_precision(SCORE, np.zeros(SCORE.size, bool), 0.1)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SF_ALERT_SHARES": "0.01"}, "two numbers between 0 and 1"),
        ({"SF_ALERT_SHARES": "1,5"}, "two numbers between 0 and 1"),
        ({"SF_ALERT_SHARES": "0.1,0.05"}, "strong level to hold fewer"),
        ({"SF_ALERT_PRECISIONS": "0.1,0.4"}, "at least as precise"),
        ({"SF_ALERT_SHARES": "0.01,0.05", "SF_ALERT_PRECISIONS": "0.4,0.1"}, "exclude each other"),
    ],
)
def test_inconsistent_settings_of_alerts_are_refused(variables, message):
    with pytest.raises(ValueError, match=message):
        Settings.from_environment(variables)


def test_settings_of_alerts_are_read_from_the_environment():
    assert Settings.from_environment({"SF_ALERT_SHARES": "0.01,0.05"}).alert_shares == (0.01, 0.05)
