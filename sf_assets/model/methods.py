"""The scoring methods by name, and what each of them offers. One more method is one more class here."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import ClassVar, Protocol, Self

import numpy.typing as npt

from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Floats, Rows


class ScoringMethod(Protocol):
    """A scikit-learn estimator that can also explain itself.

    Rows are a polars frame holding the features, or a float matrix of them in order; NULL or NaN is unknown.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    learns: ClassVar[bool]
    """Whether fitting uses the rows; scores of a method that learns are probabilities."""
    trusted: ClassVar[tuple[str, ...]]
    """The types a stored method may hold besides those of scikit-learn."""
    default_thresholds: ClassVar[Thresholds | None]
    """Alert thresholds for want of a validation set."""
    features: tuple[str, ...]

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from rows, from whether each failed, what it weighs and whose it is."""
        ...

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return rows x 2: the second column is the score, in [0, 1]."""
        ...

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return rows x features: what each feature adds to the score, in log-odds or in points."""
        ...

    @property
    def base_(self) -> float:
        """What contributions start from."""
        ...

    def explained(self, total: Floats) -> Floats:
        """Return the scores of rows whose contributions, with `base_`, add up to `total`."""
        ...

    @property
    def typical_(self) -> Floats | None:
        """The usual value of each feature in its own unit; None when the method knows of none."""
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
    from sf_assets.model.forest import ForestMethod  # noqa: PLC0415
    from sf_assets.model.logistic import LogisticMethod  # noqa: PLC0415
    from sf_assets.model.staged import StagedMethod  # noqa: PLC0415
    from sf_assets.model.threshold import ThresholdMethod  # noqa: PLC0415

    methods = (BoostingMethod, StagedMethod, ForestMethod, LogisticMethod, ThresholdMethod)
    return {method.name: method for method in methods}


METHODS = _Methods()


def method_named(name: str) -> type[ScoringMethod]:
    """Return a method's class; raise `ValueError` with the known names."""
    if name not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, found {name!r}")
    return METHODS[name]


def score(method: ScoringMethod, rows: Rows) -> Floats:
    """Return the score of each row, in [0, 1]."""
    return method.predict_proba(rows)[:, 1]
