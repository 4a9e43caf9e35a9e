"""The logistic regression of 2017, as one scikit-learn pipeline: `fit` learns bounds, scales and means too."""

from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats


class Tame(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Bring amounts that span ten orders of magnitude to a common scale; the sign, zero and unknown values stay.

    Each feature is clipped to bounds of the training rows, then becomes asinh(x / scale): linear below the scale,
    logarithmic above. The scale is the median absolute value of the known non-zero values: most companies owe nothing, and
    with their zeros it would be zero.

    Args:
        tail: share of the known non-zero values clipped on each side; public accounts hold outliers up to 1e14.

    Attributes:
        low_, high_, scale_: bounds and scale of each feature. A feature without known non-zero value is clipped to 0.

    """

    def __init__(self, tail: float = 0.001) -> None:
        self.tail = tail

    def fit(self, X: Floats, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002, N803
        """Learn bounds and scales from rows x features."""
        features = X.shape[1]
        self.low_, self.high_, self.scale_ = np.zeros(features), np.zeros(features), np.ones(features)
        for i in range(features):
            values = X[:, i][np.isfinite(X[:, i]) & (X[:, i] != 0)]
            if values.size:
                low, high = np.quantile(values, (self.tail, 1 - self.tail))
                # The bounds include zero, which is a known value and often the most frequent.
                self.low_[i], self.high_[i] = min(low, 0.0), max(high, 0.0)
                self.scale_[i] = np.median(np.abs(values))
        return self

    def transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the features on their common scale."""
        return np.asarray(np.arcsinh(np.clip(X, self.low_, self.high_) / self.scale_))

    def inverse_transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the features in their own units."""
        return np.asarray(np.sinh(X) * self.scale_)


class LogisticMethod(CalibratedMethod):
    """Probability of failure within 18 months by a logistic regression with an L2 penalty; rows are not resampled.

    The pipeline brings amounts to a common scale (`Tame`), replaces unknown values by the training mean and adds an
    indicator of them, standardises, then fits with lbfgs. The weights of sampled rows keep scores calibrated to the
    population.

    Contributions are the exact SHAP values of a linear model whose background is the training rows: coefficient x
    (transformed value - training mean). The contribution of an indicator is added to its feature.

    Args:
        features: names of the features, in order; by default all columns of the table.
        C: inverse strength of the penalty.
        max_iter: largest number of iterations of lbfgs.
        tol: tolerance at which lbfgs stops.
        seed: seed of the draw of companies that calibrate.
        draws: how many fifths of the companies calibrate in turn, see `CalibratedMethod`.

    Attributes:
        pipeline_: the fitted pipeline, with steps `tame`, `impute`, `scale` and `logit`. The raw score is its log-odds.

    """

    name: ClassVar[str] = "logistique"
    label: ClassVar[str] = "Régression logistique"
    trusted: ClassVar[tuple[str, ...]] = (
        "sf_assets.model.logistic.LogisticMethod",
        "sf_assets.model.logistic.Tame",
        "numpy.dtype",
    )

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        C: float = 0.01,  # noqa: N803
        max_iter: int = 500,
        tol: float = 1e-5,
        seed: int = 0,
        draws: int | None = None,
    ) -> None:
        self.features = features
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.draws = draws

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        self.pipeline_ = fit_regression(matrix, target, weights, C=self.C, max_iter=self.max_iter, tol=self.tol)

    def _raw(self, matrix: Floats) -> Floats:
        return np.asarray(self.pipeline_.decision_function(matrix))

    def _raw_contributions(self, matrix: Floats) -> Floats:
        return regression_contributions(self.pipeline_, matrix)

    @property
    def _raw_base(self) -> float:
        return regression_base(self.pipeline_)

    @property
    def _raw_typical(self) -> Floats:
        """The training mean of each transformed feature, in its own unit: its contribution is 0 there."""
        return regression_typical(self.pipeline_)

    @property
    def n_iter_(self) -> int:
        """The most iterations of lbfgs in a draw."""
        return max((draw.n_iter_ for draw in self.draws_), default=0) or int(self.pipeline_["logit"].n_iter_[0])


def fit_regression(
    matrix: Floats,
    target: Flags,
    weights: Floats,
    *,
    C: float,  # noqa: N803
    max_iter: int,
    tol: float,
) -> Pipeline:
    """Return the fitted pipeline, with steps `tame`, `impute`, `scale` and `logit`."""
    pipeline = Pipeline(
        [
            ("tame", Tame()),
            ("impute", SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("logit", LogisticRegression(C=C, solver="lbfgs", max_iter=max_iter, tol=tol)),
        ]
    )
    return pipeline.fit(matrix, target, scale__sample_weight=weights, logit__sample_weight=weights)


def regression_contributions(pipeline: Pipeline, matrix: Floats) -> Floats:
    """Return the contribution of each feature to the log-odds, rows x features."""
    # The scaler has subtracted the training mean.
    parts = pipeline[:-1].transform(matrix) * pipeline["logit"].coef_[0]
    count = matrix.shape[1]
    folded = np.array(parts[:, :count])
    folded[:, pipeline["impute"].indicator_.features_] += parts[:, count:]
    return folded


def regression_base(pipeline: Pipeline) -> float:
    """Return the log-odds of a company at the training mean of every transformed feature."""
    return float(pipeline["logit"].intercept_[0])


def regression_typical(pipeline: Pipeline) -> Floats:
    """Return the training mean of each transformed feature, in its own unit."""
    means = pipeline["impute"].statistics_[np.newaxis]
    return np.asarray(pipeline["tame"].inverse_transform(means)[0])
