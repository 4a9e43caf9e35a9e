"""Explanations of ensembles of trees: their exact SHAP values, and the median of each feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Floats

# For each tree, the weight of the training rows that reach each node ("cover" in SHAP).
Covers = list[Floats]
_ROWS_PER_LEAF = 400


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of one fitted tree as arrays, one element per node.

    Attributes:
        left, right: the child nodes, -1 in a leaf.
        default: the child of rows whose value is unknown.
        feature, threshold: rows whose value of the feature is at most the threshold go left.
        value: the value that a leaf adds to the output of the ensemble.

    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    default: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Floats
    value: Floats


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of a fitted ensemble: its output is `offset` plus the value of one leaf of each tree.

    `precision` is the type in which the ensemble compares values with thresholds.
    """

    nodes: tuple[Nodes, ...]
    offset: float
    precision: type


def trees_of(ensemble: Any) -> Trees:
    """Return the trees of a fitted forest, whose output is the mean vote, or of a boosting, whose output is log-odds."""
    if hasattr(ensemble, "estimators_"):
        return Trees(
            tuple(_of_forest(one.tree_, len(ensemble.estimators_)) for one in ensemble.estimators_), 0.0, np.float32
        )
    offset = float(np.ravel(ensemble._baseline_prediction)[0])
    return Trees(tuple(_of_boosting(one[0].nodes) for one in ensemble._predictors), offset, np.float64)


def _of_forest(tree: Any, trees: int) -> Nodes:
    left, right = tree.children_left.astype(np.int32), tree.children_right.astype(np.int32)
    return Nodes(
        left,
        right,
        np.where(tree.missing_go_to_left, left, right).astype(np.int32),
        tree.feature.astype(np.int32),
        tree.threshold.astype(np.float64),
        tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) / trees,
    )


def _of_boosting(nodes: Any) -> Nodes:
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int32)) for side in ("left", "right"))
    return Nodes(
        left,
        right,
        np.where(nodes["missing_go_to_left"].astype(bool), left, right),
        np.where(leaf, -2, nodes["feature_idx"].astype(np.int32)),
        nodes["num_threshold"].astype(np.float64),
        nodes["value"].astype(np.float64),
    )


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
        values, threshold = columns[:, nodes.feature[node]], nodes.threshold[node]
        # An unknown value is neither above a threshold nor below.
        unknown_left = nodes.default[node] == nodes.left[node]
        goes_left = ~(values > threshold) if unknown_left else values <= threshold
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
    explainer = _explainer(ensemble, covers)
    values = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=np.float64)
    return values[:, :, 0] if values.ndim == 3 else values  # noqa: PLR2004 - rows, features, outputs


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


def _explainer(ensemble: Any, covers: Sequence[Floats]) -> Any:
    # Importing shap takes seconds of compilation, and only explanations need it.
    import shap  # noqa: PLC0415

    trees = trees_of(ensemble)
    described = {
        "trees": [
            {
                "children_left": nodes.left,
                "children_right": nodes.right,
                "children_default": nodes.default,
                "features": nodes.feature,
                "thresholds": nodes.threshold,
                "values": nodes.value[:, np.newaxis],
                "node_sample_weight": cover,
            }
            for nodes, cover in zip(trees.nodes, covers, strict=True)
        ],
        "base_offset": trees.offset,
        "input_dtype": trees.precision,
    }
    return shap.TreeExplainer(described, feature_perturbation="tree_path_dependent")
