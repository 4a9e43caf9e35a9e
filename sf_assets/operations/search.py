"""Search of the settings of each method, compared on later months of other companies.

The best values become the defaults of the methods, in the code; no month runs the search.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from sf_assets.engine.storage import Warehouse
from sf_assets.evaluation.origins import fold_of
from sf_assets.features.configurations import IN_USE, IN_USE_OF
from sf_assets.features.tables import matrix_of
from sf_assets.model.assets import rules_of
from sf_assets.model.learning import usable_months
from sf_assets.model.matrix import Flags
from sf_assets.model.methods import method_named, score
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


def search(
    rows: pl.DataFrame,
    name: str,
    settings: Sequence[Setting],
    rules: SplitRules,
    features: tuple[str, ...] = IN_USE,
) -> pl.DataFrame:
    """Return one row per setting, the best first: `setting`, `average_precision`, `spread` over folds, `seconds`.

    `rows` are learning rows of companies in no procedure, with `siren`, `periode`, `target`, `weight` and the features.
    """
    parts = list(folds(rows["periode"], rows["siren"], rules))
    rows_of_settings = []
    for setting in settings:
        started = time.process_time()
        precisions = [_average_precision(rows, name, setting, fold, features) for fold in parts]
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


def _average_precision(rows: pl.DataFrame, name: str, setting: Setting, fold: Fold, features: tuple[str, ...]) -> float:
    learn, measure = rows.filter(fold.learn), rows.filter(fold.measure)
    method = method_named(name)(features, **setting).fit(
        learn, *(learn[column].to_numpy() for column in ("target", "weight", "siren"))
    )
    return float(
        average_precision_score(
            measure["target"].to_numpy(), score(method, measure), sample_weight=measure["weight"].to_numpy()
        )
    )


def results(
    warehouse: Warehouse, month: date, parameters: Parameters, *, methods: Sequence[str] = (), at_most: int
) -> Iterator[str]:
    """Yield one line per setting of each method, for the models of a month, on about `at_most` rows.

    Months on which the models are measured, and later ones, are not used.

    Raises:
        UserError: a method has no candidates, or the month has too little history.

    """
    if unknown := sorted(set(methods) - set(CANDIDATES)):
        raise UserError(f"method: expected one of {', '.join(CANDIDATES)}, found {', '.join(unknown)}")
    rules = rules_of(parameters)
    rows = _rows(warehouse, month, parameters, rules, at_most=at_most)
    for name in methods or CANDIDATES:
        for line in search(rows, name, CANDIDATES[name], rules, IN_USE_OF[parameters.mode]).iter_rows():
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
