"""An origin learns only what was known then, unseen companies are never learned from, and every group has its figures."""

import dataclasses
from datetime import date

import numpy as np
import polars as pl
import pytest
from drawn import simulated

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.alerts import fixed_size_lists, lead_time, level_alerts, list_stability, thresholds_by_origin
from sf_assets.evaluation.backtest import backtest
from sf_assets.evaluation.bootstrap import draw_weights
from sf_assets.evaluation.figures import backtest_figures
from sf_assets.evaluation.origins import Origin, fold_of, rolling_origins
from sf_assets.evaluation.panel import CRISIS, OTHER_YEARS, Panel, panel_of
from sf_assets.evaluation.tables import BACKTEST, FIGURES
from sf_assets.model.alerting import AlertRule
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.splits import SplitRules
from sf_assets.vocabulary.partitions import add_months, cutoff_of

MONTH = date(2026, 10, 1)
RULES = SplitRules()
BEST = AlertRule()


def months_from(first: date, count: int) -> list[date]:
    return [add_months(first, n) for n in range(count)]


def failing(months: list[date], companies: int) -> pl.DataFrame:
    return pl.DataFrame(
        [{"siren": f"{i:09}", "periode": month} for month in months for i in range(companies)],
        schema={"siren": pl.String, "periode": pl.Date},
    )


def test_an_origin_learns_only_from_months_whose_label_was_known_then() -> None:
    months = months_from(date(2017, 2, 1), 117)
    origins = rolling_origins(MONTH, months, failing(months, 60), RULES)
    assert [origin.month for origin in origins] == [date(year, 4, 1) for year in range(2019, 2025)]
    for origin in origins:
        assert origin.test == tuple(months_from(origin.month, 12))
        last = origin.training[-1]
        # The eighteen months before an origin have no label yet, nor the month before them: procedures are published later.
        assert cutoff_of(add_months(last, 18)) < cutoff_of(origin.month)
        assert RULES.label_known(last) <= RULES.cutoff(origin.month) < RULES.label_known(add_months(last, 1))
    assert origins[-1].test[-1] == date(2025, 3, 1), "the last month whose label is known"


def test_origins_have_the_configured_interval_and_need_enough_failures() -> None:
    months = months_from(date(2017, 2, 1), 117)
    half_years = rolling_origins(MONTH, months, failing(months, 60), RULES, every=6)
    assert {len(origin.test) for origin in half_years} == {6}
    assert [origin.month for origin in half_years][-2:] == [date(2024, 4, 1), date(2024, 10, 1)]
    assert rolling_origins(MONTH, months, failing(months, 49), RULES) == ()
    later = rolling_origins(MONTH, months, failing(months_from(date(2020, 1, 1), 60), 60), RULES)
    assert [origin.month for origin in later] == [date(2022, 4, 1), date(2023, 4, 1), date(2024, 4, 1)]
    assert rolling_origins(MONTH, [], failing([], 0), RULES) == ()


def test_the_fold_of_a_company_depends_on_its_number_only() -> None:
    sirens = pl.Series([f"{i:09}" for i in range(3000)])
    folds = fold_of(sirens)
    assert np.array_equal(fold_of(sirens.reverse()), folds[::-1])
    assert np.array_equal(fold_of(sirens[:10]), folds[:10])
    assert np.bincount(folds).min() > 900


class Remembering:
    """A method whose only feature is the number of a company: it gives 1 to those it learned from and 0 to the others."""

    members = ()
    learns = False
    name = "memory"

    def __init__(self, features):
        self.features_ = features

    def fit(self, X, y, _weights, groups):  # noqa: N803
        assert len(y) == len(X)
        assert [int(siren) for siren in groups] == X[:, 0].tolist()
        self.known = X[:, 0]
        return self

    def predict_proba(self, X):  # noqa: N803
        seen = np.isin(X[:, 0], self.known).astype(float)
        return np.column_stack([1 - seen, seen])


def test_a_month_scored_later_has_the_mean_score_of_the_newest_months_that_were_known() -> None:
    months = months_from(date(2020, 1, 1), 9)
    parts = []
    for n, month in enumerate(months):
        features, failure = simulated(300, seed=6)
        # Delays of payment grow month after month, without more failures.
        parts.append(
            features.with_columns(
                pl.col("paydex") * (1 + n),
                siren=pl.Series([f"{i:09}" for i in range(300)]),
                periode=pl.lit(month),
                target=pl.Series(failure | (np.arange(300) % 15 == 0)),
                en_procedure=pl.Series(np.arange(300) % 50 == 7),
                weight=pl.lit(1.0),
            )
        )
    rows = pl.concat(parts)

    def load(wanted):
        return rows.filter(pl.col("periode").is_in(list(wanted)))

    origin = Origin(months[7], tuple(months[:7]), tuple(months[7:]))
    scored = pl.concat(backtest(origin, {"logistique": LogisticMethod}, load=load, draw=load))
    whole = scored.filter(entreprises="toutes").group_by("periode").agg(pl.col("probabilite").mean())["probabilite"]
    assert whole[0] == pytest.approx(whole[1], rel=1e-4)
    rate = rows.filter(~pl.col("en_procedure"))["target"].mean()
    assert whole[0] == pytest.approx(rate, rel=0.1)


