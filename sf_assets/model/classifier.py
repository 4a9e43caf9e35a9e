"""What every scoring method is to scikit-learn: a classifier of two classes that reads tables by the names of their columns."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sf_assets.model.calibration import RateShift, mean_shift, rate_shift, shift_interval
from sf_assets.model.matrix import Flags, Floats, Rows, as_matrix, as_target, as_weights, names_of, numbered


class TableClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of two classes, whose second class is the failure.

    Rows are a polars or pandas frame, in any order of columns, or a matrix in the order of the features; unknown values are
    NULL or NaN.

    Attributes:
        features: names of the features; None for all columns of the table that `fit` reads.
        features_: names of the features, in order; those of a matrix are `x0`, `x1`…
        n_features_in_: number of features.
        classes_: the two classes, in order.

    """

    members: ClassVar[tuple[str, ...]] = ()
    features: tuple[str, ...] | None
    features_: tuple[str, ...]
    classes_: npt.NDArray[Any]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _learned_matrix(self, rows: Rows, *, least: int) -> Floats:
        """Return the features of the table to fit on, of `least` rows at least, and remember their names."""
        names = names_of(rows) if self.features is None else tuple(self.features)
        matrix = as_matrix(rows, names, owner=type(self).__name__, least=least)
        self.features_ = numbered(matrix.shape[1]) if names is None else names
        self.n_features_in_ = matrix.shape[1]
        return matrix

    def _matrix(self, rows: Rows) -> Floats:
        """Return the features of a table to score."""
        check_is_fitted(self)
        return as_matrix(rows, self.features_, owner=type(self).__name__)

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_]:
        """The names of the features, as scikit-learn has them: not defined for a matrix without names."""
        names = getattr(self, "features_", ())
        if not names or (self.features is None and names == numbered(len(names))):
            raise AttributeError("feature_names_in_: the rows of `fit` have no names of columns")
        return np.array(names, dtype=object)

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return rows x 2; the second column is the score, from 0 to 1."""
        raise NotImplementedError

    def predict(self, X: Rows) -> npt.NDArray[Any]:  # noqa: N803
        """Return the likelier class of each row. Failures are rare and nearly never likelier: lists use thresholds instead."""
        likelier = self.predict_proba(X)[:, 1] > 1 / 2
        return np.asarray(self.classes_[likelier.astype(int)])

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classes_")


class ProbabilityClassifier(TableClassifier):
    """A classifier whose scores are probabilities: the log-odds are `intercept_` plus parts that depend on the row.

    Attributes:
        intercept_: the constant of the log-odds.

    """

    intercept_: float

    @abstractmethod
    def log_odds(self, X: Rows) -> Floats:  # noqa: N803
        """Return the calibrated log-odds of failure of each row."""

    def decision_function(self, X: Rows) -> Floats:  # noqa: N803
        """Return the log-odds of each row, under the name that scikit-learn looks for."""
        return self.log_odds(X)

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return (1 - probability, probability) of failure for each row."""
        log_odds = self.log_odds(X)
        return np.column_stack([expit(-log_odds), expit(log_odds)])

    def score_of_total(self, total: Floats) -> Floats:
        """Return the probability of each log-odds of `total`."""
        return np.asarray(expit(total))

    def follow_rate(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        recent: Flags | None = None,
        *,
        log_odds: Floats | None = None,
    ) -> RateShift:
        """Move the intercept to the failure rate of recent rows; the order of rows and their contributions stay.

        Without `recent`, all rows are recent and the method must not have learned from them. With it, the rows are those that
        the method learned from: probabilities of rows learned from err a little on the whole, and the same error is measured on
        all of them and taken off. No company is lost to the measure: its noise is that of all failing companies of these rows.

        Args:
            X: rows of features.
            y: the class of each row: whether it failed.
            sample_weight: the weight of each row, 1 by default.
            groups: the company of each row; by default each row is a company of its own.
            recent: whether the rate of each row is followed; None for all rows.
            log_odds: the log-odds of the rows, where they are known.

        Returns:
            The shift with its interval. It is zero, with the rate, when the recent rows hold one class only.

        """
        log_odds = self.log_odds(X) if log_odds is None else log_odds
        target, _ = as_target(y, len(log_odds))
        weights = as_weights(sample_weight, len(log_odds))
        companies = np.arange(len(log_odds)) if groups is None else np.asarray(groups)
        rows = np.ones(len(log_odds), dtype=bool) if recent is None else recent
        if target[rows].all() or not target[rows].any():
            return RateShift(0.0, -np.inf, np.inf, float(target[rows].mean()) if rows.any() else np.nan)
        of_recent = rate_shift(log_odds[rows], target[rows], weights[rows])
        shift = of_recent - (0.0 if recent is None else rate_shift(log_odds, target, weights))
        self.intercept_ = float(self.intercept_ + shift)
        return shift_interval(shift, log_odds[rows] + of_recent, target[rows], weights[rows], companies[rows])

    def follow_population(self, X: Rows, mean: float) -> float:  # noqa: N803
        """Move the intercept so that the mean probability of rows is `mean`; return what was added to the log-odds."""
        shift = mean_shift(self.log_odds(X), mean)
        self.intercept_ = float(self.intercept_ + shift)
        return shift
