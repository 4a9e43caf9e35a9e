"""The random forest of 2024: a hundred trees, each fitted on its own sample of rows and features."""

from typing import ClassVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from sf_assets.features.configurations import IN_USE
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.trees import Covers, covers_of, medians, tree_base, tree_contributions

# The share of failures among the training rows of the 2024 production model, which oversampled them (rules §10.6).
FAILURE_SHARE = 0.35


class ForestMethod(CalibratedMethod):
    """Probability of failure within 18 months by the mean vote of trees fitted on 35 % of failures.

    Failures are weighted up to 35 % instead of oversampled: the same trees on average, without copies of rows. The mean
    vote, which is the raw score, is then far above the probability; calibration corrects it. At each split, unknown values
    go to the side with the smaller loss.

    Each tree sees a fixed number of rows: the time to fit and to explain does not grow with the length of the history,
    whose months of the same company are nearly the same.

    Args:
        features: names of the features, in order.
        trees: number of trees.
        depth: largest depth of a tree.
        tree_rows: rows drawn for each tree.
        leaf_rows: smallest number of rows in a leaf.
        seed: seed of the draws of rows, features, and companies that calibrate.

    Attributes:
        ensemble_: the fitted forest.
        covers_: the weight of the training rows in each node of each tree, failures at their share of the population;
            explanations start from it.
        typical_: the median of each feature among the training rows, in its own unit.

    """

    name: ClassVar[str] = "foret"
    label: ClassVar[str] = "Forêt aléatoire (arbres qui votent)"
    trusted: ClassVar[tuple[str, ...]] = ("sf_assets.model.forest.ForestMethod", "sklearn.tree._tree.Tree")

    def __init__(
        self,
        features: tuple[str, ...] = IN_USE,
        *,
        trees: int = 100,
        depth: int = 9,
        tree_rows: int = 20_000,
        leaf_rows: int = 50,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.trees = trees
        self.depth = depth
        self.tree_rows = tree_rows
        self.leaf_rows = leaf_rows
        self.seed = seed

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        failing, others = weights[target].sum(), weights[~target].sum()
        factor = FAILURE_SHARE / (1 - FAILURE_SHARE) * others / failing
        self.typical_ = medians(matrix)
        self.ensemble_ = RandomForestClassifier(
            n_estimators=self.trees,
            max_depth=self.depth,
            min_samples_leaf=self.leaf_rows,
            max_features="sqrt",
            max_samples=min(self.tree_rows, len(matrix)),
            n_jobs=2,
            random_state=self.seed,
        ).fit(matrix, target, sample_weight=np.where(target, factor * weights, weights))
        # Two threads add up the votes in any order, which changes the last decimals of a score.
        self.ensemble_.n_jobs = 1
        self.covers_: Covers = covers_of(self.ensemble_, matrix, weights)

    def _raw(self, matrix: Floats) -> Floats:
        return np.asarray(self.ensemble_.predict_proba(matrix)[:, 1])

    def _raw_contributions(self, matrix: Floats) -> Floats:
        return tree_contributions(self.ensemble_, matrix, self.covers_)

    @property
    def _raw_base(self) -> float:
        return tree_base(self.ensemble_, self.covers_)
