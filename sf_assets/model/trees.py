"""Explanations of ensembles of trees: their exact SHAP values, and the median of each feature."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Floats
from sf_assets.model.nodes import Nodes, trees_of
from sf_assets.model.shapley import add_shapley_values

# For each tree, the weight of the training rows that reach each node ("cover" in SHAP).
Covers = list[Floats]
_ROWS_PER_LEAF = 400


def covers_of(ensemble: Any, matrix: Floats, weights: Floats) -> Covers:
    """Return the weight of the rows that reach each node, tree by tree.

    An ensemble stores unweighted counts of its training rows, which hold all failures and a sample of the others. The base
    of its explanations would depend on the size of that sample; weighted rows represent the population.
    """
    trees = trees_of(ensemble)
    columns: npt.NDArray[Any] = np.asfortranarray(matrix, dtype=trees.precision)
    return [_cover(nodes, columns, weights) for nodes in trees.nodes]


def _cover(nodes: Nodes, columns: npt.NDArray[Any], weights: Floats) -> Floats:
    cover = np.zeros(nodes.left.size)
    waiting = [(0, np.arange(len(columns)))]
    while waiting:
        node, rows = waiting.pop()
        cover[node] = weights[rows].sum()
        if nodes.left[node] < 0:
            continue
        goes_left = nodes.goes_left(node, columns[rows, nodes.feature[node]])
        waiting += [(nodes.left[node], rows[goes_left]), (nodes.right[node], rows[~goes_left])]
    return cover


def tree_contributions(ensemble: Any, matrix: Floats, covers: Sequence[Floats]) -> Floats:
    """Return the exact SHAP values of the output of a fitted ensemble, rows x features (path-dependent TreeSHAP).

    A feature outside of a coalition is averaged over both children of a node, in proportion to `covers`. With `tree_base`
    the values of a row add up to its output: the mean vote of a forest, the log-odds of a boosting.
    """
    trees = trees_of(ensemble)
    columns: npt.NDArray[Any] = np.asfortranarray(matrix, dtype=trees.precision)
    parts = np.zeros(matrix.T.shape)
    for nodes, cover in zip(trees.nodes, covers, strict=True):
        add_shapley_values(parts, nodes, cover, columns)
    return parts.T


def tree_base(ensemble: Any, covers: Sequence[Floats]) -> float:
    """Return the weighted mean output over the rows from which `covers` were computed: the base value."""
    trees = trees_of(ensemble)
    leaves = zip(trees.nodes, covers, strict=True)
    return trees.offset + float(
        sum(np.average(nodes.value[nodes.left < 0], weights=cover[nodes.left < 0]) for nodes, cover in leaves)
    )


def leaf_size(wanted: int | None, rows: int, *, least: int, most: int) -> int:
    """Return the smallest number of rows in a leaf: the one wanted, or one row in four hundred, from `least` to `most`.

    >>> leaf_size(None, 120_000, least=20, most=300), leaf_size(None, 4_000, least=20, most=300)
    (300, 20)
    """
    return wanted or min(max(rows // _ROWS_PER_LEAF, least), most)


def medians(matrix: Floats) -> Floats:
    """Return the median of the known values of each column, 0 where none is known.

    >>> medians(np.array([[1.0, np.nan], [4.0, np.nan], [2.0, np.nan]])).tolist()
    [2.0, 0.0]
    """
    return np.array([np.median(known) if (known := column[~np.isnan(column)]).size else 0.0 for column in matrix.T])
