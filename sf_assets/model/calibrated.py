"""The base class of the methods that learn: a raw score fitted on some companies, calibrated on the others."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Flags, Floats, Rows, as_matrix, as_target, as_weights

# The share of companies that calibrate: they fit two numbers, the others fit the raw score.
HELD_OUT = 0.2


class CalibratedMethod(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """A method that learns a raw score, then calibrates it: log-odds = `intercept_` + `slope_` x raw score (Platt scaling).

    `fit` draws one company in five by `seed`, fits the raw score on the rows of the others, and slope and intercept on the
    rows of the companies drawn. No company is on both sides: calibration on companies that trained would give overconfident
    probabilities. A line in log-odds keeps the order of companies and keeps contributions additive: contributions are parts
    of the log-odds.

    Subclasses define how the raw score is fitted, computed and split into contributions, on float matrices.

    Attributes:
        features: names of the features, in order; any names are accepted.
        seed: seed of the draw of companies that calibrate.
        slope_, intercept_: the fitted calibration.
        classes_: (False, True), as scikit-learn classifiers have.

    """

    name: ClassVar[str]
    label: ClassVar[str]
    trusted: ClassVar[tuple[str, ...]]
    learns: ClassVar[bool] = True
    default_thresholds: ClassVar[Thresholds | None] = None
    features: tuple[str, ...]
    seed: int

    @abstractmethod
    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        """Fit the raw score."""

    @abstractmethod
    def _raw(self, matrix: Floats) -> Floats:
        """Return the raw score of each row; there is at least one row."""

    @abstractmethod
    def _raw_contributions(self, matrix: Floats) -> Floats:
        """Return the contribution of each feature to the raw score, rows x features; there is at least one row."""

    @property
    @abstractmethod
    def _raw_base(self) -> float:
        """The base value: with the contributions of a row it adds up to the row's raw score."""

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit the method.

        Args:
            X: rows of features; NULL or NaN is unknown.
            y: whether each row failed.
            sample_weight: the weight of each row, 1 by default.
            groups: the company of each row; by default each row is a company of its own.

        Returns:
            The method itself, fitted.

        Raises:
            ValueError: arguments do not match, or the failures, or the other rows, belong to fewer than two companies:
                one is needed to learn and one to calibrate.

        """
        matrix = as_matrix(X, self.features)
        target = as_target(y, len(matrix))
        weights = as_weights(sample_weight, len(matrix))
        held = held_out(target, groups, seed=self.seed)
        self.classes_ = np.array([False, True])
        # The libraries synchronise their threads thousands of times per fit: on a busy machine they wait ten times longer
        # than they compute. The last decimals of their sums also depend on the number of threads.
        with threadpool_limits(1):
            self._learn(matrix[~held], target[~held], weights[~held])
        self.slope_, self.intercept_ = fit_platt_scaling(self._raw(matrix[held]), target[held], weights[held])
        return self

    def log_odds(self, X: Rows) -> Floats:  # noqa: N803
        """Return the calibrated log-odds of failure of each row."""
        check_is_fitted(self, "intercept_")
        matrix = as_matrix(X, self.features)
        # scikit-learn refuses an empty matrix, and a month without alerts has no row to explain.
        if not len(matrix):
            return np.empty(0)
        with threadpool_limits(1):
            return np.asarray(self.intercept_ + self.slope_ * self._raw(matrix))

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return (1 - probability, probability) of failure for each row."""
        log_odds = self.log_odds(X)
        return np.column_stack([expit(-log_odds), expit(log_odds)])

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the contribution of each feature to the log-odds, rows x features; with `base_` they add up to the log-odds."""
        check_is_fitted(self, "intercept_")
        matrix = as_matrix(X, self.features)
        return self.slope_ * self._raw_contributions(matrix) if len(matrix) else matrix

    @property
    def base_(self) -> float:
        """The base value of the log-odds: with the contributions of a row it adds up to its log-odds."""
        return float(self.intercept_ + self.slope_ * self._raw_base)

    def score_of_total(self, total: Floats) -> Floats:
        """Return the probability of each log-odds of `total`."""
        return np.asarray(expit(total))


def held_out(target: Flags, groups: npt.ArrayLike | None = None, *, seed: int) -> Flags:
    """Return which rows calibrate: all rows of one company in five, drawn apart among failing companies and the others.

    The draw depends on the set of companies, not on the order of rows.

    Raises:
        ValueError: fewer than two companies fail, or fewer than two do not.

    >>> held_out(np.array([True, True, False, False, False]), ["a", "b", "b", "c", "d"], seed=0).tolist()
    [True, False, False, True, False]

    """
    names = np.arange(target.size) if groups is None else np.asarray(groups)
    if names.shape != target.shape:
        raise ValueError(f"groups: expected {target.size} values, one per row, found shape {names.shape}")
    companies, position = np.unique(names, return_inverse=True)
    failing = np.bincount(position, weights=target, minlength=companies.size) > 0
    rng = np.random.default_rng(seed)
    drawn = np.zeros(companies.size, dtype=bool)
    for kind in (np.flatnonzero(failing), np.flatnonzero(~failing)):
        if kind.size < 2:  # noqa: PLR2004 - one to learn, one to calibrate
            raise ValueError(
                "target: expected failures and others, in two companies of each at least, "
                f"found {failing.sum()} failing companies of {companies.size}"
            )
        drawn[rng.permutation(kind)[: max(round(HELD_OUT * kind.size), 1)]] = True
    return np.asarray(drawn[position])


def fit_platt_scaling(raw: Floats, target: Flags, weights: Floats) -> tuple[float, float]:
    """Return slope and intercept of the log-odds as a line in the raw score, by maximum likelihood.

    A raw score that decreases with the failure rate gets slope 0 and the mean failure rate: a negative slope would reverse
    every monotonic constraint and every explanation.
    """
    centre, spread = raw.mean(), raw.std() or 1.0
    scaled = ((raw - centre) / spread)[:, np.newaxis]
    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(scaled, target, sample_weight=weights)
    slope = float(line.coef_[0, 0]) / spread
    if slope <= 0:
        rate = float(np.average(target, weights=weights))
        return 0.0, float(np.log(rate / (1 - rate)))
    return float(slope), float(line.intercept_[0] - slope * centre)
