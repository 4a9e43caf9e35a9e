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
    nodes = trees_of(ensemble).nodes
    if hasattr(ensemble, "estimators_"):
        rows: npt.NDArray[Any] = np.ascontiguousarray(matrix, dtype=np.float32)
        leaves = (one.tree_.apply(rows) for one in ensemble.estimators_)
    else:
        columns: npt.NDArray[Any] = np.asfortranarray(matrix, dtype=np.float64)
        leaves = (_leaves(one, columns) for one in nodes)
    return [_cover(one, leaf, weights) for one, leaf in zip(nodes, leaves, strict=True)]


def _leaves(nodes: Nodes, columns: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return the leaf that each row reaches. A tree has few leaves: each split is computed on all rows, which is a vector."""
    leaves = np.zeros(len(columns), dtype=np.intp)
    waiting = [(0, np.ones(len(columns), dtype=bool))]
    while waiting:
        node, reached = waiting.pop()
        if nodes.left[node] < 0:
            leaves[reached] = node
            continue
        goes_left = nodes.goes_left(node, columns[:, nodes.feature[node]])
        waiting += [(nodes.left[node], reached & goes_left), (nodes.right[node], reached & ~goes_left)]
    return leaves


def _cover(nodes: Nodes, leaves: npt.NDArray[np.intp], weights: Floats) -> Floats:
    cover = np.bincount(leaves, weights=weights, minlength=nodes.left.size).astype(np.float64)
    # A tree stores children after their parent.
    for node in np.flatnonzero(nodes.left >= 0)[::-1]:
        cover[node] = cover[nodes.left[node]] + cover[nodes.right[node]]
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
