"""Gradient boosting on histograms, with the monotonic constraints that the feature registry declares."""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from sf_assets.features.registry import BY_NAME
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.trees import Covers, covers_of, leaf_size, medians, tree_base, tree_contributions

# A histogram has 255 bins besides the one of unknown values; two bounds are needed to give zero a bin of its own.
_QUANTILES = 252
# Leaves of 300 rows were chosen on 150,000 rows, where they are a four hundredth of the rows that learn: on a few thousand
# rows the same number leaves no tree to grow.
_LEAST_LEAF, LARGEST_LEAF = 20, 300


class Bins(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Replace each value by the number of its bin; unknown values stay NaN.

    Bounds are quantiles of the known non-zero values, and zero has a bin of its own. Most companies owe nothing: with
    their zeros among the values, most bounds would be zero and all debts would share a few bins. scikit-learn counts the
    zeros, and computes weighted quantiles that take minutes (one sort per bound).

    Attributes:
        edges_: ascending bounds of each feature.
        known_: whether each feature is known in some training row; the other features are always in bin 0.

    """

    def fit(self, X: Floats, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002, N803
        """Learn the bounds from rows x features."""
        self.edges_ = [_edges(column[~np.isnan(column)]) for column in X.T]
        self.known_ = ~np.isnan(X).all(axis=0)
        return self

    def transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the bin of each value, NaN where unknown."""
        # Column by column: trees score such a matrix three times faster than one that is stored row by row.
        binned = np.zeros(X.shape, order="F")
        for i in np.flatnonzero(self.known_):
            binned[:, i] = np.searchsorted(self.edges_[i], X[:, i], side="right")
            binned[np.isnan(X[:, i]), i] = np.nan
        return binned


def _edges(known: Floats) -> Floats:
    values = known[known != 0]
    if not values.size:
        return np.empty(0)
    around_zero = [
        value / 2 for value in (values[values < 0].max(initial=-np.inf), values[values > 0].min(initial=np.inf))
    ]
    levels = np.linspace(0, 1, _QUANTILES + 1)[1:-1]
    bounds = np.append(np.quantile(values, levels, method="inverted_cdf"), around_zero)
    return np.unique(bounds[np.isfinite(bounds)])


class AllBins(HistGradientBoostingClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """The boosting of scikit-learn, with bins found on all training rows.

    Above 200,000 rows the library finds bins on a sample of rows, drawn by weight. A feature that is rarely known, and
    mostly for failures, then has few bins or none depending on the seed, and without any bin the fit fails. Values are
    already numbers of bins, at most 255, so reading all rows costs nothing (findings/sklearn_bins_of_a_rare_feature.sh).
    """

    def _bin_data(self, X: Floats, *arguments: Any, **named: Any) -> Any:  # noqa: N803
        self._bin_mapper.set_params(subsample=None)
        return super()._bin_data(X, *arguments, **named)


class BoostingMethod(CalibratedMethod):
    """Probability of failure within 18 months by gradient boosting of the log-loss; rows are not resampled.

    The raw score is the log-odds of the ensemble. At each split, unknown values go to the side with the smaller loss: they
    need no replacement. The score is monotonic in every feature whose risk the registry declares: more debt never lowers it.

    Args:
        features: names of the features, in order; by default all columns of the table.
        risks: the monotonic constraint of each feature: 1 increasing, -1 decreasing, 0 none. By default the risk that
            the registry declares, and 0 for a name that it does not hold.
        rounds: number of trees.
        leaves: largest number of leaves of a tree.
        rate: learning rate, which shrinks each tree.
        leaf_rows: smallest number of rows in a leaf; by default one row in four hundred, from 20 to 300.
        penalty: L2 regularisation of the leaves' values.
        columns: share of the features drawn for each split, from 0 to 1.
        seed: seed of the draw of companies that calibrate, and of the boosting.
        draws: how many fifths of the companies calibrate in turn, see `CalibratedMethod`.

    Attributes:
        bins_: the fitted `Bins`.
        ensemble_: the boosting fitted on bins.
        covers_: the weight of the training rows in each node of each tree; explanations start from it.
        medians_: the median of each feature among the training rows, in its own unit.

    """

    name: ClassVar[str] = "boosting"
    label: ClassVar[str] = "Gradient boosting (arbres successifs)"
    trusted: ClassVar[tuple[str, ...]] = (
        "sf_assets.model.boosting.BoostingMethod",
        "sf_assets.model.boosting.Bins",
        "sf_assets.model.boosting.AllBins",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    )

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        risks: tuple[int, ...] | None = None,
        rounds: int = 300,
        leaves: int = 4,
        rate: float = 0.03,
        leaf_rows: int | None = None,
        penalty: float = 10.0,
        columns: float = 1.0,
        seed: int = 0,
        draws: int | None = None,
    ) -> None:
        self.features = features
        self.risks = risks
        self.rounds = rounds
        self.leaves = leaves
        self.rate = rate
        self.leaf_rows = leaf_rows
        self.penalty = penalty
        self.columns = columns
        self.seed = seed
        self.draws = draws

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        risks = declared_risks(self.features_) if self.risks is None else self.risks
        self.medians_ = medians(matrix)
        self.bins_ = Bins().fit(matrix)
        binned = self.bins_.transform(matrix)
        boosting = AllBins(
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=self.rate,
            min_samples_leaf=leaf_size(self.leaf_rows, len(matrix), least=_LEAST_LEAF, most=LARGEST_LEAF),
            l2_regularization=self.penalty,
            max_features=self.columns,
            monotonic_cst=list(risks),
            # Early stopping would validate on rows of companies that also train.
            early_stopping=False,
            random_state=self.seed,
        )
        self.ensemble_ = boosting.fit(binned, target, sample_weight=weights)
        self.covers_: Covers = covers_of(self.ensemble_, binned, weights)

    def _raw(self, matrix: Floats) -> Floats:
        return np.asarray(self.ensemble_.decision_function(self.bins_.transform(matrix)))

    def _raw_contributions(self, matrix: Floats) -> Floats:
        return tree_contributions(self.ensemble_, self.bins_.transform(matrix), self.covers_)

    @property
    def _raw_base(self) -> float:
        return tree_base(self.ensemble_, self.covers_)

    @property
    def _raw_typical(self) -> Floats:
        return self.medians_

    @property
    def _least_rows(self) -> int:
        return 2 * (self.leaf_rows or _LEAST_LEAF)


def declared_risks(features: tuple[str, ...]) -> tuple[int, ...]:
    """Return the monotonic constraint of each feature by the registry: 1, -1 or 0, and 0 for a name that it does not hold.

    >>> declared_risks(("effectif_variation12m", "effectif", "inconnu"))
    (-1, 0, 0)
    """
    return tuple(BY_NAME[name].risk if name in BY_NAME else 0 for name in features)
