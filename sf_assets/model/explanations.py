"""Explanations of scores: contributions by feature (micro), by theme (macro), and rescaled for the waterfall chart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sf_assets.features.registry import BY_NAME, THEMES
from sf_assets.model.matrix import Floats


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars of the waterfall chart, in percent of risk: the bars of a row add up to 100 x its score.

    Attributes:
        macro: rows x themes.
        micro: rows x features; the bars of the features of a theme add up to the bar of the theme.

    Both are NaN for a row whose contributions do not add up to more than 0.

    """

    macro: Floats
    micro: Floats


def by_theme(micro: Floats, features: Sequence[str]) -> Floats:
    """Return the sum of contributions of each theme, rows x themes, in the order of `THEMES`.

    Raises:
        ValueError: a feature is not in the registry, and has no theme.

    """
    unknown = [name for name in features if name not in BY_NAME]
    if unknown:
        raise ValueError(f"explanations: expected declared features, found {', '.join(unknown)}")
    order = list(THEMES)
    themes = np.array([order.index(BY_NAME[name].theme) for name in features])
    return np.column_stack([micro[:, themes == i].sum(axis=1) for i in range(len(order))])


def waterfall(micro: Floats, score: Floats, features: Sequence[str]) -> Waterfall:
    """Distribute each score among themes and features, in proportion to their contributions.

    A bar is the contribution x 100 score / sum of the row's contributions: the base value is distributed too. A row whose
    contributions add up to 0 or less has NaN: a zero sum divides by zero, a negative one would reverse every bar.
    """
    macro = by_theme(micro, features)
    total = macro.sum(axis=1)
    factor = np.full(len(total), np.nan)
    np.divide(100 * score, total, out=factor, where=total > 0)
    return Waterfall(macro=macro * factor[:, np.newaxis], micro=micro * factor[:, np.newaxis])
