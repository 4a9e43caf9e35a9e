"""What methods that learn share: some companies learn, others turn the raw score into a probability."""

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

# One company in five calibrates: two numbers are learned from them, the whole shape of the score from the others.
HELD_OUT = 0.2


class CalibratedMethod(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """A method that learns a raw score, then log-odds = `intercept_` + `slope_` x raw score on rows it did not see.

    `fit` draws one company in five by `seed`, fits the raw score on the others, and the two numbers on the rows of the
    companies drawn (Platt scaling), by the weights of the caller throughout. No company is on both sides, or a score
    that knows a company by heart would seem surer than it is. A straight line in log-odds keeps the order of companies,
    and keeps contributions additive: the contributions of every method that learns are parts of the log-odds.

    Subclasses say how the raw score is learned, computed and shared out; all three work on float matrices. `features`
    are the features of a row, in order: any names will do.
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
        """Return the raw score of each row, of one row at least."""

    @abstractmethod
    def _raw_contributions(self, matrix: Floats) -> Floats:
        """Return what each feature adds to the raw score, rows x features, of one row at least."""

    @property
    @abstractmethod
    def _raw_base(self) -> float:
        """What the parts of the raw score start from."""

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from rows, whether each failed, what it weighs and whose it is.

        `groups` holds the company of each row; without it each row is a company of its own. Raises `ValueError` when
        failures, or the other rows, belong to fewer than two companies: one learns, the other calibrates.
        """
        matrix = as_matrix(X, self.features)
        target = as_target(y, len(matrix))
        weights = as_weights(sample_weight, len(matrix))
        held = held_out(target, groups, seed=self.seed)
        self.classes_ = np.array([False, True])
        # Threads of the libraries below meet thousands of times in a fit: on a busy machine they wait for each other ten
        # times longer than they work, and the last decimals of their sums depend on how many they are.
        with threadpool_limits(1):
            self._learn(matrix[~held], target[~held], weights[~held])
        self.slope_, self.intercept_ = fit_platt_scaling(self._raw(matrix[held]), target[held], weights[held])
        return self

    def log_odds(self, X: Rows) -> Floats:  # noqa: N803
        """Return the log-odds of failure of each row."""
        check_is_fitted(self, "intercept_")
        matrix = as_matrix(X, self.features)
        # scikit-learn refuses to score no row at all, and a month without alert has none to explain.
        if not len(matrix):
            return np.empty(0)
        with threadpool_limits(1):
            return np.asarray(self.intercept_ + self.slope_ * self._raw(matrix))

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return (1 - probability, probability) for each row."""
        log_odds = self.log_odds(X)
        return np.column_stack([expit(-log_odds), expit(log_odds)])

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the part of each feature in the log-odds, rows x features; with `base_` they add up to the log-odds."""
        check_is_fitted(self, "intercept_")
        matrix = as_matrix(X, self.features)
        return self.slope_ * self._raw_contributions(matrix) if len(matrix) else matrix

    @property
    def base_(self) -> float:
        """The log-odds that contributions start from."""
        return float(self.intercept_ + self.slope_ * self._raw_base)

    def score_of_total(self, total: Floats) -> Floats:
        """Return the probabilities of log-odds."""
        return np.asarray(expit(total))


def held_out(target: Flags, groups: npt.ArrayLike | None = None, *, seed: int) -> Flags:
    """Return which rows calibrate: all those of one company in five, among those that fail and the others alike.

    The draw depends on the set of companies, not on the order of rows. Raises `ValueError` when one of the two kinds
    has fewer than two companies.

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
        if kind.size < 2:  # noqa: PLR2004 - one learns, one calibrates
            raise ValueError(
                "target: expected failures and others, in two companies of each at least, "
                f"found {failing.sum()} failing companies of {companies.size}"
            )
        drawn[rng.permutation(kind)[: max(round(HELD_OUT * kind.size), 1)]] = True
    return np.asarray(drawn[position])


def fit_platt_scaling(raw: Floats, target: Flags, weights: Floats) -> tuple[float, float]:
    """Return slope and intercept of the log-odds as a line in the raw score, by greatest likelihood.

    A score that ranks the wrong way round gets slope 0: a line that falls would turn every constraint and every
    explanation round.
    """
    centre, spread = raw.mean(), raw.std() or 1.0
    scaled = ((raw - centre) / spread)[:, np.newaxis]
    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(scaled, target, sample_weight=weights)
    slope = float(line.coef_[0, 0]) / spread
    if slope <= 0:
        rate = float(np.average(target, weights=weights))
        return 0.0, float(np.log(rate / (1 - rate)))
    return float(slope), float(line.intercept_[0] - slope * centre)
