"""The ensemble: weights chosen by companies that no member learned from, and one additive explanation."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import skops.io
from drawn import earlier, fitted, later, simulated, small

from sf_assets.features.registry import NAMES
from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.calibration import company_parts
from sf_assets.model.ensemble import EnsembleMethod, mixing_weights
from sf_assets.model.evaluation import ChosenSetting
from sf_assets.model.learning import LearningResult, learn, select_method
from sf_assets.model.methods import METHODS, score, scores_of
from sf_assets.model.selection import Choice
from sf_assets.model.splits import Split

MEMBERS = EnsembleMethod.members


def log_loss(log_odds: np.ndarray, target: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0, log_odds) - target * log_odds))


def test_weights_add_up_to_one_and_contributions_are_the_weighted_sum_of_those_of_the_members():
    method, rows = fitted("ensemble"), later()[0][:300]
    assert list(method.members_) == list(MEMBERS) == ["logistique", "boosting", "foret"]
    assert method.weights_.sum() == pytest.approx(1)
    assert (method.weights_ >= 0).all()
    parts = [weight * fitted(name).contributions(rows) for weight, name in zip(method.weights_, MEMBERS, strict=True)]
    assert method.contributions(rows) == pytest.approx(method.slope_ * np.sum(parts, axis=0), abs=1e-12)
    assert np.abs(method.base_ + method.contributions(rows).sum(axis=1) - method.log_odds(rows)).max() < 1e-6
    assert method.typical_.shape == (len(NAMES),)


def test_the_mean_loses_no_more_than_its_members_on_companies_it_has_not_seen():
    rows, failure = later()
    losses = {name: log_loss(fitted(name).log_odds(rows), failure) for name in (*MEMBERS, "ensemble")}
    assert losses["ensemble"] < min(losses[name] for name in MEMBERS) + 1e-4, losses


def test_members_that_are_fitted_already_give_the_same_ensemble_as_members_fitted_for_it():
    rows, failure = earlier()
    rows, failure = rows[:4_000], failure[:4_000] | (np.arange(4_000) % 40 == 0)
    made = {name: small(name, draws=1).fit(rows, failure) for name in MEMBERS}
    whole = small("ensemble", draws=1).fit(rows, failure)
    again = small("ensemble", draws=1).fit(rows, failure, fitted=made)
    assert np.array_equal(score(whole, later()[0]), score(again, later()[0]))
    for other, wrong in (
        (BoostingMethod(NAMES, rounds=60, seed=1), "draws, seed"),
        (BoostingMethod(NAMES[:9], rounds=60, draws=1), "features"),
    ):
        with pytest.raises(ValueError, match=f"expected boosting fitted as a member, found other {wrong}"):
            small("ensemble", draws=1).fit(rows, failure, fitted=made | {"boosting": other.fit(rows, failure)})


def test_rows_that_choose_weights_belong_to_companies_that_no_member_learned_from(monkeypatch):
    rows, failure = earlier()
    rows = rows[:3_000].with_columns(cotisation=np.arange(3_000.0))
    companies = np.repeat(np.arange(500), 6)
    failure = failure[:3_000] | np.repeat(np.arange(500) % 20 == 0, 6)
    learned: set[float] = set()
    seen: list[np.ndarray] = []
    original = BoostingMethod._learn

    def learn(self, matrix, target, weights):
        learned.update(companies[matrix[:, 0].astype(int)])
        original(self, matrix, target, weights)

    monkeypatch.setattr(BoostingMethod, "_learn", learn)
    monkeypatch.setattr(
        "sf_assets.model.ensemble.mixing_weights",
        lambda each, _target, _weights, names: seen.append(names) or np.full(each.shape[1], 1 / each.shape[1]),
    )
    small("ensemble", draws=1).fit(rows, failure, groups=companies)
    assert len(np.unique(seen[0])) == 100
    assert not learned & set(seen[0])


def test_weights_stay_near_equal_without_evidence_and_months_of_one_company_are_little_evidence():
    rng = np.random.default_rng(1)
    good, noise = rng.normal(size=60), rng.normal(size=60)
    failed = rng.random(60) < 1 / (1 + np.exp(-2 * good))
    each = np.column_stack([2 * good, 2 * noise])
    once = mixing_weights(each, failed, np.ones(60), np.arange(60))
    assert once[0] > 0.5
    months = [np.repeat(values, 100, axis=0) for values in (each, failed)]
    repeated = mixing_weights(*months, np.ones(6_000), np.repeat(np.arange(60), 100))
    assert repeated == pytest.approx(once, abs=1e-4)


def test_scoring_a_month_computes_each_member_once_also_after_the_files_are_loaded_and_the_rates_followed(monkeypatch):
    rows, failure = earlier()
    rows, failure = rows[:4_000], failure[:4_000] | (np.arange(4_000) % 40 == 0)
    made = {name: small(name, draws=draws).fit(rows, failure) for name, draws in zip(MEMBERS, (5, 1, 1), strict=True)}
    members = {name: skops.io.loads(skops.io.dumps(one), trusted=list(one.trusted)) for name, one in made.items()}
    whole = small("ensemble", draws=1).fit(rows, failure, fitted={name: made[name] for name in MEMBERS[1:]})
    whole.follow_rate(*later())
    together = {"ensemble": whole} | members
    apart = {name: score(method, later()[0]) for name, method in together.items()}
    computed: list[str] = []
    for kind in METHODS.values():
        if kind.name in MEMBERS:
            monkeypatch.setattr(
                kind, "_raw", lambda self, matrix, raw=kind._raw: computed.append(self.name) or raw(self, matrix)
            )
    found = scores_of(together, later()[0])
    assert list(found) == list(together)
    for name, scores in apart.items():
        assert found[name] == pytest.approx(scores, abs=1e-12)
    # The regression of the ensemble is another fit: one draw instead of five.
    assert sorted(computed) == ["boosting", "foret"] + ["logistique"] * 6
    assert not whole.members_["logistique"].same_fit(members["logistique"])


def test_weights_are_chosen_again_on_later_rows_of_companies_that_no_member_learned_from():
    rows, failure = earlier()
    made = {name: fitted(name) for name in MEMBERS}
    method = small("ensemble").fit(rows, failure, fitted=made)
    before, slope = method.weights_, method.slope_
    later_rows, later_failure = later()
    each = np.column_stack([fitted(name).log_odds(later_rows) for name in MEMBERS])
    method.weigh(later_rows, later_failure)
    assert method.weights_ == pytest.approx(
        mixing_weights(each, later_failure, np.ones(20_000), np.arange(20_000)), abs=1e-6
    )
    assert not np.array_equal(method.weights_, before)
    assert method.slope_ == slope
    chosen = method.weights_
    assert np.array_equal(method.weigh(later_rows, np.zeros(20_000, dtype=bool)).weights_, chosen)
    fixed = small("ensemble", weights=(0.2, 0.3, 0.5)).fit(rows, failure, fitted=made).weigh(later_rows, later_failure)
    assert fixed.weights_.tolist() == [0.2, 0.3, 0.5]


def test_the_weights_of_a_month_come_from_the_validation_months_of_companies_set_apart(monkeypatch):
    rows, failure = simulated(600, seed=6)
    base = rows.with_columns(
        siren=pl.Series([f"{i:09}" for i in range(600)]),
        target=pl.Series(failure | (np.arange(600) % 10 == 0)),
        en_procedure=pl.lit(value=False),
        weight=pl.lit(1.0),
    )
    table = pl.concat(base.with_columns(periode=pl.lit(date(2020, n, 1))) for n in range(1, 5))
    # A company that validation alone has: no method could learn from it.
    new = base[:1].with_columns(siren=pl.lit("999999999"), periode=pl.lit(date(2020, 2, 1)))
    months = [date(2020, n, 1) for n in range(1, 5)]
    plan = Split(months[3], (months[0],), (months[1],), (months[2],), tuple(months[:3]), {})
    weighed: list[set[str]] = []

    def weigh(self, frame, _target, _weights, groups):
        weighed.append((set(frame["periode"]), set(groups)))
        self.weights_ = np.array([0.7, 0.2, 0.1])

    monkeypatch.setattr(EnsembleMethod, "weigh", weigh)
    # One draw each, for speed.
    monkeypatch.setattr("sf_assets.model.calibrated._FEW_ROWS", 0)
    monkeypatch.setattr("sf_assets.model.settings.choose_setting", lambda *_, **__: ChosenSetting({"rounds": 20}))
    load = lambda wanted: pl.concat([table, new]).filter(pl.col("periode").is_in(wanted))  # noqa: E731
    kinds = {name: METHODS[name] for name in (*MEMBERS, "ensemble")}
    learned = {one.name: one for one in learn(plan, load, load, kinds=kinds)}
    ((periods, companies),) = weighed
    assert periods == {months[1]}
    apart = company_parts(base["target"].to_numpy(), base["siren"].to_numpy(), seed=0) == 0
    assert companies == {*base["siren"].filter(pl.Series(apart)), "999999999"}
    assert learned["ensemble"].fitted.weights_.tolist() == [0.7, 0.2, 0.1], "the fit of all months has them too"


def test_weights_may_be_given_one_for_each_member():
    rows, failure = earlier()
    made = {name: fitted(name) for name in MEMBERS}
    alone = small("ensemble", weights=(0.0, 1.0, 0.0)).fit(rows, failure, fitted=made)
    assert alone.log_odds(later()[0]) == pytest.approx(fitted("boosting").log_odds(later()[0]), abs=0.02)
    with pytest.raises(ValueError, match="expected one for each of logistique, boosting, foret, found 2 values"):
        small("ensemble", weights=(0.5, 0.5)).fit(rows, failure, fitted=made)


def test_an_ensemble_makes_a_list_by_decision_only():
    def learned(name: str, precision: float) -> LearningResult:
        return LearningResult(name, fitted(name), None, None, None, (), {"rows": 0, "failures": 0}, precision)

    methods = (learned("ensemble", 0.9), learned("boosting", 0.2), learned("logistique", 0.1))
    assert select_method(methods).method == "boosting"
    assert select_method(methods, [Choice("ensemble", "décidée")]).method == "ensemble"
