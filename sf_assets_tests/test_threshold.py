"""The threshold method: points at documented limits, nothing learned."""

import numpy as np
import polars as pl
import pytest
from drawn import DEBT, company, later

from sf_assets.features.registry import NAMES
from sf_assets.model.methods import score
from sf_assets.model.threshold import LIMITS, ThresholdMethod


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({}, 0),
        ({DEBT: 0.99}, 0),
        ({DEBT: 1.0}, 1),
        ({DEBT: 3.0}, 3),
        ({DEBT: 6.5}, 5),
        ({"effectif_variation12m": -0.1}, 1),
        ({"effectif_variation12m": -0.5, "paydex": 30.0}, 3),
        ({DEBT: 3.2, "effectif_variation12m": 0.4, "ap_consommee_par_effectif_mean12m": 50.0}, 5),
        ({DEBT: 100.0, "effectif_variation12m": -1.0, "ap_consommee_par_effectif_mean12m": 150.0, "paydex": 90.0}, 10),
    ],
)
def test_points_are_given_at_documented_limits_and_add_up_to_a_score_in_tenths(values, points):
    method = ThresholdMethod().fit(company(), [False])
    assert method.points(company(**values)).tolist() == [points]
    assert score(method, company(**values)).tolist() == [points / 10]
    assert method.contributions(company(**values)).sum() == points


def test_an_unknown_value_gives_no_point():
    method = ThresholdMethod().fit(company(), [False])
    assert not method.triggered(company()).any()
    assert method.triggered(company(paydex=45.0))[0].tolist() == [limit.feature == "paydex" for limit in LIMITS]


def test_more_debt_never_gives_fewer_points():
    debts = np.linspace(0, 12, 200)
    rows = pl.DataFrame({name: debts if name == DEBT else np.zeros(200) for name in NAMES})
    scores = score(ThresholdMethod().fit(rows, np.zeros(200)), rows)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < scores[-1]


def test_the_threshold_method_learns_nothing_from_the_rows():
    rows, failure = later()
    assert np.array_equal(
        score(ThresholdMethod().fit(rows, failure), rows), score(ThresholdMethod().fit(company(), [True]), rows)
    )
