"""The random forest of 2024: a hundred deep trees that vote, each on its own draw of rows and features."""

from typing import ClassVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from sf_assets.features.configurations import IN_USE
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.trees import Covers, covers_of, medians, tree_base, tree_contributions

# The share that the production model of 2024 gave to failures, by drawing them several times (rules §10.6).
FAILURE_SHARE = 0.35


class ForestMethod(CalibratedMethod):
    """P(failure within 18 months) by the mean vote of trees that see failures as one row in three.

    Failures are weighted instead of drawn several times: the same trees on average, without copies. The votes are then
    far from probabilities; the calibration brings them back. An unknown value takes the side of a split on which it
    does best.

    `features` are the features of a row, in order. `trees` trees of `depth` levels see each a draw of `tree_rows` rows
    and, at each split, of the square root of the features; a leaf holds `leaf_rows` rows at least. Neither the time to
    learn nor the time to explain grows with the history then: months of the same company add little. `seed` draws them,
    and the companies that calibrate. `ensemble_` is the fitted forest, `typical_` the median of each feature among the
    rows it learned from, and `covers_` their weights at each node, failures at their share of the population: explanations
    start from there. The raw score is the mean vote.
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
        # Votes counted by two threads are added up in any order, and the last decimals of a score with them.
        self.ensemble_.n_jobs = 1
        self.covers_: Covers = covers_of(self.ensemble_, matrix, weights)

    def _raw(self, matrix: Floats) -> Floats:
        return np.asarray(self.ensemble_.predict_proba(matrix)[:, 1])

    def _raw_contributions(self, matrix: Floats) -> Floats:
        return tree_contributions(self.ensemble_, matrix, self.covers_)

    @property
    def _raw_base(self) -> float:
        return tree_base(self.ensemble_, self.covers_)
