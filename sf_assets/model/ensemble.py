"""The ensemble: the weighted mean of the log-odds of three methods that err differently."""

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from threadpoolctl import threadpool_limits

from sf_assets.model.boosting import BoostingMethod
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.calibration import company_parts, fit_platt_scaling
from sf_assets.model.classifier import ProbabilityClassifier
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.forest import ForestMethod
from sf_assets.model.logistic import LogisticMethod
from sf_assets.model.matrix import Flags, Floats, Rows, as_target, as_weights

_MEMBERS: tuple[type[CalibratedMethod], ...] = (LogisticMethod, BoostingMethod, ForestMethod)
# How far weights move from equal ones, which are hard to beat: one standard deviation of the prior, in units of weight.
_SPREAD = 0.3


class EnsembleMethod(ProbabilityClassifier):
    """Probability of failure within 18 months by the weighted mean of the log-odds of a regression, a boosting and a forest.

    `fit` fits each member as it is fitted alone: all of them hold out the same companies. These choose the weights, by the
    log-loss of the mean, and then calibrate it by a line in its log-odds; `weigh` chooses the weights again on later rows. A sum
    of additive explanations is additive: a contribution is the weighted sum of the members' contributions.

    Args:
        features: names of the features, in order; by default all columns of the table.
        weights: the weights of the members, in order, which add up to 1; by default the companies held out choose them.
        settings: the parameters of members that differ from their defaults, by name of the member.
        seed: seed of the members.
        draws: how many fifths of the companies calibrate in turn, see `CalibratedMethod`.

    Attributes:
        members_: the fitted members by name.
        weights_: the weight of each member, in their order; they add up to 1.
        slope_, intercept_: the fitted calibration of the mean.

    """

    name: ClassVar[str] = "ensemble"
    label: ClassVar[str] = "Moyenne de la régression, du boosting et de la forêt"
    learns: ClassVar[bool] = True
    default_thresholds: ClassVar[Thresholds | None] = None
    members: ClassVar[tuple[str, ...]] = tuple(kind.name for kind in _MEMBERS)
    trusted: ClassVar[tuple[str, ...]] = (
        "sf_assets.model.ensemble.EnsembleMethod",
        *dict.fromkeys(name for kind in _MEMBERS for name in kind.trusted),
    )

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        weights: tuple[float, ...] | None = None,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 0,
        draws: int | None = None,
    ) -> None:
        self.features = features
        self.weights = weights
        self.settings = settings
        self.seed = seed
        self.draws = draws

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        fitted: Mapping[str, Any] | None = None,
    ) -> Self:
        """Fit the members, their weights and the calibration of their mean.

        Args:
            X: rows of features; NULL or NaN is unknown.
            y: the class of each row: whether it failed.
            sample_weight: the weight of each row, 1 by default; a row of weight 0 is left out.
            groups: the company of each row; by default each row is a company of its own.
            fitted: members that were already fitted on the same rows, by name; they are not fitted again.

        Raises:
            ValueError: a member cannot be fitted on these rows, a fitted one was fitted otherwise, or there is not one
                weight per member.

        """
        matrix = self._learned_matrix(X, least=2)
        target, classes = as_target(y, len(matrix))
        weights = as_weights(sample_weight, len(matrix))
        self.members_ = {}
        for kind in _MEMBERS:
            settings = dict((self.settings or {}).get(kind.name, {}))
            member = kind(self.features_, seed=self.seed, draws=self.draws, **settings)
            made = (fitted or {}).get(kind.name)
            # A copy: a member that is used alone follows the rate of recent months by itself.
            self.members_[kind.name] = (
                member.fit(matrix, y, sample_weight, groups) if made is None else _same(copy(made), member)
            )
        counted = weights > 0
        companies = np.arange(counted.size) if groups is None else np.asarray(groups)
        # The part that the first draw of every member calibrated with: no member learned from its companies.
        held = ~learned_from(target[counted], companies[counted], seed=self.seed)
        rows = np.flatnonzero(counted)[held]
        with threadpool_limits(1):
            each = np.column_stack([_unseen_log_odds(member, matrix[rows]) for member in self.members_.values()])
            self.weights_ = self._weights(each, target[rows], weights[rows], companies[rows])
            self.slope_, self.intercept_ = fit_platt_scaling(each @ self.weights_, target[rows], weights[rows])
        self.classes_ = classes
        return self

    def _weights(self, each: Floats, target: Flags, weights: Floats, companies: npt.NDArray[Any]) -> Floats:
        if self.weights is None:
            return mixing_weights(each, target, weights, companies)
        if len(self.weights) != len(_MEMBERS):
            raise ValueError(
                f"weights: expected one for each of {', '.join(self.members)}, found {len(self.weights)} values"
            )
        return np.array(self.weights, dtype=np.float64)

    def log_odds(self, X: Rows, known: Mapping[str, tuple[Any, Floats]] | None = None) -> Floats:  # noqa: N803
        """Return the calibrated log-odds of failure of each row.

        Args:
            X: rows of features.
            known: methods whose log-odds of these rows are known, by name: a member of the same fit is not computed again.

        """
        matrix = self._matrix(X)
        parts = []
        for name, member in self.members_.items():
            other, log_odds = (known or {}).get(name, (None, None))
            if other is not None and member.same_fit(other):
                parts.append(log_odds + (member.intercept_ - other.intercept_))
            else:
                parts.append(member.log_odds(matrix))
        return np.asarray(self.intercept_ + self.slope_ * (np.column_stack(parts) @ self.weights_))

    def weigh(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose the weights of the members again, on later rows of companies that no member learned from.

        The line of the mean stays, and its level follows the rate of recent rows. Weights stay as they are when these rows
        hold one class only, and when they were set as a parameter.

        Args:
            X: rows of features.
            y: the class of each row: whether it failed.
            sample_weight: the weight of each row, 1 by default.
            groups: the company of each row; by default each row is a company of its own.

        """
        matrix = self._matrix(X)
        target, _ = as_target(y, len(matrix))
        if self.weights is None and target.any() and not target.all():
            companies = np.arange(target.size) if groups is None else np.asarray(groups)
            with threadpool_limits(1):
                each = np.column_stack([_unseen_log_odds(member, matrix) for member in self.members_.values()])
            self.weights_ = mixing_weights(each, target, as_weights(sample_weight, target.size), companies)
        return self

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the contribution of each feature to the log-odds, rows x features; with `base_` they add up to the log-odds."""
        matrix = self._matrix(X)
        return np.asarray(self.slope_ * np.sum([w * one.contributions(matrix) for w, one in self._weighted], axis=0))

    @property
    def base_(self) -> float:
        """The base value of the log-odds: with the contributions of a row it adds up to its log-odds."""
        return float(self.intercept_ + self.slope_ * sum(w * one.base_ for w, one in self._weighted))

    @property
    def typical_(self) -> Floats:
        """The typical value of each feature: the weighted mean of the members', in its own unit."""
        return np.asarray(np.sum([w * one.typical_ for w, one in self._weighted], axis=0))

    @property
    def _weighted(self) -> list[tuple[float, CalibratedMethod]]:
        return list(zip(self.weights_.tolist(), self.members_.values(), strict=True))


def learned_from(target: Flags, groups: npt.ArrayLike, *, seed: int = 0) -> Flags:
    """Return which rows belong to companies that the members of an ensemble learned from, in their first draw."""
    return company_parts(target, groups, seed=seed) > 0


def _same(made: CalibratedMethod, wanted: CalibratedMethod) -> CalibratedMethod:
    """Return a fitted member; raise `ValueError` unless it was fitted as the ensemble would fit it."""
    differing = [
        name for name, value in wanted.get_params().items() if name != "features" and getattr(made, name) != value
    ]
    if made.features_ != wanted.features:
        differing.insert(0, "features")
    if differing:
        raise ValueError(f"fitted: expected {wanted.name} fitted as a member, found other {', '.join(differing)}")
    return made


def _unseen_log_odds(member: CalibratedMethod, matrix: Floats) -> Floats:
    """Return the log-odds of rows that the first draw of a member did not learn from."""
    return next(iter(member.draws_), member)._calibrated(matrix)


def mixing_weights(each: Floats, target: Flags, weights: Floats, companies: npt.NDArray[Any]) -> Floats:
    """Return the weights of the members whose mean log-odds have the least log-loss, drawn towards equal weights.

    The months of a company are nearly the same: together they count as one observation, so that a few companies do not
    overrule equal weights.

    Args:
        each: log-odds of each member, rows x members.
        target: whether each row failed.
        weights: the weight of each row.
        companies: the company of each row.

    >>> rng = np.random.default_rng(0)
    >>> good, noise = rng.normal(size=4_000), rng.normal(size=4_000)
    >>> failed = rng.random(4_000) < expit(2 * good)
    >>> mixing_weights(np.column_stack([2 * good, 2 * noise]), failed, np.ones(4_000), np.arange(4_000)).round(1).tolist()
    [1.0, 0.0]

    """
    count = each.shape[1]
    equal = np.full(count, 1 / count)
    share = weights * np.unique(companies).size / len(companies)

    def loss(mix: Floats) -> tuple[float, Floats]:
        mean = each @ mix
        value = float(share @ (np.logaddexp(0, mean) - target * mean))
        away = (mix - equal) / _SPREAD
        return value + float(away @ away) / 2, each.T @ (share * (expit(mean) - target)) + away / _SPREAD

    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda mix: mix.sum() - 1, "jac": np.ones_like},
    )
    mix = np.clip(found.x, 0, None)
    return np.asarray(mix / mix.sum())
