"""Fit every method for a month, choose its thresholds, and measure it on later months.

A method that learns is fitted twice. The first fit uses the training months; its probabilities then follow the failure rate
of the validation months, which choose the thresholds, and the test months, later still, give the published figures. The
second fit uses all labelled months, follows the rate of the newest of them, has the same thresholds, and computes the scores.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from sf_assets.engine.charts.curves import Curve
from sf_assets.engine.storage import Session
from sf_assets.features.configurations import IN_USE
from sf_assets.model.alerting import AlertRule
from sf_assets.model.curves import calibration_of, precision_recall_of
from sf_assets.model.evaluation import Evaluation, ReferenceRate, Thresholds, evaluate
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import METHODS, ScoringMethod, fit_methods, follow_recent_rate, score
from sf_assets.model.selection import Choice
from sf_assets.model.splits import InsufficientHistory, Months, Split, recent_months
from sf_assets.vocabulary.parameters import Parameters

# Returns the labelled rows of some months: `siren`, `periode`, the features, `target`, `en_procedure` and `weight`.
RowLoader = Callable[[Months], pl.DataFrame]

_BEST = AlertRule()
_NOTHING = {"rows": 0, "failures": 0}


@dataclass(frozen=True, slots=True)
class LearningResult:
    """The result of learning one method for a month.

    Attributes:
        name: the name of the method.
        fitted: the method fitted on all labelled months, None when history does not support it.
        thresholds: the thresholds of both levels, None when history does not support the method.
        evaluation: the figures on the test months, None without such months.
        statement: why history does not support a fit, in French; None when it does.
        training_months: the months of the second fit.
        training: `rows` and failing companies (`failures`) of the second fit.
        validation_precision: average precision on the validation months, by which methods are compared: the test months,
            which give the published figures, choose nothing. None without validation months.
        precision_recall, calibration: curves on the test months, companies already in a procedure left out.
        reference: the failure rate to which the probabilities of `fitted` were calibrated; None without probabilities.

    """

    name: str
    fitted: ScoringMethod | None
    thresholds: Thresholds | None
    evaluation: Evaluation | None
    statement: str | None
    training_months: Months
    training: dict[str, int]
    validation_precision: float | None = None
    precision_recall: Curve | None = None
    calibration: Curve | None = None
    reference: ReferenceRate | None = None


def learn(
    plan: Split | InsufficientHistory,
    load: RowLoader,
    draw: RowLoader,
    *,
    rule: AlertRule = _BEST,
    features: tuple[str, ...] = IN_USE,
) -> tuple[LearningResult, ...]:
    """Fit and measure every method for the month of `plan`.

    The rows of each part are read once for all methods, and released after use: the two training parts fill most memory.

    Args:
        plan: the months of each part, or why history is insufficient.
        load: returns all labelled rows of some months.
        draw: returns the rows to learn from, which may be sampled and weighted.
        rule: chooses the thresholds.
        features: the names of the features that methods read.

    """
    if isinstance(plan, InsufficientHistory):
        return tuple(_learn_without_history(kind(features), plan, load, len(features)) for kind in METHODS.values())
    first = _fit_all(_outside_procedure(draw(plan.training)), features)
    validation, test = load(plan.validation), load(plan.test)
    follow_recent_rate({one.name: one for one in first}, **_outcome(_outside_procedure(validation)))
    thresholds = [_thresholds(method, validation, rule) for method in first]
    figures = [
        (_test_result(method, test, chosen), _evaluate_method(method, validation, chosen).hors_procedure)
        for method, chosen in zip(first, thresholds, strict=True)
    ]
    del first, validation, test
    rows = _outside_procedure(draw(plan.final_training))
    fitted = _fit_all(rows, features)
    recent = recent_months(rows["periode"])
    shifts = follow_recent_rate(
        {one.name: one for one in fitted}, **_outcome(rows), recent=rows["periode"].is_in(recent).to_numpy()
    )
    counts = {"rows": rows.height, "failures": rows.filter("target")["siren"].n_unique()}
    return tuple(
        LearningResult(
            name=method.name,
            fitted=method,
            thresholds=chosen,
            evaluation=tested.evaluation,
            statement=None,
            training_months=plan.final_training if method.learns else (),
            training=counts if method.learns else _NOTHING,
            validation_precision=validated.average_precision,
            precision_recall=tested.precision_recall,
            calibration=tested.calibration,
            reference=ReferenceRate(recent[0], recent[-1], **asdict(shifts[method.name])) if method.learns else None,
        )
        for method, chosen, (tested, validated) in zip(fitted, thresholds, figures, strict=True)
    )


_MOST_PRECISE = "la plus précise sur les mois qui choisissent les seuils"


def select_method(learned: Sequence[LearningResult], choices: Sequence[Choice] = ()) -> Choice:
    """Return the method selected for the month's list: the first of `choices` that can be used.

    Without one, it is the method of the highest average precision on the validation months, a method made of others left
    out: that one makes a list by decision only. Without validation months, it is the method that does not learn, the only one
    that needs no history.
    """
    usable = [one for one in learned if one.fitted is not None]
    names = {one.name for one in usable}
    for choice in choices:
        if choice.method in names:
            return choice
    composed = {name for name, kind in METHODS.items() if kind.members}
    validated = [
        (one.validation_precision, one.name)
        for one in usable
        if one.validation_precision is not None and one.name not in composed
    ]
    if not validated:
        return Choice(usable[0].name, None)
    unusable = f"à la place de {choices[0].method}, qui ne peut plus servir : " if choices else ""
    return Choice(max(validated)[1], unusable + _MOST_PRECISE)


def _learn_without_history(
    method: ScoringMethod, plan: InsufficientHistory, load: RowLoader, width: int
) -> LearningResult:
    if method.learns or method.default_thresholds is None:
        return LearningResult(method.name, None, None, None, plan.statement, (), _NOTHING)
    empty = np.empty((0, width))
    fitted = method.fit(empty, np.empty(0, dtype=bool))
    rows = load(plan.labelled) if plan.failures["labelled"] else None
    # The method learns nothing: every labelled month is new to it.
    evaluation = _evaluate_method(fitted, rows, method.default_thresholds) if rows is not None else None
    return LearningResult(method.name, fitted, method.default_thresholds, evaluation, plan.statement, (), _NOTHING)


def _fit_all(rows: pl.DataFrame, features: tuple[str, ...]) -> list[ScoringMethod]:
    return list(fit_methods(METHODS, features, **_outcome(rows)).values())


def _outcome(rows: pl.DataFrame) -> dict[str, Any]:
    """Return rows with their target, weights and companies, by the names of the arguments that take them."""
    target, weights, siren = (rows[name].to_numpy() for name in ("target", "weight", "siren"))
    return {"rows": rows, "target": target, "weights": weights, "groups": siren}


def _thresholds(method: ScoringMethod, rows: pl.DataFrame, rule: AlertRule) -> Thresholds:
    return rule.thresholds(score(method, rows), rows["target"].to_numpy(), rows["en_procedure"].to_numpy())


def _outside_procedure(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of companies in no procedure at the cut-off: the others have already failed (decision B18)."""
    return rows.filter(~pl.col("en_procedure"))


