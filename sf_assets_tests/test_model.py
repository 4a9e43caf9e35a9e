"""Scoring methods, months, figures, explanations and the store, on companies drawn from a seed."""

import io
import json
import zipfile
from datetime import date

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sf_assets.features.registry import BY_NAME, NAMES, THEMES
from sf_assets.model import store as store_module
from sf_assets.model.evaluation import (
    REFERENCE_GRID,
    Thresholds,
    best_threshold,
    calibration_error,
    choose_thresholds,
    evaluate,
    figures,
)
from sf_assets.model.explanations import by_theme, waterfall
from sf_assets.model.logistic import LogisticMethod, Tame
from sf_assets.model.methods import METHODS, method_named, score
from sf_assets.model.splits import InsufficientHistory, Split, SplitRules, plan_split
from sf_assets.model.store import Card, ModelStore, UntrustedModel, canonical
from sf_assets.model.threshold import LIMITS, ThresholdMethod
from sf_assets.partitions import add_months

MONTH = date(2026, 10, 1)
DEBT = "dette_sur_cotisation_mean12m"


def simulated(rows: int, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Draw companies: most owe nothing, amounts have long tails, a quarter has no paydex, a tenth no accounts."""
    rng = np.random.default_rng(seed)
    frailty = rng.normal(size=rows)
    owes = rng.random(rows) < 1 / (1 + np.exp(2.2 - frailty))
    staff = np.maximum(1, np.round(np.exp(rng.normal(3, 1, rows))))
    due = staff * rng.lognormal(6.3, 0.3, rows)
    debt = np.where(owes, due * rng.lognormal(0.3 + 0.4 * frailty, 1, rows), 0)
    drawn = {name: rng.standard_t(2, rows) - 0.2 * frailty for name in NAMES}
    for name in NAMES:
        if name.startswith("dette_sociale"):
            drawn[name] = debt * rng.choice([0, 1], rows, p=[0.2, 0.8]) / 2
    drawn |= {
        "cotisation": due,
        "cotisation_mean12m": due,
        DEBT: debt / due,
        "dette_par_effectif": debt / staff,
        "mois_en_dette_12m": np.where(owes, rng.integers(1, 13, rows), 0),
        "delai_en_cours": (owes & (rng.random(rows) < 0.2)).astype(float),
        "effectif": staff,
        "effectif_variation12m": rng.normal(-0.03 * frailty, 0.1, rows),
        "ap_heures_consommees": np.where(rng.random(rows) < 0.02, staff * rng.lognormal(2, 1, rows), 0),
        "paydex": np.where(rng.random(rows) < 0.25, np.nan, rng.lognormal(1.8 + 0.3 * frailty, 1, rows)),
    }
    no_accounts = rng.random(rows) < 0.1
    for name in ("ebe_sur_ca", "liquidite_reduite", "solidite_financiere"):
        drawn[name] = np.where(no_accounts, np.nan, drawn[name])
    failure = rng.random(rows) < 1 / (1 + np.exp(5.6 - 1.2 * frailty - 0.8 * owes - 0.4 * np.arcsinh(drawn[DEBT])))
    return pl.DataFrame({name: drawn[name] for name in NAMES}).fill_nan(None), failure


@pytest.fixture(scope="module")
def learned():
    rows, failure = simulated(20_000, seed=1)
    return LogisticMethod().fit(rows, failure)


@pytest.fixture(scope="module")
def later():
    return simulated(20_000, seed=2)


def company(**values: float | None) -> pl.DataFrame:
    return pl.DataFrame({name: [values.get(name)] for name in NAMES}, schema=dict.fromkeys(NAMES, pl.Float64))


# The threshold method


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


def test_more_debt_never_gives_a_lower_score():
    debts = np.linspace(0, 12, 200)
    rows = pl.DataFrame({name: debts if name == DEBT else np.zeros(200) for name in NAMES})
    scores = score(ThresholdMethod().fit(rows, np.zeros(200)), rows)
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < scores[-1]


def test_the_threshold_method_learns_nothing_from_the_rows(later):
    rows, failure = later
    assert np.array_equal(
        score(ThresholdMethod().fit(rows, failure), rows), score(ThresholdMethod().fit(company(), [True]), rows)
    )


# Every method


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_a_scikit_learn_estimator_whose_scores_follow_column_names(name, later):
    rows, failure = later
    method = method_named(name)().fit(rows, failure)
    assert clone(method).get_params() == method.get_params()
    shuffled = rows.select(pl.lit("005520135").alias("siren"), *reversed(NAMES))
    assert np.array_equal(score(method, shuffled), score(method, rows))
    assert np.array_equal(score(method, rows.to_numpy()), score(method, rows))
    proba = method.predict_proba(rows)
    assert proba.shape == (rows.height, 2)
    assert np.allclose(proba.sum(axis=1), 1)
    assert ((proba >= 0) & (proba <= 1)).all()


@pytest.mark.parametrize("name", METHODS)
def test_no_row_gives_no_score_and_no_contribution(name, later):
    method = method_named(name)().fit(*later)
    assert score(method, company()[:0]).shape == (0,)
    assert method.contributions(company()[:0]).shape == (0, len(NAMES))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (company().drop("paydex"), "expected columns paydex"),
        (company().with_columns(paydex=pl.lit("3")), "expected numbers in paydex, found String"),
        (company(paydex=float("inf")), "infinity in paydex"),
        (np.zeros((2, 3)), f"matrix of {len(NAMES)} columns"),
    ],
)
def test_rows_that_are_no_features_are_refused_by_name(rows, message):
    with pytest.raises(ValueError, match=message):
        ThresholdMethod().fit(rows, np.zeros(len(rows)))


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"logistique, seuils.*found 'foret'"):
        method_named("foret")


# The logistic regression


def test_amounts_are_tamed_with_what_training_rows_show_and_unknown_stays_unknown():
    amounts = np.array([[0.0], [0.0], [10.0], [-1000.0], [np.nan]])
    tame = Tame(tail=0.0).fit(amounts)
    assert tame.scale_.tolist() == [505.0]
    tamed = tame.transform(np.array([[0.0], [1e14], [np.nan], [-5.0]]))
    assert tamed[:2, 0] == pytest.approx([0, np.arcsinh(10 / 505)])
    assert np.isnan(tamed[2, 0])
    assert tame.inverse_transform(tamed)[3, 0] == pytest.approx(-5)


def test_the_regression_ranks_and_is_calibrated_on_companies_it_has_not_seen(learned, later):
    rows, failure = later
    found = figures(score(learned, rows), failure, Thresholds(0.05, 0.1), probabilities=True)
    assert found.roc_auc > 0.75
    assert found.calibration_error < 0.005
    assert abs(found.calibration_in_the_large) < 0.003


def test_the_same_rows_give_the_same_scores(learned, later):
    again = LogisticMethod().fit(*simulated(20_000, seed=1))
    assert np.array_equal(score(again, later[0]), score(learned, later[0]))


def test_scoring_never_fits_and_never_looks_at_the_other_rows(learned, later):
    rows, _ = later
    before = canonical(skops.io.dumps(learned))
    whole = score(learned, rows)
    alone = np.concatenate([score(learned, rows[i]) for i in range(50)])
    assert alone == pytest.approx(whole[:50], abs=1e-12)
    assert canonical(skops.io.dumps(learned)) == before


def test_a_value_unknown_at_scoring_only_is_taken_as_usual(learned):
    usual = company(**dict(zip(NAMES, learned.typical_.tolist(), strict=True)))
    unknown = usual.with_columns(effectif=pl.lit(None, pl.Float64))
    assert score(learned, unknown) == pytest.approx(score(learned, usual), abs=1e-12)


def test_a_feature_unknown_everywhere_in_training_changes_nothing_later(later):
    rows, failure = later
    method = LogisticMethod().fit(rows.with_columns(paydex=pl.lit(None, pl.Float64)), failure)
    low, high = (score(method, company(paydex=days)) for days in (0.0, 300.0))
    assert low == high


def test_weights_make_up_for_the_negatives_left_out(later):
    rows, failure = simulated(20_000, seed=1)
    kept = failure | (np.arange(len(failure)) % 5 == 0)
    weights = np.where(failure, 1.0, 5.0)[kept]
    weighted = LogisticMethod().fit(rows.filter(kept), failure[kept], sample_weight=weights)
    unweighted = LogisticMethod().fit(rows.filter(kept), failure[kept])
    mean = score(weighted, later[0]).mean()
    assert mean == pytest.approx(failure.mean(), rel=0.1)
    assert score(unweighted, later[0]).mean() > 3 * mean


@pytest.mark.parametrize("target", [np.zeros(3, bool), np.ones(3, bool)])
def test_a_regression_needs_failures_and_others(target):
    with pytest.raises(ValueError, match="expected failures and others"):
        LogisticMethod().fit(pl.concat([company()] * 3), target)


def test_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="true or false in every row"):
        LogisticMethod().fit(pl.concat([company()] * 2), [1.0, np.nan])


# Months


def months_between(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first, n) for n in range(count)]


def failing(months: list[date], companies: int) -> pl.DataFrame:
    return pl.DataFrame({"siren": [f"{i:09}" for i in range(companies)] * len(months)}).with_columns(
        periode=pl.Series([month for month in months for _ in range(companies)], dtype=pl.Date)
    )


def test_each_part_ends_before_labels_of_the_next_could_be_known():
    months = months_between(date(2016, 1, 1), MONTH)
    split = plan_split(MONTH, months, failing(months, 60))
    assert isinstance(split, Split)
    assert split.test == tuple(months_between(date(2024, 10, 1), date(2025, 3, 1)))
    assert split.validation == tuple(months_between(date(2022, 10, 1), date(2023, 3, 1)))
    assert split.training == tuple(months_between(date(2016, 1, 1), date(2021, 3, 1)))
    assert split.final_training == tuple(months_between(date(2016, 1, 1), date(2025, 3, 1)))
    assert split.failures == {"training": 60, "validation": 60, "test": 60, "labelled": 60}


@pytest.mark.parametrize(("month", "last"), [((2026, 2), (2024, 6)), ((2026, 3), (2024, 8)), ((2026, 10), (2025, 3))])
def test_a_month_is_labelled_once_the_last_procedures_of_its_horizon_are_published(month, last):
    months = months_between(date(2016, 1, 1), date(*month, 1))
    split = plan_split(date(*month, 1), months, failing(months, 60))
    assert split.final_training[-1] == date(*last, 1)


def test_months_to_come_and_the_order_of_months_change_nothing():
    months = months_between(date(2016, 1, 1), MONTH)
    failures = failing(months, 60)
    later = [*reversed(months), *months_between(add_months(MONTH, 1), add_months(MONTH, 6))]
    assert plan_split(MONTH, later, failures) == plan_split(MONTH, months, failures)


def test_a_history_of_two_years_ends_in_a_clear_statement():
    months = months_between(date(2019, 5, 1), date(2021, 4, 1))
    found = plan_split(date(2021, 4, 1), months, failing(months, 22))
    assert isinstance(found, InsufficientHistory)
    assert found.labelled == tuple(months_between(date(2019, 5, 1), date(2019, 9, 1)))
    assert found.statement == (
        "Historique insuffisant pour apprendre un modèle en 04/2021 : 5 mois dont l'issue est connue, il en faut 6 "
        "pour mesurer. Mois disponibles : 24 (05/2019 à 04/2021). Mois dont l'issue est connue : 5 (05/2019 à "
        "09/2019), avec 22 entreprises en défaillance."
    )


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (date(2022, 12, 1), "moins de 6 mois d'issue connue avant 10/2024"),
        (date(2021, 5, 1), "aucun mois dont l'issue était connue avant 10/2022 pour apprendre"),
    ],
)
def test_the_statement_names_the_part_that_lacks_months(first, cause):
    months = months_between(first, MONTH)
    assert cause in plan_split(MONTH, months, failing(months, 60)).statement


def test_failing_companies_are_counted_once_and_compared_with_the_need():
    months = months_between(date(2016, 1, 1), MONTH)
    found = plan_split(MONTH, months, failing(months, 49))
    assert "49 entreprises en défaillance dans les mois d'apprentissage, il en faut 50" in found.statement
    assert isinstance(plan_split(MONTH, months, failing(months, 49), SplitRules(training_failures=49)), Split)


def test_a_set_without_failure_cannot_measure():
    months = months_between(date(2016, 1, 1), MONTH)
    found = plan_split(MONTH, months, failing(months_between(date(2016, 1, 1), date(2023, 3, 1)), 60))
    assert found.causes == ("aucune entreprise en défaillance dans les mois de mesure",)


def test_no_history_at_all_is_stated_too():
    found = plan_split(MONTH, [], failing([], 0))
    assert "Mois disponibles : aucun. Mois dont l'issue est connue : aucun, avec 0 entreprise" in found.statement


# Figures

SCORE = np.array([0.05, 0.10, 0.20, 0.20, 0.60, 0.90])
TARGET = np.array([False, False, True, False, True, True])


def test_the_best_thresholds_are_those_of_the_highest_f_beta():
    assert best_threshold(SCORE, TARGET, beta=2) == pytest.approx((0.2, 5 * 3 / (4 * 3 + 4)))
    assert best_threshold(SCORE, TARGET, beta=0.5) == pytest.approx((0.6, 1.25 * 2 / (0.25 * 3 + 2)))


def test_the_lowest_threshold_wins_on_ties_as_on_the_grid_of_the_reference():
    assert best_threshold(SCORE, TARGET, beta=0.5, candidates=REFERENCE_GRID)[0] == pytest.approx(0.21)
    assert best_threshold(np.array([0.5, 0.5]), np.array([True, True]), beta=2, candidates=REFERENCE_GRID) == (0, 1)


def test_every_distinct_score_is_at_least_as_good_as_the_grid(learned, later):
    rows, failure = later
    probabilities = score(learned, rows)
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


def test_what_is_undefined_is_none_with_a_reason_and_never_zero():
    found = figures(SCORE, np.zeros(6, bool), Thresholds(0.95, 0.99), probabilities=False)
    flat = found.flat()
    for name in ("roc_auc", "average_precision", "brier", "modere_recall", "fort_precision", "fort_f_beta"):
        assert flat[name] is None
        assert found.undefined[name]
    assert {name for name, value in flat.items() if value is None} == set(found.undefined)


def test_companies_in_a_procedure_are_removed_in_one_reading_and_failed_in_the_other():  # decision B18
    in_procedure = np.array([False, True, False, False, False, False])
    found = evaluate(SCORE, TARGET, in_procedure, Thresholds(0.2, 0.6), probabilities=True)
    assert (found.hors_procedure.rows, found.hors_procedure.failures) == (5, 3)
    assert (found.toutes.rows, found.toutes.failures) == (6, 4)
    frame = found.to_frame()
    precision = frame.filter(lecture="toutes", mesure="modere_precision")
    assert precision["valeur"].to_list() == [0.75]
    assert frame.height == 2 * len(found.toutes.flat())


def test_an_unknown_score_cannot_be_evaluated():
    with pytest.raises(ValueError, match="found 1 unknown"):
        evaluate(np.array([0.1, np.nan]), np.zeros(2, bool), np.zeros(2, bool), Thresholds(0, 0), probabilities=True)


# Explanations


@pytest.mark.parametrize("name", METHODS)
def test_contributions_add_up_to_the_score(name, later):
    rows, failure = later
    method = method_named(name)().fit(rows, failure)
    total = method.base_ + method.contributions(rows).sum(axis=1)
    proba = score(method, rows)
    expected = np.log(proba / (1 - proba)) if name == "logistique" else proba * 10
    assert np.abs(total - expected).max() < 1e-9


def test_contributions_of_the_regression_are_measured_from_the_mean_of_training_rows(learned):
    rows, _ = simulated(20_000, seed=1)
    assert np.abs(learned.contributions(rows).mean(axis=0)).max() < 1e-9


def test_what_unknown_adds_belongs_to_its_feature(learned):
    usual = dict(zip(NAMES, learned.typical_.tolist(), strict=True))
    known, unknown = (learned.contributions(company(**usual | {"paydex": days})) for days in (usual["paydex"], None))
    changed = [NAMES[i] for i in np.flatnonzero(np.abs(known - unknown)[0] > 1e-12)]
    assert changed == ["paydex"]


def test_a_theme_is_the_sum_of_its_features(learned, later):
    micro = learned.contributions(later[0][:100])
    macro = by_theme(micro, NAMES)
    financial = [i for i, name in enumerate(NAMES) if BY_NAME[name].theme == "sante_financiere"]
    assert macro[:, list(THEMES).index("sante_financiere")] == pytest.approx(micro[:, financial].sum(axis=1))
    with pytest.raises(ValueError, match="found inconnu"):
        by_theme(micro[:, :1], ["inconnu"])


def test_bars_of_the_waterfall_by_the_example_of_the_rules():
    features = ("cotisation", "dette_par_effectif", "effectif", "paydex")
    found = waterfall(np.array([[0.15, 0.05, 0.05, -0.05]]), np.array([0.40]), features)
    assert found.micro[0] == pytest.approx([30, 10, 10, -10])
    assert dict(zip(THEMES, found.macro[0], strict=True)) == pytest.approx(
        {
            "dette_urssaf": 40,
            "effectif": 10,
            "activite_partielle": 0,
            "retards_paiement": -10,
            "sante_financiere": 0,
            "profil": 0,
        }
    )


def test_features_add_up_to_themes_and_themes_to_the_risk(learned, later):  # decision B19
    rows = later[0].filter(score(learned, later[0]) > 0.05)
    risk = score(learned, rows)
    found = waterfall(learned.contributions(rows), risk, NAMES)
    assert np.abs(found.macro.sum(axis=1) - 100 * risk).max() < 1e-9
    assert np.abs(by_theme(found.micro, NAMES) - found.macro).max() < 1e-9


@pytest.mark.parametrize("micro", [[0.1, -0.1], [0.0, 0.0], [-0.2, 0.1]])
def test_a_row_that_is_not_pushed_up_has_no_waterfall(micro):
    found = waterfall(np.array([micro]), np.array([0.4]), ("effectif", "paydex"))
    assert np.isnan(found.macro).all()
    assert np.isnan(found.micro).all()


# The store


def card(method, **changes) -> Card:
    fields = {
        "month": MONTH,
        "method": method.name,
        "features": method.features,
        "thresholds": Thresholds(0.04, 0.12),
        "figures": {"roc_auc": 0.8},
        "statement": None,
        "training_months": (date(2016, 1, 1), date(2016, 2, 1)),
        "training": {"rows": 20_000, "failures": 300},
        "snapshot": 12,
        "code_version": "0.1.0",
    }
    return Card(**fields | changes)


@pytest.mark.parametrize("name", METHODS)
def test_a_stored_method_comes_back_with_its_card_and_the_same_scores(name, tmp_path, later):
    rows, failure = later
    method = method_named(name)().fit(rows, failure)
    store = ModelStore(tmp_path)
    version = store.save(method, card(method))
    loaded, read = store.load(MONTH, name, version)
    assert np.array_equal(score(loaded, rows), score(method, rows))
    assert read == card(method)
    folder = tmp_path / "2610" / name / version
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.skops"]
    assert "Jamais pour contrôler" in json.loads((folder / "card.json").read_text(encoding="utf-8"))["intended_use"]


def test_the_same_fit_is_the_same_version_and_another_one_gets_its_own(tmp_path, learned):
    store = ModelStore(tmp_path)
    version = store.save(learned, card(learned))
    again = LogisticMethod().fit(*simulated(20_000, seed=1))
    assert store.save(again, card(again)) == version
    other = LogisticMethod(C=1.0).fit(*simulated(20_000, seed=1))
    changed = {store.save(other, card(other)), store.save(learned, card(learned, snapshot=13))}
    assert len(changed) == 2
    assert set(store.versions(MONTH, "logistique")) == {version, *changed}
    assert store.versions(MONTH, "seuils") == ()


def test_a_loaded_method_is_stored_again_as_the_same_version(tmp_path, learned):
    store = ModelStore(tmp_path)
    version = store.save(learned, card(learned))
    loaded, read = store.load(MONTH, "logistique", version)
    assert store.save(loaded, read) == version


def test_a_failure_while_writing_leaves_nothing(tmp_path, learned, monkeypatch):
    def full(self, target):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.rename", full)
    with pytest.raises(OSError, match="disk full"):
        ModelStore(tmp_path).save(learned, card(learned))
    assert list((tmp_path / "2610" / "logistique").iterdir()) == []


def test_an_altered_file_is_not_loaded(tmp_path, learned):
    store = ModelStore(tmp_path)
    version = store.save(learned, card(learned))
    path = tmp_path / "2610" / "logistique" / version / "card.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.12", "0.99"), encoding="utf-8")
    with pytest.raises(UntrustedModel, match=f"expected content of digest {version}"):
        store.load(MONTH, "logistique", version)


class Stranger:
    """A type no method declares."""


def test_a_type_that_is_not_declared_is_neither_stored_nor_loaded(tmp_path, learned):
    store = ModelStore(tmp_path)
    strange = LogisticMethod().fit(*simulated(2_000, seed=1))
    strange.pipeline_.steps[0] = ("tame", Stranger())
    with pytest.raises(UntrustedModel, match="Stranger"):
        store.save(strange, card(strange))
    with pytest.raises(UntrustedModel, match="Stranger"):
        store.load(MONTH, "logistique", plant(tmp_path, strange, card(strange)))


def test_another_object_than_the_method_is_refused(tmp_path, learned):
    version = plant(tmp_path, StandardScaler(), card(learned))
    with pytest.raises(UntrustedModel, match="expected a LogisticMethod, found a StandardScaler"):
        ModelStore(tmp_path).load(MONTH, "logistique", version)


def test_a_method_fitted_with_another_scikit_learn_is_refused(tmp_path, learned):
    version = plant(tmp_path, learned, card(learned, scikit_learn="0.1"))
    with pytest.raises(UntrustedModel, match=r"found 0\.1"):
        ModelStore(tmp_path).load(MONTH, "logistique", version)


def test_a_card_of_another_method_is_refused(tmp_path, learned):
    with pytest.raises(ValueError, match="expected method logistique"):
        ModelStore(tmp_path).save(learned, card(ThresholdMethod()))


def test_a_stored_archive_carries_neither_clock_nor_memory_address(learned):
    with zipfile.ZipFile(io.BytesIO(canonical(skops.io.dumps(learned)))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"__id__" not in archive.read("schema.json")
        assert "0.npy" in archive.namelist()


def plant(root, thing, its_card) -> str:
    """Write files as an intruder would, under a digest that matches them; return the version."""
    content = {"model.skops": canonical(skops.io.dumps(thing)), "card.json": its_card.to_json().encode()}
    version = store_module.digest(content)
    folder = root / "2610" / "logistique" / version
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return version
