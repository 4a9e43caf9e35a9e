"""Evaluation of the methods on anyone's panel: a table whose columns of company, period and outcome are named by its owner.

The last periods measure what was learned from the earlier ones, as in a backtest of one origin. Cross-validation by company
measures companies never seen, and gives the scores that choose thresholds. A table of one period has that reading only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sf_assets.engine.charts.curves import Curve
from sf_assets.evaluation.bootstrap import Interval, Weights, calibration, confusion, draw_weights, interval, ranking
from sf_assets.evaluation.figures import ALL_COMPANIES, OUTSIDE_PROCEDURE, OVERALL, UNSEEN_COMPANIES
from sf_assets.evaluation.labelled_table import LabelledTable
from sf_assets.evaluation.origins import FOLDS
from sf_assets.evaluation.panel import rank_share
from sf_assets.model.calibration import company_parts
from sf_assets.model.curves import calibration_of, precision_recall_of
from sf_assets.model.evaluation import ChosenSetting, choose_thresholds
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.methods import ScoringMethod, fit_methods, follow_recent_rate, scores_of
from sf_assets.model.splits import newest_share
from sf_assets.vocabulary.failures import UserError

_LEVELS = {"fort": ("precision", "recall", "f05"), "modere": ("precision", "recall", "f2")}
_SHARES = (0.01, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class TableEvaluation:
    """The figures of every method on a table, in the columns of `eval_figures`, and the curves of the main reading.

    `learned` and `measured` are the periods of each part, in words; `skipped` says why a method has no figures. `setting` is
    that of the boosting, chosen on the periods that learn; None without the boosting.
    """

    figures: pl.DataFrame
    precision_recall: tuple[Curve, ...]
    calibration: tuple[Curve, ...]
    learned: str
    measured: str
    skipped: Mapping[str, str]
    setting: ChosenSetting | None = None


def split_periods(count: int, gap: int) -> tuple[range, range]:
    """Return the periods that learn and those that measure: the last fifth, `gap` periods after the last that learns.

    >>> split_periods(10, 1), split_periods(1, 0)
    ((range(0, 7), range(8, 10)), (range(0, 1), range(0, 1)))
    """
    if count == 1:
        return range(1), range(1)
    first = count - newest_share(count)
    return range(max(first - gap, 0)), range(first, count)


def evaluate_table(
    table: LabelledTable, kinds: Mapping[str, type[ScoringMethod]], *, gap: int = 0, replicates: int = 200
) -> TableEvaluation:
    """Evaluate methods on a table.

    Args:
        table: the table.
        kinds: the classes of the methods, by name.
        gap: periods whose outcome is not yet known when the first period that measures begins.
        replicates: draws of companies for the intervals.

    Raises:
        UserError: too few companies fail or not, rows are too few to learn from, or no period is left to learn from.

    """
    learning, measuring = split_periods(len(table.periods), gap)
    if not learning:
        raise UserError(
            f"gap: expected periods left to learn from, found {len(table.periods)} periods and a gap of {gap}"
        )
    learn, measure = (np.isin(table.period, part) for part in (learning, measuring))
    usable, skipped = _usable(table, kinds)
    recent = _recent(table, learning)
    try:
        chosen = _chosen(table, usable, learn, recent)
        settings = {"boosting": chosen.setting} if chosen else {}
        scores, thresholds_rows = _scores(table, usable, settings, learn=learn, measure=measure, recent=recent)
    except ValueError as error:
        raise UserError(f"table: {error}") from error
    weights = draw_weights(int(table.company.max()) + 1, replicates=replicates)
    rows = [
        {"methode": name, "entreprises": companies} | row
        for (name, companies), score_of in scores.items()
        for row in _figures(table, score_of, thresholds_rows[name], measure, weights, probabilities=usable[name].learns)
    ]
    main = {name: scores[name, companies] for name, companies in scores if companies == _main(learning, measuring)}
    failed = table.target[measure]
    return TableEvaluation(
        figures=pl.DataFrame(rows, infer_schema_length=None),
        precision_recall=tuple(
            precision_recall_of(name, _ranks(table, one, measure), failed) for name, one in main.items()
        ),
        calibration=tuple(
            calibration_of(name, one[measure], failed) for name, one in main.items() if usable[name].learns
        ),
        learned=_span(table, learning),
        measured=_span(table, measuring),
        skipped=skipped,
        setting=chosen,
    )


def _chosen(
    table: LabelledTable, kinds: Mapping[str, type[ScoringMethod]], learn: Flags, recent: Flags | None
) -> ChosenSetting | None:
    if "boosting" not in kinds:
        return None
    from sf_assets.model.settings import choose_setting  # noqa: PLC0415 - slow to load

    return choose_setting(
        table.features,
        table.rows.filter(learn),
        target=table.target[learn],
        groups=table.company[learn],
        recent=None if recent is None else recent[learn],
    )


def _main(learning: range, measuring: range) -> str:
    return UNSEEN_COMPANIES if learning == measuring else ALL_COMPANIES


def _usable(
    table: LabelledTable, kinds: Mapping[str, type[ScoringMethod]]
) -> tuple[dict[str, type[ScoringMethod]], dict[str, str]]:
    """Return the methods that the table can be scored by, and why others cannot: one that learns nothing needs its columns."""
    skipped = {}
    for name, kind in kinds.items():
        if not kind.learns:
            try:
                kind(table.features).fit(table.rows[:1], table.target[:1])
            except ValueError as error:
                skipped[name] = str(error)
    return {name: kind for name, kind in kinds.items() if name not in skipped}, skipped


def _recent(table: LabelledTable, learning: range) -> Flags | None:
    """Return which rows are of the newest periods that learn; None for a single period."""
    if len(learning) == 1:
        return None
    return np.asarray(np.isin(table.period, learning[-newest_share(len(learning)) :]))


def _scores(
    table: LabelledTable,
    kinds: Mapping[str, type[ScoringMethod]],
    settings: Mapping[str, Mapping[str, Any]],
    *,
    learn: Flags,
    measure: Flags,
    recent: Flags | None,
) -> tuple[dict[tuple[str, str], Floats], dict[str, tuple[Floats, Flags]]]:
    """Return the scores of the rows that measure, by method and reading, and scores with outcomes that choose thresholds.

    Rows that choose thresholds are recent rows that learn, scored by methods that learned from other companies.
    """
    whole = None if (learn == measure).all() else _fit(table, kinds, settings, learn, recent)
    parts = company_parts(table.target, table.company, seed=0, parts=FOLDS)
    unseen = {name: np.full(table.target.size, np.nan) for name in kinds}
    for part in range(FOLDS):
        inside = parts == part
        fitted = _fit(table, kinds, settings, learn & ~inside, recent)
        wanted = np.flatnonzero(inside & (learn | measure))
        for name, values in scores_of(fitted, table.rows[wanted]).items():
            unseen[name][wanted] = values
    chosen = learn if recent is None else learn & recent
    if not table.target[chosen].any():
        chosen = learn
    scores = {(name, UNSEEN_COMPANIES): values for name, values in unseen.items()}
    if whole:
        for name, values in scores_of(whole, table.rows.filter(measure)).items():
            seen = np.full(table.target.size, np.nan)
            seen[measure] = values
            scores = {(name, ALL_COMPANIES): seen} | scores
    return scores, {name: (values[chosen], table.target[chosen]) for name, values in unseen.items()}


def _fit(
    table: LabelledTable,
    kinds: Mapping[str, type[ScoringMethod]],
    settings: Mapping[str, Mapping[str, Any]],
    rows: Flags,
    recent: Flags | None,
) -> dict[str, ScoringMethod]:
    read, target, company = table.rows.filter(rows), table.target[rows], table.company[rows]
    weights = np.ones(company.size)
    fitted = fit_methods(kinds, table.features, read, target=target, weights=weights, groups=company, settings=settings)
    if recent is not None:
        follow_recent_rate(fitted, read, target=target, weights=weights, groups=company, recent=recent[rows])
    return fitted


def _figures(
    table: LabelledTable,
    values: Floats,
    choosing: tuple[Floats, Flags],
    measure: Flags,
    weights: Weights,
    *,
    probabilities: bool,
) -> Iterator[dict[str, object]]:
    """Yield the figures of one method in one reading, in the columns of `eval_figures`."""
    failed, company, scored = table.target[measure], table.company[measure], values[measure]
    ranks = _ranks(table, values, measure)
    counts = {"rows": failed.size, "failures": failed.sum(), "failing_companies": np.unique(company[failed]).size}
    yield from (_row(name, Interval(float(count))) for name, count in counts.items())
    auc, precision = ranking(ranks, failed, company, weights)
    yield _row("roc_auc", interval(auc))
    yield _row("average_precision", interval(precision))
    if probabilities:
        error, large = calibration(scored, failed, company, weights)
        yield _row("calibration_error", interval(error))
        yield _row("calibration_in_the_large", interval(large))
    thresholds = choose_thresholds(*choosing, np.zeros(choosing[1].size, dtype=bool))
    for level, figures in _LEVELS.items():
        alert = scored >= getattr(thresholds, level)
        by_name = confusion(alert, failed, company, weights)
        yield from (_row(f"{level}_{name}", interval(by_name[name])) for name in figures)
    for share in _SHARES:
        by_name = confusion(ranks >= np.quantile(ranks, 1 - share), failed, company, weights)
        yield from (_row(f"part_{share:.0%}_{name}", interval(by_name[name])) for name in ("precision", "recall"))


def _ranks(table: LabelledTable, values: Floats, rows: Flags) -> Floats:
    """Return the rank of each of some rows within its period, from 0 to 1: a list covers one period."""
    ranks = np.empty(int(rows.sum()))
    period, scored = table.period[rows], values[rows]
    for one in np.unique(period):
        ranks[period == one] = rank_share(scored[period == one])
    return ranks


def _row(name: str, figure: Interval) -> dict[str, object]:
    place = {"lecture": OUTSIDE_PROCEDURE, "dimension": OVERALL, "groupe": OVERALL, "mesure": name}
    return place | {"valeur": figure.value, "bas": figure.low, "haut": figure.high}


def _span(table: LabelledTable, part: range) -> str:
    first, last = table.periods[part[0]], table.periods[part[-1]]
    return first if first == last else f"{first} – {last}"