def test_unseen_companies_are_scored_by_methods_that_did_not_learn_from_them() -> None:
    rows = pl.DataFrame(
        [
            {
                "siren": f"{i:09}",
                "number": i,
                "periode": month,
                "target": i % 3 == 0,
                "en_procedure": i == 7,
                "weight": 1.0,
            }
            for month in months_from(date(2020, 1, 1), 3)
            for i in range(60)
        ]
    )
    loaded = []

    def load(months):
        loaded.append(months)
        return rows.filter(pl.col("periode").is_in(list(months)))

    first, *test = months_from(date(2020, 1, 1), 3)
    origin = Origin(test[0], (first,), tuple(test))
    scored = pl.concat(backtest(origin, {"memory": Remembering}, load=load, draw=load, features=("number",)))
    assert scored.schema == frame_of(BACKTEST, ()).schema
    assert loaded == [(first,), (test[0],), (test[1],)], "months are read one at a time"
    of_all = scored.filter(entreprises="toutes")
    assert of_all.filter(probabilite=0)["siren"].unique().to_list() == ["000000007"], (
        "in a procedure: never learned from"
    )
    assert of_all.height == 120
    new = scored.filter(entreprises="nouvelles")
    assert new["probabilite"].unique().to_list() == [0]
    assert new.sort("periode", "siren")["siren"].equals(of_all.sort("periode", "siren")["siren"])


COMPANIES, SPAN = 40, 36
FIRST = date(2019, 4, 1)


def panel(companies: int = COMPANIES, span: int = SPAN) -> Panel:
    """Return companies over three years: one in eight fails, each in its own month, with target true for eighteen months."""
    rows = []
    for i in range(companies):
        fails = FIRST.replace(day=15) if i % 8 else add_months(FIRST, 20 + i % 12).replace(day=15)
        for month in months_from(FIRST, span):
            cutoff = cutoff_of(month)
            failing_soon = i % 8 == 0 and cutoff < fails <= cutoff_of(add_months(month, 18))
            rows.append(
                {
                    "siren": f"{i:09}",
                    "periode": month,
                    "origine": date(month.year - (month.month < 4), 4, 1),
                    "target": failing_soon,
                    "en_procedure": i == 1,
                    "date_defaillance": fails if failing_soon else None,
                    "section": "F" if i % 2 else "G",
                    "region": None if i == 3 else "Bretagne",
                    "effectif": float(i),
                    "age_entreprise": float(i % 20),
                }
            )
    return panel_of(pl.DataFrame(rows, schema_overrides={"date_defaillance": pl.Date}).sort("periode", "siren"))


def test_every_row_belongs_to_one_group_of_each_dimension() -> None:
    sample = panel()
    assert set(sample.groups) == {"section", "taille", "region", "age", "periode", "origine"}
    assert sample.groups["taille"][1] == ("moins de 10", "10 à 19", "20 à 49")
    assert sample.groups["age"][1] == ("moins de 3 ans", "3 à 5 ans", "6 à 10 ans", "11 à 15 ans", "16 ans et plus")
    assert sample.groups["region"][1] == ("Bretagne", "inconnu")
    codes, names = sample.groups["periode"]
    assert [names[code] for code in codes[::COMPANIES]] == [OTHER_YEARS] * 9 + [CRISIS] * 24 + [OTHER_YEARS] * 3


def test_the_following_row_is_the_same_company_a_month_later() -> None:
    sample = panel(companies=3, span=2)
    assert sample.following.tolist() == [3, 4, 5, -1, -1, -1]


def test_companies_are_ranked_within_their_month() -> None:
    sample = panel(companies=4, span=3)
    score = np.array([0.1, 0.2, 0.3, 0.4]) * np.repeat([1.0, 10.0, 0.1], 4).reshape(3, 4)
    rows = sample.company != 1
    ranks = sample.ranks(score.ravel(), rows).reshape(3, 4)
    assert np.isnan(ranks[:, 1]).all()
    assert ranks[:, [0, 2, 3]].tolist() == [pytest.approx([1 / 3, 2 / 3, 1])] * 3


def test_ranking_figures_do_not_change_when_all_scores_of_a_month_are_scaled() -> None:
    sample = panel()
    score = np.random.default_rng(1).random(sample.company.size)
    weights = draw_weights(len(sample.companies), replicates=20)
    moved = score / (1 + sample.period)

    def rank_figures(values: np.ndarray) -> pl.DataFrame:
        rows = backtest_figures(sample, values, RULES, weights, probabilities=False, by_group=False)
        return frame_of(FIGURES, rows).filter(pl.col("mesure").is_in(["roc_auc", "average_precision"]))

    assert rank_figures(score).equals(rank_figures(moved))


