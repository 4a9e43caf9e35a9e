"""Search of the settings of each method, compared on later months of other companies.

The best values become the defaults of the methods, in the code; no month runs the search.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from sf_assets.engine.storage import Warehouse
from sf_assets.evaluation.labelled_table import read_table
from sf_assets.evaluation.origins import fold_of
from sf_assets.features.configurations import IN_USE, IN_USE_OF
from sf_assets.features.tables import matrix_of
from sf_assets.model.assets import rules_of
from sf_assets.model.calibration import company_parts
from sf_assets.model.columns import LABELLED, Names
from sf_assets.model.learning import usable_months
from sf_assets.model.matrix import Flags
from sf_assets.model.methods import ScoringMethod, method_named, score
from sf_assets.model.rows import sample_rows
from sf_assets.model.splits import InsufficientHistory, SplitRules, plan_split
from sf_assets.model.tables import TARGET
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.parameters import Parameters

Setting = Mapping[str, Any]

# A few settings that differ in the size of trees, their number, and the strength of regularisation. The forest of 2024
# had a hundred trees of depth nine.
CANDIDATES: Mapping[str, tuple[Setting, ...]] = {
    "logistique": ({"C": 0.001}, {"C": 0.01}, {"C": 0.1}),
    "foret": (
        {"tree_rows": 20_000, "leaf_rows": 50},
        {"tree_rows": 20_000, "leaf_rows": 30},
        {"tree_rows": 20_000, "leaf_rows": 100},
        {"tree_rows": 20_000, "leaf_rows": 300},
        {"tree_rows": 10_000, "leaf_rows": 100},
    ),
    "boosting": (
        {"rounds": 300, "rate": 0.03, "leaves": 4},
        {"rounds": 200, "rate": 0.03, "leaves": 6},
        {"rounds": 150, "rate": 0.05, "leaves": 15},
        {"rounds": 200, "rate": 0.05, "leaves": 6, "penalty": 10.0},
        {"rounds": 200, "rate": 0.05, "leaves": 6, "penalty": 100.0},
        {"rounds": 200, "rate": 0.05, "leaves": 6, "leaf_rows": 1000},
    ),
}
_WINDOWS = 3
_WINDOW_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Fold:
    """The rows to learn from and the rows to measure on: later months, other companies."""

    learn: Flags
    measure: Flags


def folds(periods: pl.Series, companies: pl.Series, rules: SplitRules) -> Iterator[Fold]:
    """Yield one fold for each of the last three half-years of `periods`, the earliest first.

    Each fold measures on a different third of the companies; the other companies learn from the months whose label was
    known when the half-year began. Raises `ValueError` when there is no such month.
    """
    months = periods.unique().sort().to_list()
    part = fold_of(companies, folds=_WINDOWS)
    for window in range(_WINDOWS):
        end = len(months) - (_WINDOWS - 1 - window) * _WINDOW_MONTHS
        measured = months[max(end - _WINDOW_MONTHS, 0) : max(end, 0)]
        known = [m for m in months if measured and rules.label_known(m) <= rules.cutoff(measured[0])]
        if not known:
            raise ValueError(
                f"search: expected months known before the last {_WINDOWS} half-years, found {len(months)}"
            )
        yield Fold(
            learn=periods.is_in(known).to_numpy() & (part != window),
            measure=periods.is_in(measured).to_numpy() & (part == window),
        )


def table_folds(rows: pl.DataFrame, names: Names, *, gap: int = 0) -> Iterator[Fold]:
    """Yield one fold for each of the last three periods of a table of anyone, the earliest first.

    Each fold measures on a different third of the companies; the others learn from the periods before, `gap` left out. In a
    table of one period the three folds differ by their companies only.

    Raises:
        ValueError: too few periods, or too few companies fail or not.

    """
    outcome, period = names.outcome(rows), names.periods(rows)
    part = company_parts(outcome["target"], outcome["groups"], seed=0, parts=_WINDOWS)
    periods = period.unique().sort().to_list()
    if len(periods) == 1:
        yield from (Fold(learn=part != window, measure=part == window) for window in range(_WINDOWS))
        return
    if len(periods) < _WINDOWS + gap + 1:
        raise ValueError(
            f"{names.period}: expected {_WINDOWS + gap + 1} periods at least, found {len(periods)} with a gap of {gap}"
        )
    for window, measured in enumerate(periods[-_WINDOWS:]):
        known = periods[: periods.index(measured) - gap]
        yield Fold(
            learn=period.is_in(known).to_numpy() & (part != window),
            measure=(period == measured).to_numpy() & (part == window),
        )


def search(
    rows: pl.DataFrame,
    name: str,
    settings: Sequence[Setting],
    parts: Sequence[Fold],
    *,
    names: Names = LABELLED,
    features: tuple[str, ...] = IN_USE,
) -> pl.DataFrame:
    """Return one row per setting, the best first: `setting`, `average_precision`, `spread` over folds, `seconds`.

    Args:
        rows: learning rows of companies in no procedure.
        name: the method.
        settings: its settings, as parameters.
        parts: the rows of each fold.
        names: the columns of the rows.
        features: names of the features, in order.

    """
    rows_of_settings = []
    for setting in settings:
        started = time.process_time()
        precisions = [
            _average_precision(rows, method_named(name)(features, **setting), fold, names)
            for fold in parts
            if names.outcome(rows)["target"][fold.measure].any()
        ]
        rows_of_settings.append(
            {
                "methode": name,
                "setting": ", ".join(f"{key}={value}" for key, value in setting.items()),
                "average_precision": float(np.mean(precisions)),
                "spread": float(np.std(precisions)),
                "seconds": time.process_time() - started,
            }
        )
    return pl.DataFrame(rows_of_settings).sort("average_precision", descending=True)


def _average_precision(rows: pl.DataFrame, method: ScoringMethod, fold: Fold, names: Names) -> float:
    learn, measure = (names.outcome(rows.filter(those)) for those in (fold.learn, fold.measure))
    method.fit(learn["rows"], learn["target"], learn["weights"], learn["groups"])
    return float(
        average_precision_score(measure["target"], score(method, measure["rows"]), sample_weight=measure["weights"])
    )


def results(
    warehouse: Warehouse, month: date, parameters: Parameters, *, methods: Sequence[str] = (), at_most: int
) -> Iterator[str]:
    """Yield one line per setting of each method, for the models of a month, on about `at_most` rows.

    Months on which the models are measured, and later ones, are not used.

    Raises:
        UserError: a method has no candidates, or the month has too little history.

    """
    wanted = _known(methods)
    rules = rules_of(parameters)
    rows = _rows(warehouse, month, parameters, rules, at_most=at_most)
    parts = list(folds(rows["periode"], rows["siren"], rules))
    for name in wanted:
        yield from _lines(search(rows, name, CANDIDATES[name], parts, features=IN_USE_OF[parameters.mode]))


def table_results(
    path: Path,
    names: Names,
    *,
    features: Sequence[str] = (),
    ratios: bool = False,
    gap: int = 0,
    methods: Sequence[str] = (),
) -> Iterator[str]:
    """Yield one line per setting of each method on a table of anyone, which has `names`; see `read_table` and `table_folds`.

    Raises:
        UserError: a method has no candidates, or the table cannot be learned from.

    """
    wanted = _known(methods)
    table = read_table(path, names, features, with_ratios=ratios)
    keys = {names.group: table.company, names.target: table.target, names.period: table.period}
    rows = table.rows.with_columns(pl.Series(name, values) for name, values in keys.items() if name)
    try:
        parts = list(table_folds(rows, names, gap=gap))
        for name in wanted:
            yield from _lines(search(rows, name, CANDIDATES[name], parts, names=names, features=table.features))
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _known(methods: Sequence[str]) -> Sequence[str]:
    if unknown := sorted(set(methods) - set(CANDIDATES)):
        raise UserError(f"method: expected one of {', '.join(CANDIDATES)}, found {', '.join(unknown)}")
    return methods or tuple(CANDIDATES)


def _lines(found: pl.DataFrame) -> Iterator[str]:
    for line in found.iter_rows():
        yield "{:<12}{:<45} AP {:.4f} ± {:.4f}  {:6.1f} s".format(*line)


def _rows(
    warehouse: Warehouse, month: date, parameters: Parameters, rules: SplitRules, *, at_most: int
) -> pl.DataFrame:
    with warehouse.session() as session:
        usable = usable_months(session, month, parameters)
        session.bind({TARGET: month})
        session.bind_months([matrix_of(parameters.mode)], usable)
        with session.reading():
            failures = session.connection.execute(
                "select siren, periode from model_target where target and not en_procedure"
            ).pl()
            plan = plan_split(month, usable, failures, rules)
            if isinstance(plan, InsufficientHistory):
                raise UserError(f"search: {plan.statement}")
            known = tuple(m for m in plan.final_training if m <= plan.validation[-1])
            return sample_rows(session, known, at_most=at_most).filter(~pl.col("en_procedure"))
