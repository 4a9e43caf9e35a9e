"""The figures of a backtest, by method, reading and group: each with its interval, or the reason why it is undefined."""

from collections.abc import Iterator

import numpy as np
from threadpoolctl import threadpool_limits

from sf_assets.evaluation.alerts import (
    Alert,
    fixed_size_lists,
    lead_time,
    level_alerts,
    list_stability,
    thresholds_by_origin,
)
from sf_assets.evaluation.bootstrap import Interval, Weights, calibration, confusion, interval, ranking
from sf_assets.evaluation.panel import Panel
from sf_assets.model.alerting import AlertRule
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.splits import SplitRules

OVERALL = "ensemble"
ALL_COMPANIES, UNSEEN_COMPANIES = "toutes", "nouvelles"
OUTSIDE_PROCEDURE, PROCEDURES_AS_FAILURES = "hors_procedure", "toutes"
_LEVEL_FIGURES = {
    "fort": ("precision", "recall", "f05", "balanced_accuracy", "volume"),
    "modere": ("precision", "recall", "f2", "balanced_accuracy", "volume"),
}
_LIST_FIGURES = ("precision", "recall")
_NO_PAST = "no month scored before had a known outcome, to choose thresholds"
_UNDEFINED = {
    "precision": "no row in alert",
    "recall": "no failure",
    "balanced_accuracy": "failures or others are missing",
}

_BEST = AlertRule()
# A row of `eval_figures`, or some of its columns.
Row = dict[str, object]


def backtest_figures(
    panel: Panel,
    score: Floats,
    rules: SplitRules,
    weights: Weights,
    *,
    probabilities: bool,
    by_group: bool,
    alert: AlertRule = _BEST,
) -> list[Row]:
    """Return the figures of the scores of one method: rows of `eval_figures` without `methode` and `entreprises`.

    The reading `hors_procedure` leaves out companies already in a procedure, `toutes` counts them as failed.

    Args:
        panel: the rows of the backtest.
        score: the score of each row.
        rules: when a label is known, which decides the months that choose thresholds.
        weights: the draws of companies, from `draw_weights`.
        probabilities: whether scores are probabilities; calibration is undefined otherwise.
        by_group: add the figures of each group to those over all rows and of each origin.
        alert: the rule that chooses thresholds, on companies in no procedure.

    """
    # The computation is thousands of small matrix products: threads would wait longer than they compute.
    with threadpool_limits(1):
        return list(_figures(panel, score, rules, weights, probabilities=probabilities, by_group=by_group, alert=alert))


def _figures(
    panel: Panel,
    score: Floats,
    rules: SplitRules,
    weights: Weights,
    *,
    probabilities: bool,
    by_group: bool,
    alert: AlertRule,
) -> Iterator[Row]:
    thresholds = thresholds_by_origin(panel, score, rules, alert)
    levelled = level_alerts(panel, score, thresholds)
    for origin, one in zip(panel.origins, thresholds, strict=True):
        place = {"lecture": OUTSIDE_PROCEDURE, "dimension": "origine", "groupe": f"{origin:%Y-%m}"}
        for name in _LEVEL_FIGURES:
            yield place | _row(f"seuil_{name}", Interval(getattr(one, name) if one else None), _NO_PAST)
    for reading in (OUTSIDE_PROCEDURE, PROCEDURES_AS_FAILURES):
        rows = ~panel.en_procedure if reading == OUTSIDE_PROCEDURE else np.ones(score.size, dtype=bool)
        target = panel.target if reading == OUTSIDE_PROCEDURE else panel.target | panel.en_procedure
        alerts = (*levelled, *fixed_size_lists(panel, score, rows))
        ranks = panel.ranks(score, rows)
        for dimension, group, inside in _slices(panel, by_group=by_group and reading == OUTSIDE_PROCEDURE):
            place = {"lecture": reading, "dimension": dimension, "groupe": group}
            measured = _measured(
                panel, score, ranks, target, alerts, rows=rows & inside, weights=weights, probabilities=probabilities
            )
            yield from (place | row for row in measured)
            if reading == OUTSIDE_PROCEDURE:
                yield from (place | row for row in _over_time(panel, alerts, rows & inside, weights))


def _slices(panel: Panel, *, by_group: bool) -> Iterator[tuple[str, str, Flags]]:
    """Yield the dimension, name and rows of all rows together, then of each group of each dimension."""
    yield OVERALL, OVERALL, np.ones(panel.company.size, dtype=bool)
    for dimension, (codes, names) in panel.groups.items():
        if by_group or dimension == "origine":
            yield from ((dimension, name, codes == code) for code, name in enumerate(names))


def _measured(
    panel: Panel,
    score: Floats,
    ranks: Floats,
    target: Flags,
    alerts: tuple[Alert, ...],
    *,
    rows: Flags,
    weights: Weights,
    probabilities: bool,
) -> Iterator[Row]:
    """Yield the counts, ranking figures, calibration and alert figures of a set of rows."""
    failing, who = target[rows], panel.company[rows]
    count, failures = int(rows.sum()), int(failing.sum())
    counts = {"rows": count, "failures": failures, "failing_companies": np.unique(who[failing]).size}
    yield from (_row(name, Interval(float(value)), "") for name, value in counts.items())
    missing = f"{'no failure' if failures == 0 else 'nothing but failures'} among {count} rows"
    auc, precision = ranking(ranks[rows], failing, who, weights)
    yield _row("roc_auc", interval(auc), missing)
    yield _row("average_precision", interval(precision), missing)
    error, large = calibration(score[rows], failing, who, weights)
    for name, values in (("calibration_error", error), ("calibration_in_the_large", large)):
        figure = interval(values) if probabilities else Interval(None)
        yield _row(name, figure, "no row" if probabilities else "the score is no probability")
    for alert in alerts:
        measured = rows & alert.defined
        by_name = confusion(alert.in_alert[measured], target[measured], panel.company[measured], weights)
        for name in _LEVEL_FIGURES.get(alert.name, _LIST_FIGURES):
            reason = _UNDEFINED.get(name, "neither failure nor alert") if measured.any() else _NO_PAST
            yield _row(f"{alert.name}_{name}", interval(by_name[name]), reason)


def _over_time(panel: Panel, alerts: tuple[Alert, ...], rows: Flags, weights: Weights) -> Iterator[Row]:
    """Yield the figures that compare months: stability of the list, lead time, and share of failures preceded by an alert."""
    for alert in alerts:
        stable = interval(list_stability(panel, alert, rows, weights))
        yield _row(f"{alert.name}_stabilite", stable, "nobody in alert was scored a month later")
        months, warned = lead_time(panel, alert, rows, weights)
        yield _row(f"{alert.name}_avance_mois", interval(months), "no failure that was announced")
        yield _row(f"{alert.name}_prevenues", interval(warned), "no failure whose months of warning were all scored")


def _row(name: str, figure: Interval, reason: str) -> Row:
    """Return the row of a figure; `reason` says why it is undefined when it is."""
    missing = reason if figure.value is None else None
    return {"mesure": name, "valeur": figure.value, "bas": figure.low, "haut": figure.high, "raison": missing}
