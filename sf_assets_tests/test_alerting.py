"""From which score a company is in alert: best F-beta, length of the list or precision, as the deployment wants."""

import numpy as np
import pytest

from sf_assets.model.alerting import AlertRule, threshold_of_precision, threshold_of_share
from sf_assets.model.evaluation import choose_thresholds
from sf_assets.settings import Settings

RNG = np.random.default_rng(5)
SCORE = RNG.random(2_000)
TARGET = RNG.random(2_000) < SCORE / 2
IN_PROCEDURE = RNG.random(2_000) < 0.1


def test_without_a_wish_thresholds_are_those_of_the_best_f_beta():
    assert AlertRule().thresholds(SCORE, TARGET, IN_PROCEDURE) == choose_thresholds(SCORE, TARGET, IN_PROCEDURE)


def test_the_list_has_the_wanted_length_among_companies_in_no_procedure():
    found = AlertRule(shares=(0.01, 0.05)).thresholds(SCORE, TARGET, IN_PROCEDURE)
    kept = SCORE[~IN_PROCEDURE]
    assert (kept >= found.fort).sum() == np.ceil(0.01 * kept.size)
    assert (kept >= found.modere).sum() == np.ceil(0.05 * kept.size)


def test_alerts_are_as_precise_as_wanted_and_no_longer_list_would_be():
    found = AlertRule(precisions=(0.45, 0.35)).thresholds(SCORE, TARGET, IN_PROCEDURE)
    kept, failed = SCORE[~IN_PROCEDURE], TARGET[~IN_PROCEDURE]
    for threshold, wanted in ((found.fort, 0.45), (found.modere, 0.35)):
        assert failed[kept >= threshold].mean() >= wanted
        assert all(failed[kept >= lower].mean() < wanted for lower in kept[kept < threshold])
    assert found.modere < found.fort


def test_a_precision_out_of_reach_gives_the_surest_list_there_is():
    scores, failed = np.array([0.9, 0.8, 0.8, 0.1]), np.array([False, True, True, False])
    assert threshold_of_precision(scores, failed, 0.95) == 0.8


def test_equal_scores_are_in_alert_together():
    assert threshold_of_share(np.array([0.5, 0.5, 0.5, 0.1]), 0.25) == 0.5
    assert threshold_of_precision(np.array([0.5, 0.5, 0.4]), np.array([True, False, True]), 0.6) == 0.4


def test_there_must_be_something_to_choose_on():
    with pytest.raises(ValueError, match="found none"):
        threshold_of_share(np.empty(0), 0.1)
    with pytest.raises(ValueError, match="found none"):
        threshold_of_precision(SCORE, np.zeros(SCORE.size, bool), 0.1)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"SF_ALERT_SHARES": "0.01"}, "two numbers between 0 and 1"),
        ({"SF_ALERT_SHARES": "1,5"}, "two numbers between 0 and 1"),
        ({"SF_ALERT_SHARES": "0.1,0.05"}, "strong level to hold fewer"),
        ({"SF_ALERT_PRECISIONS": "0.1,0.4"}, "at least as precise"),
        ({"SF_ALERT_SHARES": "0.01,0.05", "SF_ALERT_PRECISIONS": "0.4,0.1"}, "exclude each other"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(variables, told):
    with pytest.raises(ValueError, match=told):
        Settings.from_environment(variables)


def test_wishes_are_read_from_the_environment():
    assert Settings.from_environment({"SF_ALERT_SHARES": "0.01,0.05"}).alert_shares == (0.01, 0.05)
