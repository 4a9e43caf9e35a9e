"""The random forest of 2024: a hundred trees, each fitted on its own sample of rows and features."""

from typing import ClassVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.trees import Covers, covers_of, leaf_size, medians, tree_base, tree_contributions

# The share of failures among the training rows of the 2024 production model, which oversampled them (rules §10.6).
FAILURE_SHARE = 0.35
# Leaves of 50 rows were chosen for trees of 20,000 rows.
_LEAST_LEAF, _LARGEST_LEAF = 5, 50


class ForestMethod(CalibratedMethod):
    """Probability of failure within 18 months by the mean vote of trees fitted on 35 % of failures.

    Each tree draws its rows by weight, with replacement, and failures weigh 35 % together: a tree sees most failures, several
    times each, as in the oversampled model of 2024. A draw of all rows alike would leave it some 2 % of failures, a few
    hundred rows. The mean vote, which is the raw score, is far above the probability; calibration corrects it. At each split,
    unknown values go to the side with the smaller loss.

    Each tree sees a fixed number of rows: the time to fit and to explain does not grow with the length of the history,
    whose months of the same company are nearly the same.

    Args:
        features: names of the features, in order; by default all columns of the table.
        trees: number of trees.
        depth: largest depth of a tree.
        tree_rows: rows drawn for each tree.
        leaf_rows: smallest number of rows in a leaf; by default one in four hundred of the rows of a tree, from 5 to 50.
        seed: seed of the draws of rows, features, and companies that calibrate.
        draws: how many fifths of the companies calibrate in turn, see `CalibratedMethod`.

    Attributes:
        ensemble_: the fitted forest.
        covers_: the weight of the training rows in each node of each tree, failures at their share of the population;
            explanations start from it.
        medians_: the median of each feature among the training rows, in its own unit.

    """

    name: ClassVar[str] = "foret"
    label: ClassVar[str] = "Forêt aléatoire (arbres qui votent)"
    trusted: ClassVar[tuple[str, ...]] = ("sf_assets.model.forest.ForestMethod", "sklearn.tree._tree.Tree")

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        trees: int = 100,
        depth: int = 9,
        tree_rows: int = 20_000,
        leaf_rows: int | None = None,
        seed: int = 0,
        draws: int | None = None,
    ) -> None:
        self.features = features
        self.trees = trees
        self.depth = depth
        self.tree_rows = tree_rows
        self.leaf_rows = leaf_rows
        self.seed = seed
        self.draws = draws

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        failing, others = weights[target].sum(), weights[~target].sum()
        factor = FAILURE_SHARE / (1 - FAILURE_SHARE) * others / failing
        self.medians_ = medians(matrix)
        tree_rows = min(self.tree_rows, len(matrix))
        self.ensemble_ = RandomForestClassifier(
            n_estimators=self.trees,
            max_depth=self.depth,
            min_samples_leaf=leaf_size(self.leaf_rows, tree_rows, least=_LEAST_LEAF, most=_LARGEST_LEAF),
            max_features="sqrt",
            max_samples=tree_rows,
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

    @property
    def _raw_typical(self) -> Floats:
        return self.medians_

    @property
    def _least_rows(self) -> int:
        return 2 * (self.leaf_rows or _LEAST_LEAF)
