"""Settings of the boosting for a table: a few fixed ones, compared by their log-loss on later periods of other companies.

The first was chosen on 150,000 rows of France. On the tables of a few thousand rows that others have, deeper trees and
features drawn at each split may do better; six settings are few enough not to be chosen by luck.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import xlogy
from threadpoolctl import threadpool_limits

from sf_assets.model.boosting import LARGEST_LEAF, BoostingMethod
from sf_assets.model.calibration import company_parts
from sf_assets.model.evaluation import ChosenSetting, Comparison
from sf_assets.model.matrix import Flags, Floats, as_weights
from sf_assets.model.methods import score

Setting = Mapping[str, Any]

_TREES: tuple[Setting, ...] = ({}, {"leaves": 8, "leaf_rows": 50}, {"leaves": 15, "leaf_rows": 20})
SETTINGS: tuple[Setting, ...] = (*_TREES, *({**trees, "columns": 1 / 3} for trees in _TREES))
_FOLDS = 3
# More rows take minutes. Failures say most: a quarter of the rows compared, where there are as many.
_MOST_ROWS, _FAILURE_SHARE = 20_000, 0.25
# With fewer failing companies than this, each fold measures a handful of them.
_FEWEST_FAILING = 12


def choose_setting(
    features: tuple[str, ...],
    rows: pl.DataFrame,
    *,
    target: Flags,
    groups: npt.NDArray[Any],
    weights: npt.ArrayLike | None = None,
    recent: Flags | None,
    settings: tuple[Setting, ...] = SETTINGS,
    margin: float = 0.0,
    at_most: int = _MOST_ROWS,
) -> ChosenSetting:
    """Return the setting of the least log-loss on later periods of other companies.

    Each fold measures the recent rows of a third of the companies, by a method that learned from the earlier rows of the two
    other thirds: later periods of other companies. Large tables are compared on a sample of rows, and the rows of a leaf are
    then as many times more as the table has more rows than the sample.

    Args:
        features: names of the features, in order.
        rows: the table to learn from.
        target: whether each row failed.
        groups: the company of each row.
        weights: the weight of each row, 1 by default.
        recent: which rows are of the newest periods; None for a table of one period, whose rows all measure.
        settings: the settings to compare, as parameters of the boosting. One that needs more rows than a fold has is left out.
        margin: by how many standard errors another setting must be better than the first to take its place.
        at_most: about how many rows are compared.

    Raises:
        ValueError: too few companies fail or not to learn at all, or too few rows for any setting.

    """
    parts = company_parts(target, groups, seed=0, parts=_FOLDS)
    sampled, thinned = _sample(target, as_weights(weights, target.size), at_most)
    measured = sampled & (True if recent is None else recent)
    learned = sampled & (True if recent is None else ~recent)
    folds = [(learned & (parts != part), measured & (parts == part)) for part in range(_FOLDS)]
    if any(np.unique(groups[learn & target]).size < _FEWEST_FAILING for learn, _ in folds):
        return ChosenSetting(settings[0])
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        losses = list(
            pool.map(
                lambda setting: _losses(features, rows, setting, folds, target=target, groups=groups, weights=thinned),
                settings,
            )
        )
    known = [(setting, loss) for setting, loss in zip(settings, losses, strict=True) if isinstance(loss, np.ndarray)]
    if not known:
        raise next(loss for loss in losses if isinstance(loss, ValueError))
    reference = known[0][1]
    compared = [
        Comparison(
            setting,
            float(np.average(loss[measured], weights=thinned[measured])),
            *_mean_of_companies(loss[measured] - reference[measured], thinned[measured], groups[measured]),
        )
        for setting, loss in known
    ]
    best = min(compared, key=lambda one: one.log_loss)
    chosen = best if best.difference < -margin * best.error else compared[0]
    # The sort is stable: equal losses keep the setting that comes first.
    ordered = tuple(sorted(compared, key=lambda one: one.log_loss))
    return ChosenSetting(_for_rows(chosen.setting, target.size / sampled.sum()), ordered)


def _sample(target: Flags, weights: Floats, at_most: int) -> tuple[Flags, Floats]:
    """Return which rows are compared, and the weight of each: a sampled row stands for those left out."""
    rng = np.random.default_rng(0)
    counted = weights > 0
    failing, others = (int((those & counted).sum()) for those in (target, ~target))
    wanted = np.where(
        target, _FAILURE_SHARE * at_most / max(failing, 1), (1 - _FAILURE_SHARE) * at_most / max(others, 1)
    )
    share = np.minimum(wanted, 1)
    return counted & (rng.random(target.size) < share), weights / share


def _losses(
    features: tuple[str, ...],
    rows: pl.DataFrame,
    setting: Setting,
    folds: list[tuple[Flags, Flags]],
    *,
    target: Flags,
    groups: npt.NDArray[Any],
    weights: Floats,
) -> Floats | ValueError:
    """Return the log-loss of each row that a fold measures, NaN for the others; the refusal of a table too small for it."""
    losses = np.full(target.size, np.nan)
    for learn, measure in folds:
        method = BoostingMethod(features, draws=1, **setting)
        try:
            method.fit(rows.filter(learn), target[learn], weights[learn], groups[learn])
        except ValueError as error:
            return error
        probability = score(method, rows.filter(measure))
        failed = target[measure]
        losses[measure] = -xlogy(failed, probability) - xlogy(~failed, 1 - probability)
    return losses


def _mean_of_companies(values: Floats, weights: Floats, groups: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the weighted mean of some rows and its standard error by company."""
    mean = float(np.average(values, weights=weights))
    _, company = np.unique(groups, return_inverse=True)
    residuals = np.bincount(company, weights=weights * (values - mean))
    return mean, float(np.sqrt(residuals @ residuals) / weights.sum())


def _for_rows(setting: Setting, times: float) -> Setting:
    """Return a setting for a table of so many times more rows than it was compared on.

    >>> _for_rows({"leaves": 15, "leaf_rows": 20}, 3.0), _for_rows({"leaves": 8, "leaf_rows": 50}, 10.0)
    ({'leaves': 15, 'leaf_rows': 60}, {'leaves': 8, 'leaf_rows': 300})
    """
    if "leaf_rows" not in setting:
        return setting
    return {**setting, "leaf_rows": min(round(setting["leaf_rows"] * times), LARGEST_LEAF)}
