"""Every method brought to the state in which it can score a month: fitted, with thresholds, measured on later months.

A method that learns is fitted twice. The first fit sees only what was known before the months that choose the
thresholds, and its figures on still later months are those published. The second sees every labelled month, keeps these
thresholds, and scores.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from sf_assets.engine.charts.curves import Curve
from sf_assets.model.alerting import AlertRule
from sf_assets.model.curves import calibration_of, precision_recall_of
from sf_assets.model.evaluation import Evaluation, Thresholds, evaluate
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import METHODS, ScoringMethod, score
from sf_assets.model.selection import Choice
from sf_assets.model.splits import InsufficientHistory, Months, Split

# Rows of some months: `siren`, `periode`, the features, `target`, `en_procedure`, and `weight` where negatives were drawn.
RowLoader = Callable[[Months], pl.DataFrame]

_BEST = AlertRule()
_NOTHING = {"rows": 0, "failures": 0}


@dataclass(frozen=True, slots=True)
class LearningResult:
    """One method as it stands for a month; `fitted` and `thresholds` are None when the data does not support it.

    `training` counts the rows and failing companies that the scoring fit saw, over `training_months`. `validation_precision` is the
    average precision on the months that chose the thresholds, by which methods are compared: those that give the
    published figures choose nothing. It is None without such months. The two curves are those of the published figures,
    companies already in a procedure left out.
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


def learn(
    plan: Split | InsufficientHistory, load: RowLoader, draw: RowLoader, *, rule: AlertRule = _BEST
) -> tuple[LearningResult, ...]:
    """Bring every method to its state for the month of `plan`.

    `load` gives all rows of some months, `draw` the rows to learn from, which may be fewer and weighted. Each part is
    read once for all methods, and only as long as it is needed: the two learning parts are the largest. `rule` chooses
    the thresholds.
    """
    if isinstance(plan, InsufficientHistory):
        return tuple(_learn_without_history(kind(), plan, load) for kind in METHODS.values())
    first = _fit_all(_outside_procedure(draw(plan.training)))
    validation, test = load(plan.validation), load(plan.test)
    chosen = [_thresholds(method, validation, rule) for method in first]
    figures = [
        (_test_result(method, test, thresholds), _evaluate_method(method, validation, thresholds).hors_procedure)
        for method, thresholds in zip(first, chosen, strict=True)
    ]
    del first, validation, test
    rows = _outside_procedure(draw(plan.final_training))
    counts = {"rows": rows.height, "failures": rows.filter("target")["siren"].n_unique()}
    return tuple(
        LearningResult(
            name=method.name,
            fitted=method,
            thresholds=thresholds,
            evaluation=tested.evaluation,
            statement=None,
            training_months=plan.final_training if method.learns else (),
            training=counts if method.learns else _NOTHING,
            validation_precision=validation_precision.average_precision,
            precision_recall=tested.precision_recall,
            calibration=tested.calibration,
        )
        for method, thresholds, (tested, validation_precision) in zip(_fit_all(rows), chosen, figures, strict=True)
    )


_MOST_PRECISE = "la plus précise sur les mois qui choisissent les seuils"


def select_method(learned: Sequence[LearningResult], choices: Sequence[Choice] = ()) -> Choice:
    """Return the method of the month's list: the first of `choices` that can be used, as decided or as it was before.

    Without one it is the method of the best average precision on the validation months; without such months, the
    method that does not learn, the only one that needs no past.
    """
    usable = [one for one in learned if one.fitted is not None]
    names = {one.name for one in usable}
    for choice in choices:
        if choice.method in names:
            return choice
    validation_precision = [
        (one.validation_precision, one.name) for one in usable if one.validation_precision is not None
    ]
    if not validation_precision:
        return Choice(usable[0].name, None)
    gone = f"à la place de {choices[0].method}, qui ne peut plus servir : " if choices else ""
    return Choice(max(validation_precision)[1], gone + _MOST_PRECISE)


def _learn_without_history(method: ScoringMethod, plan: InsufficientHistory, load: RowLoader) -> LearningResult:
    if method.learns or method.default_thresholds is None:
        return LearningResult(method.name, None, None, None, plan.statement, (), _NOTHING)
    empty = np.empty((0, len(method.features)))
    fitted = method.fit(empty, np.empty(0, dtype=bool))
    rows = load(plan.labelled) if plan.failures["labelled"] else None
    # It learned nothing, so every labelled month measures it fairly.
    measured = _evaluate_method(fitted, rows, method.default_thresholds) if rows is not None else None
    return LearningResult(method.name, fitted, method.default_thresholds, measured, plan.statement, (), _NOTHING)


def _fit_all(rows: pl.DataFrame) -> list[ScoringMethod]:
    """Fit every method on the same rows, two at a time: each takes one core."""
    target, weight, siren = (rows[name].to_numpy() for name in ("target", "weight", "siren"))
    # The limit that a method sets holds for the whole process: the first to end would lift it for the other.
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda kind: kind().fit(rows, target, weight, siren), METHODS.values()))


def _thresholds(method: ScoringMethod, rows: pl.DataFrame, rule: AlertRule) -> Thresholds:
    return rule.thresholds(score(method, rows), rows["target"].to_numpy(), rows["en_procedure"].to_numpy())


def _outside_procedure(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of companies in no procedure at the date: the others have failed already (decision B18)."""
    return rows.filter(~pl.col("en_procedure"))


def _evaluate_method(method: ScoringMethod, rows: pl.DataFrame, thresholds: Thresholds) -> Evaluation:
    return _evaluate_scores(method, score(method, rows), rows, thresholds)


def _evaluate_scores(method: ScoringMethod, found: Floats, rows: pl.DataFrame, thresholds: Thresholds) -> Evaluation:
    target, en_procedure = rows["target"].to_numpy(), rows["en_procedure"].to_numpy()
    return evaluate(found, target, en_procedure, thresholds, probabilities=method.learns)


@dataclass(frozen=True, slots=True)
class _TestResult:
    """What a method is worth on the test months, in figures and in curves; points of `seuils` are not probabilities."""

    evaluation: Evaluation
    precision_recall: Curve | None
    calibration: Curve | None


def _test_result(method: ScoringMethod, rows: pl.DataFrame, thresholds: Thresholds) -> _TestResult:
    found = score(method, rows)
    outside = ~rows["en_procedure"].to_numpy()
    known, target = found[outside], rows["target"].to_numpy()[outside]
    return _TestResult(
        _evaluate_scores(method, found, rows, thresholds),
        precision_recall_of(method.name, known, target) if target.any() else None,
        calibration_of(method.name, known, target) if method.learns and target.any() else None,
    )


def months_in_perimeter_window(month: date, perimeter_months: int, months: Months) -> Months:
    """Leave out the months before the perimeter's window: of those, only the companies that survived are known.

    >>> months_in_perimeter_window(date(2026, 10, 1), 36, (date(2023, 10, 1), date(2023, 11, 1)))
    (datetime.date(2023, 11, 1),)
    """
    return tuple(m for m in months if (month.year - m.year) * 12 + month.month - m.month < perimeter_months)
