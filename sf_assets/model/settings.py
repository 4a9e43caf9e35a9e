"""Settings of the boosting for a table: a few fixed ones, compared by their log-loss on later periods of other companies.

The list of France has the first, chosen on 150,000 rows of it. On the tables of a few thousand rows that others have, deeper
trees and features drawn at each split may do better; six settings are few enough not to be chosen by luck.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import log_loss

from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.calibration import company_parts
from sf_assets.model.matrix import Flags
from sf_assets.model.methods import score

Setting = Mapping[str, Any]

_TREES: tuple[Setting, ...] = ({}, {"leaves": 8, "leaf_rows": 50}, {"leaves": 15, "leaf_rows": 20})
SETTINGS: tuple[Setting, ...] = (*_TREES, *({**trees, "columns": 1 / 3} for trees in _TREES))
_FOLDS = 3
# More rows take minutes, and where rows are many the settings differ little.
_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """A setting with its mean log-loss over the folds."""

    setting: Setting
    log_loss: float


def compare_settings(
    features: tuple[str, ...],
    rows: pl.DataFrame,
    *,
    target: Flags,
    groups: npt.NDArray[np.intp],
    recent: Flags | None,
    settings: tuple[Setting, ...] = SETTINGS,
) -> tuple[Comparison, ...]:
    """Return the settings of the boosting with their log-loss, the best first.

    Each fold measures the recent rows of a third of the companies, by a method that learned from the earlier rows of the two
    other thirds: later periods of other companies.

    Args:
        features: names of the features, in order.
        rows: the table to learn from.
        target: whether each row failed.
        groups: the company of each row, as a number.
        recent: which rows are of the newest periods; None for a table of one period, whose rows all measure.
        settings: the settings to compare, as parameters of the boosting.

    Raises:
        ValueError: too few companies fail or not in a fold.

    """
    parts = company_parts(target, groups, seed=0, parts=_FOLDS)
    names = np.unique(groups)
    kept = np.random.default_rng(0).permutation(names.size) < max(names.size * _MOST_ROWS // len(target), 1)
    among = np.isin(groups, names[kept])
    compared = []
    for setting in settings:
        losses = []
        for part in range(_FOLDS):
            inside = parts == part
            learn = among & ~inside & (True if recent is None else ~recent)
            measure = among & inside & (True if recent is None else recent)
            method = BoostingMethod(features, draws=1, **setting).fit(
                rows.filter(learn), target[learn], groups=groups[learn]
            )
            losses.append(log_loss(target[measure], score(method, rows.filter(measure)), labels=[False, True]))
        compared.append(Comparison(setting, float(np.mean(losses))))
    # The sort is stable: equal losses keep the setting that comes first.
    return tuple(sorted(compared, key=lambda one: one.log_loss))
