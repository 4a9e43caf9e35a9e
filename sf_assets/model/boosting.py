"""Histogram gradient boosting: small trees one after the other, on the side economics expects."""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from sf_assets.features.configurations import IN_USE
from sf_assets.features.registry import BY_NAME
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.trees import Covers, covers_of, medians, tree_base, tree_contributions

# A histogram has 255 bins besides the unknown; two bounds tell zero from the rest.
_QUANTILES = 252


class Bins(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Replace each value by the number of its bin, unknown kept unknown: all that histograms need of it.

    The bounds are quantiles of the known non-zero values, and zero has a bin of its own: with the zeros of the companies
    that owe nothing, most bounds would be zero, and debts would share a few bins. scikit-learn would count them among
    the rest, and by weighted quantiles that take minutes (one sort per bound).

    `edges_` holds the ascending bounds of each feature; `known_` tells the features known in some row: the others are
    in bin 0 for ever.
    """

    def fit(self, X: Floats, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002, N803
        """Learn the bounds."""
        self.edges_ = [_edges(column[~np.isnan(column)]) for column in X.T]
        self.known_ = ~np.isnan(X).all(axis=0)
        return self

    def transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the bin of each value, NaN where unknown."""
        binned = np.zeros_like(X)
        for i in np.flatnonzero(self.known_):
            binned[:, i] = np.searchsorted(self.edges_[i], X[:, i], side="right")
        return np.where(np.isnan(X) & self.known_, np.nan, binned)


def _edges(known: Floats) -> Floats:
    sizes = known[known != 0]
    if not sizes.size:
        return np.empty(0)
    around_zero = [part / 2 for part in (sizes[sizes < 0].max(initial=-np.inf), sizes[sizes > 0].min(initial=np.inf))]
    levels = np.linspace(0, 1, _QUANTILES + 1)[1:-1]
    bounds = np.append(np.quantile(sizes, levels, method="inverted_cdf"), around_zero)
    return np.unique(bounds[np.isfinite(bounds)])


class AllBins(HistGradientBoostingClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """The boosting of scikit-learn, whose histograms know every bin of the rows it learns from.

    Above 200,000 rows the library looks for bins in a draw of rows by weight: a feature that is seldom known, and among
    failures above all, has a few of its bins in the draw or none, by the seed, and without any it cannot be fitted.
    Values are bins already, 255 at the most: there is nothing to spare.
    """

    def _bin_data(self, X: Floats, *arguments: Any, **named: Any) -> Any:  # noqa: N803
        self._bin_mapper.set_params(subsample=None)
        return super()._bin_data(X, *arguments, **named)


class BoostingMethod(CalibratedMethod):
    """P(failure within 18 months) by gradient boosting of log-loss on histograms; rows are not resampled.

    An unknown value takes the side of a split on which it does best: it needs no replacement. A feature whose risk the
    registry declares never pushes the other way, whatever the rows say: more debt never lowers the score.

    `features` are the features of a row, in order; `risks` the side of each (1 up, -1 down, 0 both), by default the one
    the registry declares, and both for a name it does not know. `rounds` trees of `leaves` leaves are added up, each
    shrunk by `rate`; a leaf holds `leaf_rows` rows at least, and `penalty` (L2) draws its value to zero. `seed` draws
    the companies that calibrate. `bins_` brings values to bins, `ensemble_` is the boosting fitted on them, and its
    log-odds are the raw score; `covers_` are the weights of the rows it learned from at each node, from which explanations
    start, and `typical_` the median of each feature among them.
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
        features: tuple[str, ...] = IN_USE,
        *,
        risks: tuple[int, ...] | None = None,
        rounds: int = 300,
        leaves: int = 4,
        rate: float = 0.03,
        leaf_rows: int = 300,
        penalty: float = 10.0,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.risks = risks
        self.rounds = rounds
        self.leaves = leaves
        self.rate = rate
        self.leaf_rows = leaf_rows
        self.penalty = penalty
        self.seed = seed

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        risks = declared_risks(self.features) if self.risks is None else self.risks
        self.typical_ = medians(matrix)
        self.bins_ = Bins().fit(matrix)
        binned = self.bins_.transform(matrix)
        boosting = AllBins(
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=self.rate,
            min_samples_leaf=self.leaf_rows,
            l2_regularization=self.penalty,
            monotonic_cst=list(risks),
            # Rows drawn to stop early would share their companies with those that learn.
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


def declared_risks(features: tuple[str, ...]) -> tuple[int, ...]:
    """Return the side on which the registry expects the risk of each feature, 0 for a name it does not know.

    >>> declared_risks(("effectif_variation12m", "effectif", "inconnu"))
    (-1, 0, 0)
    """
    return tuple(BY_NAME[name].risk if name in BY_NAME else 0 for name in features)
