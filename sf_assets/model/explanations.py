"""Why a score is what it is: per feature (micro), per theme (macro), and rescaled for the waterfall chart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sf_assets.features.registry import BY_NAME, THEMES
from sf_assets.model.matrix import Floats


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Bars in percent of risk: `macro` rows x themes, `micro` rows x features; NaN where a row has no such reading.

    The features of a theme add up to its bar, the themes to 100 x score.
    """

    macro: Floats
    micro: Floats


def by_theme(micro: Floats, features: Sequence[str]) -> Floats:
    """Return the sum of contributions of each theme, rows x themes, in the order of `THEMES`.

    Raises `ValueError` for a feature that belongs to no theme.
    """
    unknown = [name for name in features if name not in BY_NAME]
    if unknown:
        raise ValueError(f"explanations: expected declared features, found {', '.join(unknown)}")
    order = list(THEMES)
    themes = np.array([order.index(BY_NAME[name].theme) for name in features])
    return np.column_stack([micro[:, themes == i].sum(axis=1) for i in range(len(order))])


def waterfall(micro: Floats, score: Floats, features: Sequence[str]) -> Waterfall:
    """Share the whole score out among themes and features, in proportion to their contributions.

    Every bar of a row is its contribution x 100 score / sum of contributions: the base value is absorbed. A row whose
    contributions do not push the risk up as a whole has no such reading: a zero sum divides by zero, a negative one
    would turn every bar round.
    """
    macro = by_theme(micro, features)
    total = macro.sum(axis=1)
    factor = np.full(len(total), np.nan)
    np.divide(100 * score, total, out=factor, where=total > 0)
    return Waterfall(macro=macro * factor[:, np.newaxis], micro=micro * factor[:, np.newaxis])
