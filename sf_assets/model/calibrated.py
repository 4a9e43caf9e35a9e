"""The base class of the methods that learn: a raw score fitted on some companies, calibrated on the others."""

from abc import abstractmethod
from hashlib import blake2b
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from sf_assets.model.calibration import PARTS, company_parts, fit_platt_scaling
from sf_assets.model.classifier import ProbabilityClassifier
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Flags, Floats, Rows, as_target, as_weights

# Below this number of rows, the companies drawn to calibrate decide the ranking more than the settings do (average precision
# 0.434 to 0.480 over five draws on a panel of 3,600 rows), and five fits take seconds.
_FEW_ROWS = 10_000


class CalibratedMethod(ProbabilityClassifier):
    """A method that learns a raw score, then calibrates it: log-odds = `intercept_` + `slope_` x raw score (Platt scaling).

    `fit` draws one company in five by `seed`, fits the raw score on the rows of the others, and slope and intercept on the
    rows of the companies drawn. No company is on both sides: calibration on companies that trained would give overconfident
    probabilities. A line in log-odds keeps the order of companies and keeps contributions additive: contributions are parts
    of the log-odds.

    On a table of few rows, each fifth calibrates in turn and the log-odds of the five fits are averaged: no company is lost
    to calibration, and the result depends less on the draw.

    Subclasses define how the raw score is fitted, computed and split into contributions, on float matrices.

    Attributes:
        seed: seed of the draw of companies that calibrate.
        draws: how many fifths calibrate in turn, 1 to 5; None for 5 below ten thousand rows, 1 above.
        slope_, intercept_: the fitted calibration; 1 and 0 with several draws, which are calibrated each.
        draws_: the fitted method of each draw; empty with one draw, which is the method itself.
        digest_: a digest of the raw scores of the companies that calibrated; not defined with several draws.

    """

    name: ClassVar[str]
    label: ClassVar[str]
    trusted: ClassVar[tuple[str, ...]]
    learns: ClassVar[bool] = True
    default_thresholds: ClassVar[Thresholds | None] = None
    seed: int
    draws: int | None
    draws_: "tuple[CalibratedMethod, ...]"
    digest_: str

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

    @property
    @abstractmethod
    def _raw_typical(self) -> Floats:
        """The typical value of each feature among the rows that fitted the raw score, in its own unit."""

    @property
    def _least_rows(self) -> int:
        """The fewest rows that the raw score can be fitted on; with fewer, all rows would have the same score."""
        return 1

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
            y: the class of each row: whether it failed.
            sample_weight: the weight of each row, 1 by default; a row of weight 0 is left out.
            groups: the company of each row; by default each row is a company of its own.

        Returns:
            The method itself, fitted.

        Raises:
            ValueError: arguments do not match; the failures, or the other rows, belong to fewer than two companies: one is
                needed to learn and one to calibrate; or rows are too few to learn anything.

        """
        matrix = self._learned_matrix(X, least=2)
        target, classes = as_target(y, len(matrix))
        weights = as_weights(sample_weight, len(matrix))
        counted = weights > 0
        if not counted.all():
            matrix, target, weights = matrix[counted], target[counted], weights[counted]
        names = None if groups is None else _groups(groups, counted)
        parts = company_parts(target, names, seed=self.seed)
        self._require_rows(int((parts > 0).sum()))
        draws = self.draws or (PARTS if len(matrix) < _FEW_ROWS else 1)
        draws = min(draws, int(parts.max()) + 1, *(np.unique(parts[target == kind]).size for kind in (False, True)))
        # The libraries synchronise their threads thousands of times per fit: on a busy machine they wait ten times longer
        # than they compute. The last decimals of their sums also depend on the number of threads.
        with threadpool_limits(1):
            if draws > 1:
                self.draws_ = tuple(
                    clone(self)._fit_draw(matrix, target, weights, parts == n, self.features_) for n in range(draws)
                )
                self.slope_, self.intercept_ = 1.0, 0.0
            else:
                self._fit_draw(matrix, target, weights, parts == 0, self.features_)
        self.classes_ = classes
        return self

    def _fit_draw(self, matrix: Floats, target: Flags, weights: Floats, held: Flags, features: tuple[str, ...]) -> Self:
        self.features_ = features
        self.draws_ = ()
        self._learn(matrix[~held], target[~held], weights[~held])
        raw = self._raw(matrix[held])
        self.slope_, self.intercept_ = fit_platt_scaling(raw, target[held], weights[held])
        self.digest_ = blake2b(raw.tobytes(), digest_size=16).hexdigest()
        return self

    def same_fit(self, other: Self) -> bool:
        """Return whether another copy has the same raw score: log-odds then differ by the difference of the intercepts.

        Copies are loaded from files of their own, and follow the rate of recent months each by itself.
        """
        fits = [[one.digest_ for one in (method.draws_ or (method,))] for method in (self, other)]
        return fits[0] == fits[1] and self.slope_ == other.slope_

    def _require_rows(self, rows: int) -> None:
        if rows < self._least_rows:
            raise ValueError(
                f"{self.name}: expected {self._least_rows} rows at least to learn from, besides those of the fifth of the "
                f"companies that calibrates, found {rows}: every row would get the same score. Give more rows or smaller leaves"
            )

    def log_odds(self, X: Rows) -> Floats:  # noqa: N803
        """Return the calibrated log-odds of failure of each row."""
        matrix = self._matrix(X)
        # scikit-learn refuses an empty matrix, and a month without alerts has no row to explain.
        if not len(matrix):
            return np.empty(0)
        with threadpool_limits(1):
            return self._calibrated(matrix)

    def _calibrated(self, matrix: Floats) -> Floats:
        parts = [draw._calibrated(matrix) for draw in self.draws_]
        raw = np.mean(parts, axis=0) if parts else self._raw(matrix)
        return np.asarray(self.intercept_ + self.slope_ * raw)

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the contribution of each feature to the log-odds, rows x features; with `base_` they add up to the log-odds."""
        matrix = self._matrix(X)
        return self._calibrated_contributions(matrix) if len(matrix) else matrix

    def _calibrated_contributions(self, matrix: Floats) -> Floats:
        parts = [draw._calibrated_contributions(matrix) for draw in self.draws_]
        raw = np.mean(parts, axis=0) if parts else self._raw_contributions(matrix)
        return np.asarray(self.slope_ * raw)

    @property
    def base_(self) -> float:
        """The base value of the log-odds: with the contributions of a row it adds up to its log-odds."""
        parts = [draw.base_ for draw in self.draws_]
        return float(self.intercept_ + self.slope_ * (np.mean(parts) if parts else self._raw_base))

    @property
    def typical_(self) -> Floats:
        """The typical value of each feature among the rows learned from, in its own unit; the mean of it with several draws."""
        parts = [draw.typical_ for draw in self.draws_]
        return np.mean(parts, axis=0) if parts else self._raw_typical


def _groups(groups: npt.ArrayLike, counted: Flags) -> npt.NDArray[Any]:
    names = np.asarray(groups)
    if names.shape != counted.shape:
        raise ValueError(f"groups: expected {counted.size} values, one per row, found shape {names.shape}")
    return names[counted]
