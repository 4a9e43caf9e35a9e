"""Fit every method for a month, choose its thresholds, and measure it on later months.

A method that learns is fitted twice. The first fit uses the training months; its probabilities then follow the failure rate
of the validation months, which choose the thresholds, and the test months, later still, give the published figures. The
second fit uses all labelled months, follows the rate of the newest of them, has the same thresholds, and computes the scores;
the mean of these is that of the newest labelled months.
Both fits have the setting of the boosting that the training months choose, and the weights of the ensemble that the validation
months choose.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from sf_assets.engine.charts.curves import Curve
from sf_assets.engine.storage import Session
from sf_assets.features.configurations import IN_USE
from sf_assets.model.alerting import AlertRule
from sf_assets.model.columns import LABELLED, Names
from sf_assets.model.evaluation import ChosenSetting, Evaluation, ReferenceRate, Thresholds
from sf_assets.model.measuring import ScoredRows, measure
from sf_assets.model.methods import METHODS, ScoringMethod, fit_methods, follow_recent_rate, score, scores_of
from sf_assets.model.population import at_mean, follow_population, mean_scores
from sf_assets.model.selection import Choice
from sf_assets.model.splits import InsufficientHistory, Months, Split, newest_share, recent_months, split_table
from sf_assets.vocabulary.intervals import NORMAL
from sf_assets.vocabulary.parameters import Parameters

if TYPE_CHECKING:
    from sf_assets.model.calibration import RateShift

# Returns the labelled rows of some months: the features, and the columns of `LABELLED`.
RowLoader = Callable[[tuple[Any, ...]], pl.DataFrame]

_BEST = AlertRule()
# A list learned every month has the setting in use unless another is better beyond noise: one that followed its noise would
# replace many companies on the list without being better.
_MARGIN = NORMAL
# Half as many rows as for a table that is evaluated once: the comparison is then a fifth of what a month costs to learn.
_COMPARED_ROWS = 10_000
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
        setting: the setting of the boosting, of which the method is or is made; None for the other methods.

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
    setting: ChosenSetting | None = None


def learn(
    plan: Split | InsufficientHistory,
    load: RowLoader,
    draw: RowLoader,
    *,
    rule: AlertRule = _BEST,
    names: Names = LABELLED,
    features: tuple[str, ...] = IN_USE,
    kinds: Mapping[str, type[ScoringMethod]] | None = None,
    current: Callable[[], pl.DataFrame] | None = None,
    margin: float = _MARGIN,
) -> tuple[LearningResult, ...]:
    """Fit and measure every method for the month of `plan`.

    The rows of each part are read once for all methods, and released after use: the two training parts fill most memory.

    Args:
        plan: the months of each part, or why history is insufficient.
        load: returns all labelled rows of some months.
        draw: returns the rows to learn from, which may be sampled and weighted.
        rule: chooses the thresholds.
        names: the columns of the rows.
        features: the names of the features that methods read.
        kinds: the classes of the methods, by name; all of them by default.
        current: returns the features of the companies to score, whose mean score is then that of the newest labelled months. By
            default, and for a table of anyone, probabilities follow the labels alone.
        margin: by how many standard errors a setting of the boosting must be better than the first to take its place.

    Raises:
        ValueError: rows of a table of anyone are too few to learn from, or fail too seldom.

    """
    kinds = METHODS if kinds is None else kinds
    if isinstance(plan, InsufficientHistory):
        return tuple(_learn_without_history(kind(features), plan, load, len(features)) for kind in kinds.values())
    training = names.outside_procedure(draw(plan.training))
    setting = setting_for(kinds, features, training, names, margin=margin)
    changed: dict[str, Mapping[str, Any]] = {"boosting": setting.setting} if setting else {}
    first = fit_methods(kinds, features, **names.outcome(training), settings=changed)
    validation, test = load(plan.validation), load(plan.test)
    changed |= _weigh(first, names.outside_procedure(validation), training, names)
    del training
    follow_recent_rate(first, **names.outcome(names.outside_procedure(validation)))
    of_validation, of_test = scores_of(first, validation), scores_of(first, test)
    if current:
        means = {name: float(scores.mean()) for name, scores in of_validation.items() if first[name].learns}
        of_test = at_mean(of_test, means, names.periods(test))
    measures = {
        name: measure(
            method, ScoredRows(validation, names, of_validation[name]), ScoredRows(test, names, of_test[name]), rule
        )
        for name, method in first.items()
    }
    del first, validation, test, of_validation, of_test
    drawn = draw(plan.final_training)
    recent = recent_months(names.periods(drawn), plan.recent)
    newest = names.outcome(drawn.filter(names.periods(drawn).is_in(recent)))
    rows = names.outside_procedure(drawn)
    del drawn
    fitted = fit_methods(kinds, features, **names.outcome(rows), settings=changed)
    shifts = follow_recent_rate(fitted, **names.outcome(rows), recent=names.periods(rows).is_in(recent).to_numpy())
    moved = dict.fromkeys(shifts, 0.0)
    if current:
        moved = follow_population(fitted, current(), mean_scores(fitted, newest["rows"], newest["weights"]))
    failing = rows.filter(pl.col(names.target).cast(pl.Boolean))[names.group].n_unique()
    counts = {"rows": rows.height, "failures": failing}
    return tuple(
        LearningResult(
            name=name,
            fitted=method,
            thresholds=measures[name].thresholds,
            evaluation=measures[name].evaluation,
            statement=None,
            training_months=plan.final_training if method.learns else (),
            training=counts if method.learns else _NOTHING,
            validation_precision=measures[name].validation_precision,
            precision_recall=measures[name].precision_recall,
            calibration=measures[name].calibration,
            reference=_reference(recent, shifts[name], moved[name]) if method.learns else None,
            setting=setting if "boosting" in (name, *method.members) else None,
        )
        for name, method in fitted.items()
    )


def learn_table(
    rows: pl.DataFrame,
    names: Names,
    *,
    features: tuple[str, ...],
    kinds: Mapping[str, type[ScoringMethod]],
    gap: int = 0,
    rule: AlertRule = _BEST,
) -> tuple[LearningResult, ...]:
    """Fit methods on a table of anyone, choose their thresholds and measure them on its last periods, as for a month.

    Args:
        rows: the table, one row per company and period.
        names: the names of its columns; a period is needed.
        features: names of the features, in order.
        kinds: the classes of the methods, by name.
        gap: periods whose outcome is not yet known when a part of the split begins.
        rule: chooses the thresholds.

    Raises:
        ValueError: too few periods, failing companies or rows to learn from, with their numbers.

    """

    def load(periods: tuple[Any, ...]) -> pl.DataFrame:
        return rows.filter(names.periods(rows).is_in(list(periods)))

    plan = split_table(rows, names, gap=gap)
    return learn(plan, load, load, rule=rule, names=names, features=features, kinds=kinds, margin=0)


def setting_for(
    kinds: Mapping[str, type[ScoringMethod]],
    features: tuple[str, ...],
    rows: pl.DataFrame,
    names: Names,
    *,
    margin: float = _MARGIN,
) -> ChosenSetting | None:
    """Return the setting of the boosting for some rows, measured on their newest periods; None when it is not among `kinds`."""
    if "boosting" not in kinds:
        return None
    from sf_assets.model.settings import choose_setting  # noqa: PLC0415 - slow to load

    periods = names.periods(rows)
    newest = recent_months(periods, newest_share(periods.n_unique()))
    recent = periods.is_in(newest).to_numpy() if periods.n_unique() > 1 else None
    return choose_setting(features, **names.outcome(rows), recent=recent, margin=margin, at_most=_COMPARED_ROWS)


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
    thresholds = method.default_thresholds
    scored = ScoredRows(rows, LABELLED, score(fitted, rows)) if rows is not None else None
    evaluation = scored.evaluation(fitted, thresholds) if scored else None
    return LearningResult(method.name, fitted, thresholds, evaluation, plan.statement, (), _NOTHING)


def _reference(recent: Sequence[Any], followed: "RateShift", moved: float) -> ReferenceRate:
    shifts = {name: getattr(followed, name) + moved for name in ("shift", "low", "high")}
    return ReferenceRate(recent[0], recent[-1], rate=followed.rate, **shifts)


def _weigh(
    fitted: Mapping[str, ScoringMethod], later: pl.DataFrame, training: pl.DataFrame, names: Names
) -> dict[str, dict[str, Any]]:
    """Let methods made of others weigh them on later rows of companies that none learned from; return the weights by name."""
    composed = {name: method for name, method in fitted.items() if method.members}
    if not composed:
        return {}
    from sf_assets.model.ensemble import learned_from  # noqa: PLC0415 - slow to load

    learned = names.outcome(training)
    seen = training.filter(learned_from(learned["target"], learned["groups"])).select(names.group).unique()
    # A join: numpy compares each text with each other one, a minute of every month at 50,000 companies.
    unseen = names.outcome(later.join(seen, on=names.group, how="anti", maintain_order="left"))
    chosen = {}
    for name, method in composed.items():
        weighed: Any = method
        weighed.weigh(unseen["rows"], unseen["target"], unseen["weights"], unseen["groups"])
        chosen[name] = {"weights": tuple(weighed.weights_.tolist())}
    return chosen


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
