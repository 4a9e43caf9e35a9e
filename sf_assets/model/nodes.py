"""The nodes of fitted trees as arrays, the same for a forest and for a boosting."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Flags, Floats


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

    def splits(self, root: int = 0) -> list[int]:
        """Return the nodes with children at or below a node, parents first."""
        found, waiting = [], [root]
        while waiting:
            node = waiting.pop()
            if self.left[node] >= 0:
                found.append(node)
                waiting += [int(self.right[node]), int(self.left[node])]
        return found

    def goes_left(self, split: int, values: npt.NDArray[Any]) -> Flags:
        """Return which of some values of the feature of a split go left."""
        threshold = self.threshold[split]
        # An unknown value is neither above a threshold nor below.
        left: Flags = ~(values > threshold) if self.default[split] == self.left[split] else values <= threshold
        return left


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