def _evaluate_method(method: ScoringMethod, rows: pl.DataFrame, thresholds: Thresholds) -> Evaluation:
    return _evaluate_scores(method, score(method, rows), rows, thresholds)


def _evaluate_scores(method: ScoringMethod, scores: Floats, rows: pl.DataFrame, thresholds: Thresholds) -> Evaluation:
    target, en_procedure = rows["target"].to_numpy(), rows["en_procedure"].to_numpy()
    return evaluate(scores, target, en_procedure, thresholds, probabilities=method.learns)


@dataclass(frozen=True, slots=True)
class _TestResult:
    """The figures and curves of a method on the test months; a method that does not learn has no calibration curve."""

    evaluation: Evaluation
    precision_recall: Curve | None
    calibration: Curve | None


def _test_result(method: ScoringMethod, rows: pl.DataFrame, thresholds: Thresholds) -> _TestResult:
    scores = score(method, rows)
    outside = ~rows["en_procedure"].to_numpy()
    measured, target = scores[outside], rows["target"].to_numpy()[outside]
    return _TestResult(
        _evaluate_scores(method, scores, rows, thresholds),
        precision_recall_of(method.name, measured, target) if target.any() else None,
        calibration_of(method.name, measured, target) if method.learns and target.any() else None,
    )


def usable_months(session: Session, month: date, parameters: Parameters) -> Months:
    """Return the months up to `month` that have features and lie within the perimeter's window."""
    months = tuple(m for m in session.months("feat_matrix") if m <= month)
    return months_in_perimeter_window(month, parameters.perimeter_months, months)


def months_in_perimeter_window(month: date, perimeter_months: int, months: Months) -> Months:
    """Return the months within the perimeter's window of `perimeter_months`, up to `month`.

    Files hold no company that failed before the window: its months would hold survivors only.

    >>> months_in_perimeter_window(date(2026, 10, 1), 36, (date(2023, 10, 1), date(2023, 11, 1)))
    (datetime.date(2023, 11, 1),)
    """
    return tuple(m for m in months if (month.year - m.year) * 12 + month.month - m.month < perimeter_months)
