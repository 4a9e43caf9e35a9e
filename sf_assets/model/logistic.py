"""The logistic regression of 2017, in one fitted scikit-learn pipeline: whatever is learned, is learned by `fit`."""

from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sf_assets.features.configurations import IN_USE
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.matrix import Flags, Floats


class Tame(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Bring amounts that span ten orders of magnitude to a common scale, sign and zero kept, unknown kept unknown.

    Each feature is clipped to what training rows show, then becomes asinh(x / scale): linear below the scale, which is
    the median size of the known non-zero values, logarithmic above. Most companies owe nothing, so a scale measured
    with the zeros would be zero.

    `tail` is the share of the known non-zero values clipped on each side; public accounts hold outliers up to 1e14.
    `low_`, `high_` and `scale_` hold one number per feature; one without known non-zero value is clipped to 0.
    """

    def __init__(self, tail: float = 0.001) -> None:
        self.tail = tail

    def fit(self, X: Floats, y: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002, N803
        """Learn bounds and scales."""
        features = X.shape[1]
        self.low_, self.high_, self.scale_ = np.zeros(features), np.zeros(features), np.ones(features)
        for i in range(features):
            sizes = X[:, i][np.isfinite(X[:, i]) & (X[:, i] != 0)]
            if sizes.size:
                low, high = np.quantile(sizes, (self.tail, 1 - self.tail))
                # Zero is a value like another, often the commonest: the bounds never exclude it.
                self.low_[i], self.high_[i] = min(low, 0.0), max(high, 0.0)
                self.scale_[i] = np.median(np.abs(sizes))
        return self

    def transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the features on their common scale."""
        return np.asarray(np.arcsinh(np.clip(X, self.low_, self.high_) / self.scale_))

    def inverse_transform(self, X: Floats) -> Floats:  # noqa: N803
        """Return the features in their own units."""
        return np.asarray(np.sinh(X) * self.scale_)


class LogisticMethod(CalibratedMethod):
    """P(failure within 18 months) by a logistic regression with an L2 penalty; rows are not resampled.

    The pipeline tames amounts, puts the training mean where a value is unknown and says so in an indicator, centres
    and scales on the training rows, then fits with lbfgs. Weights make up for negatives left out, so that scores stay
    probabilities.

    `features` are the features of a row, in order, `C` the inverse strength of the penalty, `max_iter` and `tol` say
    when lbfgs stops, `seed` draws the companies that calibrate. `pipeline_` is the fitted pipeline, with steps `tame`,
    `impute`, `scale` and `logit`; the raw score is its log-odds.

    Contributions are the exact SHAP values of a linear model whose background is the training rows: coefficient x
    (transformed value - training mean). What "unknown" adds belongs to its feature.
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
        features: tuple[str, ...] = IN_USE,
        C: float = 0.01,  # noqa: N803
        max_iter: int = 500,
        tol: float = 1e-5,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed

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
    def typical_(self) -> Floats:
        """The training mean of each tamed feature, back in its own unit: where its contribution changes sign."""
        return regression_typical(self.pipeline_)


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
    """Return what each feature adds to the log-odds, rows x features."""
    # The scaler has already taken the mean away.
    parts = pipeline[:-1].transform(matrix) * pipeline["logit"].coef_[0]
    count = matrix.shape[1]
    folded = np.array(parts[:, :count])
    folded[:, pipeline["impute"].indicator_.features_] += parts[:, count:]
    return folded


def regression_base(pipeline: Pipeline) -> float:
    """Return the log-odds of a company at the training mean of every transformed feature."""
    return float(pipeline["logit"].intercept_[0])


def regression_typical(pipeline: Pipeline) -> Floats:
    """Return the training mean of each tamed feature, in its own unit."""
    means = pipeline["impute"].statistics_[np.newaxis]
    return np.asarray(pipeline["tame"].inverse_transform(means)[0])