def test_the_thresholds_of_an_origin_come_from_months_whose_label_was_known_then() -> None:
    sample = panel()
    score = np.where(sample.target, 0.9, 0.1)
    assert thresholds_by_origin(sample, score, RULES, BEST) == (None, None, Thresholds(modere=0.9, fort=0.9))
    # Scores after the six months whose labels were known in April 2021 do not change the thresholds.
    unknown = sample.period >= sample.months.index(date(2019, 10, 1))
    changed = np.where(unknown, np.random.default_rng(0).random(score.size), score)
    assert thresholds_by_origin(sample, changed, RULES, BEST)[2] == Thresholds(modere=0.9, fort=0.9)
    strong, _ = level_alerts(sample, score, thresholds_by_origin(sample, score, RULES, BEST))
    assert np.array_equal(strong.defined, sample.origin == 2)


def test_a_fixed_size_list_holds_the_riskiest_companies_of_each_month_and_ranks_ties_by_company() -> None:
    sample = panel()
    free = ~sample.en_procedure
    score = np.where(sample.company >= 20, 0.5, 0.1)
    _, _, longest = fixed_size_lists(sample, score, free)
    assert longest.name == "liste_10000"
    counts = np.bincount(sample.period, weights=longest.in_alert)
    assert set(counts) == {1}, "39 companies x 10,000 / 350,000"
    assert set(sample.company[longest.in_alert]) == {20}


def test_list_stability_is_the_share_of_companies_that_stay_a_month_later() -> None:
    sample = panel()
    weights = draw_weights(len(sample.companies), replicates=20)
    free = ~sample.en_procedure
    same = fixed_size_lists(sample, sample.company.astype(float), free)[2]
    assert list_stability(sample, same, free, weights)[0] == 1
    moving = fixed_size_lists(sample, ((sample.company + sample.period) % 7).astype(float), free)[2]
    assert list_stability(sample, moving, free, weights)[0] == 0


def test_lead_time_counts_from_the_first_alert_to_the_failure() -> None:
    sample = panel()
    weights = draw_weights(len(sample.companies), replicates=20)
    free = ~sample.en_procedure
    # In alert from six months before the failure on, for all failing companies but the first.
    ahead = np.full(sample.company.size, np.nan)
    failing_soon = sample.event >= 0
    days = (sample.event_day[sample.event[failing_soon]] - sample.cutoffs[sample.period[failing_soon]]).astype(int)
    ahead[failing_soon] = days / 30.4375
    score = np.where((ahead < 6.1) & (sample.company != 0), 1.0, 0.0)
    alert = level_alerts(sample, score, (Thresholds(0.5, 0.5),) * 3)[0]
    months, warned = lead_time(sample, alert, free, weights)
    assert 5 < months[0] < 6.1
    assert warned[0] == pytest.approx(4 / 5)


def test_the_months_before_a_failure_count_from_shifted_cut_offs() -> None:
    sample, shifted = panel(), dataclasses.replace(panel(), shift_days=-20)
    assert (sample.cutoffs - shifted.cutoffs).astype(int).tolist() == [20] * SPAN
    event = sample.event_day.min()
    assert dataclasses.replace(sample, event_day=np.array([sample.cutoffs[18]])).eligible(
        sample.months[0]
    ).tolist() == [False]
    assert dataclasses.replace(shifted, event_day=np.array([sample.cutoffs[18]])).eligible(
        sample.months[0]
    ).tolist() == [True]
    assert event == np.datetime64("2020-12-15")


def test_every_figure_has_a_value_or_a_reason() -> None:
    sample = panel()
    score = np.random.default_rng(1).random(sample.company.size)
    weights = draw_weights(len(sample.companies), replicates=50)
    figures = frame_of(FIGURES, backtest_figures(sample, score, RULES, weights, probabilities=True, by_group=True))
    assert figures.filter(pl.col("valeur").is_null() & pl.col("raison").is_null()).is_empty()
    assert figures.filter(pl.col("bas") > pl.col("haut")).is_empty()
    key = ["lecture", "dimension", "groupe", "mesure"]
    assert figures.select(key).is_duplicated().sum() == 0
    rows = figures.filter(mesure="rows", lecture="hors_procedure").group_by("dimension").agg(pl.col("valeur").sum())
    assert set(rows["valeur"]) == {(COMPANIES - 1) * SPAN}, "the groups of each dimension partition all rows"
    everyone = figures.filter(mesure="failures", lecture="toutes", dimension="ensemble")["valeur"].item()
    outside = figures.filter(mesure="failures", lecture="hors_procedure", dimension="ensemble")["valeur"].item()
    assert everyone == outside + SPAN, "a company in a procedure counts as failed"
    again = frame_of(FIGURES, backtest_figures(sample, score, RULES, weights, probabilities=True, by_group=True))
    assert again.equals(figures)
    points = frame_of(FIGURES, backtest_figures(sample, score, RULES, weights, probabilities=False, by_group=False))
    assert points.filter(mesure="calibration_error")["raison"].unique().to_list() == ["the score is no probability"]
