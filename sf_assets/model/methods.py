"""The scoring methods by name, and the protocol that they follow. A new method is a class added to `METHODS`."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy.typing as npt
from threadpoolctl import threadpool_limits

from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Flags, Floats, Rows, as_matrix

if TYPE_CHECKING:
    from sf_assets.model.calibration import RateShift


class ScoringMethod(Protocol):
    """A scikit-learn classifier that also explains its scores.

    Rows are a polars or pandas frame with a column per feature, or a float matrix of the features in order; NULL or NaN is
    unknown.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    learns: ClassVar[bool]
    """Whether `fit` learns from the rows; the scores of a method that learns are probabilities."""
    members: ClassVar[tuple[str, ...]]
    """The names of the methods that this one is made of; such a method makes a list only after a decision."""
    trusted: ClassVar[tuple[str, ...]]
    """The types that a stored method may hold, besides those that skops trusts by default."""
    default_thresholds: ClassVar[Thresholds | None]
    """Alert thresholds when history has no validation months; None for methods that learn."""
    features_: tuple[str, ...]
    """Names of the features of a fitted method, in order."""

    def __init__(self, features: tuple[str, ...] | None = None) -> None:
        """Keep the names of the features; None for all columns of the table that `fit` reads."""
        ...

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit on rows `X`, whether each failed (`y`), its weight and its company (`groups`)."""
        ...

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return rows x 2; the second column is the score, from 0 to 1."""
        ...

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the contribution of each feature, rows x features, in log-odds or in points."""
        ...

    @property
    def base_(self) -> float:
        """The base value: with the contributions of a row it adds up to the row's log-odds or points."""
        ...

    def score_of_total(self, total: Floats) -> Floats:
        """Return the score of each total of contributions and `base_`."""
        ...

    @property
    def typical_(self) -> Floats | None:
        """The typical value of each feature in the training rows, in its own unit; None for a method that learns nothing."""
        ...


class _Methods(Mapping[str, type[ScoringMethod]]):
    """The classes of the methods by name, imported when the first of them is asked for: scikit-learn takes seconds to load."""

    def __getitem__(self, name: str) -> type[ScoringMethod]:
        return _classes()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_classes())

    def __len__(self) -> int:
        return len(_classes())


@cache
def _classes() -> dict[str, type[ScoringMethod]]:
    from sf_assets.model.boosting import BoostingMethod  # noqa: PLC0415
    from sf_assets.model.ensemble import EnsembleMethod  # noqa: PLC0415
    from sf_assets.model.forest import ForestMethod  # noqa: PLC0415
    from sf_assets.model.logistic import LogisticMethod  # noqa: PLC0415
    from sf_assets.model.staged import StagedMethod  # noqa: PLC0415
    from sf_assets.model.threshold import ThresholdMethod  # noqa: PLC0415

    methods = (BoostingMethod, StagedMethod, EnsembleMethod, ForestMethod, LogisticMethod, ThresholdMethod)
    return {method.name: method for method in methods}


METHODS = _Methods()


def method_named(name: str) -> type[ScoringMethod]:
    """Return the class of a method.

    Raises:
        ValueError: no method has this name; the message lists the names.

    """
    if name not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, found {name!r}")
    return METHODS[name]


def fit_methods(
    kinds: Mapping[str, type[ScoringMethod]],
    features: tuple[str, ...],
    rows: Rows,
    *,
    target: npt.ArrayLike,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, ScoringMethod]:
    """Fit methods on the same rows, two at a time, each on one core; a method made of others takes them as they are fitted.

    Args:
        kinds: the classes of the methods, by name.
        features: names of the features, in order.
        rows: the table that holds the features.
        target: whether each row failed.
        weights: the weight of each row.
        groups: the company of each row.
        settings: the parameters of methods that differ from their defaults, by name.

    """
    changed = settings or {}
    alone = {name: kind for name, kind in kinds.items() if not kind.members}
    # Each method would read the columns of the table again, which takes as long as a regression scores it.
    matrix = as_matrix(rows, features)
    # A method limits the threads of the whole process: without an outer limit, the first fit to end would lift the other's.
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        made = pool.map(
            lambda kind: kind(features, **changed.get(kind.name, {})).fit(matrix, target, weights, groups),
            alone.values(),
        )
        fitted = dict(zip(alone, made, strict=True))
    for name, kind in kinds.items():
        if kind.members:
            of_members = {member: changed[member] for member in kind.members if member in changed}
            composed: Any = kind(features, settings=of_members or None, **changed.get(name, {}))  # type: ignore[call-arg]
            fitted[name] = composed.fit(matrix, target, weights, groups, fitted=fitted)
    return {name: fitted[name] for name in kinds}


def follow_recent_rate(
    fitted: Mapping[str, ScoringMethod],
    rows: Rows,
    *,
    target: npt.ArrayLike,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    recent: Flags | None = None,
) -> dict[str, "RateShift"]:
    """Move the probabilities of the methods that learn to the failure rate of recent rows; return what was added, by name.

    The arguments are those of `ProbabilityClassifier.follow_rate`, for every method.
    """
    return {
        name: fitted[name].follow_rate(rows, target, weights, groups, recent, log_odds=log_odds)  # type: ignore[attr-defined]
        for name, log_odds in _log_odds(fitted, rows).items()
    }


def scores_of(fitted: Mapping[str, ScoringMethod], rows: Rows) -> dict[str, Floats]:
    """Return the score of each row, from 0 to 1, by every method; what methods have in common is computed once."""
    table = _read_once(fitted, rows)
    log_odds = _log_odds(fitted, table)
    return {
        name: method.score_of_total(log_odds[name]) if name in log_odds else score(method, table)
        for name, method in fitted.items()
    }


def _log_odds(fitted: Mapping[str, ScoringMethod], rows: Rows) -> dict[str, Floats]:
    """Return the log-odds of the methods that learn; one made of others takes theirs where the fits are the same."""
    learned: dict[str, Any] = {name: method for name, method in fitted.items() if method.learns}
    rows = _read_once(learned, rows)
    alone = {name: (method, method.log_odds(rows)) for name, method in learned.items() if not method.members}
    return {
        name: method.log_odds(rows, alone) if method.members else alone[name][1] for name, method in learned.items()
    }


def _read_once(fitted: Mapping[str, ScoringMethod], rows: Rows) -> Rows:
    """Return the features of a table as a matrix when all methods read the same ones, the table itself otherwise."""
    features = {method.features_ for method in fitted.values()}
    return as_matrix(rows, features.pop()) if len(features) == 1 else rows


def score(method: ScoringMethod, rows: Rows) -> Floats:
    """Return the score of each row, from 0 to 1."""
    return method.predict_proba(rows)[:, 1]
