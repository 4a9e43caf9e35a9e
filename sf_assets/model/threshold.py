"""The threshold method of 2016: a score of points, added for each documented limit that a feature reaches.

It learns nothing and needs no history: it makes the list as long as no model can be trained and measured.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from sf_assets.model.classifier import TableClassifier
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.matrix import Flags, Floats, Rows, as_target, as_weights


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: `points` for a feature at or above it (`side` 1) or at or below it (-1); the points of several limits add up."""

    feature: str
    side: Literal[1, -1]
    limit: float
    points: int
    reason: str


LIMITS: tuple[Limit, ...] = (
    Limit("dette_sur_cotisation_mean12m", 1, 1.0, 1, "one month of contributions unpaid: more than an oversight"),
    Limit("dette_sur_cotisation_mean12m", 1, 3.0, 2, "three months unpaid: the default of the former target"),
    Limit("dette_sur_cotisation_mean12m", 1, 6.0, 2, "six months unpaid: rarely repaid without a payment plan"),
    Limit("effectif_variation12m", -1, -0.10, 1, "one employee in ten left within a year and was not replaced"),
    Limit("effectif_variation12m", -1, -0.30, 1, "three in ten left: the company shrinks"),
    Limit("ap_consommee_par_effectif_mean12m", 1, 15.0, 1, "a tenth of the 151.67 legal hours, over a whole year"),
    Limit("ap_consommee_par_effectif_mean12m", 1, 45.0, 1, "three tenths of the legal hours, over a whole year"),
    Limit("paydex", 1, 30.0, 1, "suppliers are paid a month late"),
)


# Limits of what open data tell of a company, for a table without the debts and head-counts of the limits above.
OPEN_LIMITS: tuple[Limit, ...] = (
    Limit("depot_manquant", 1, 1.0, 2, "accounts that used to be published and are not any more"),
    Limit("procedures_anterieures", 1, 1.0, 2, "a company that failed once fails again more often"),
    Limit("autonomie_publiee", -1, 0.0, 2, "losses have eaten the own funds"),
    Limit("resultat_sur_ca_publie", -1, -0.05, 1, "a loss of a twentieth of the turnover"),
    Limit("marge_ebe_publiee", -1, 0.0, 1, "the activity itself costs more than it earns"),
    Limit("tranche_variation12m", -1, -1.0, 1, "the staff fell by a band of INSEE within a year"),
    Limit("fermetures_24m", 1, 1.0, 1, "an establishment was closed within two years"),
)


class ThresholdMethod(TableClassifier):
    """Score = points of the limits reached / points of all limits; an unknown value gives no point.

    The score orders companies and is not a probability. `fit` only copies the limits, so that a stored method computes the
    same scores after the limits of the code have changed.

    Args:
        features: names of the features, in order; by default all columns of the table.
        limits: the limits, by default those of this module, which are of French features: `OPEN_LIMITS` for a table that has
            their columns, otherwise `LIMITS`.

    Attributes:
        columns_, sides_, limits_, points_: for each limit, the position of its feature, its side, value and points.

    """

    name: ClassVar[str] = "seuils"
    label: ClassVar[str] = "Méthode à seuils (points additionnés)"
    learns: ClassVar[bool] = False
    trusted: ClassVar[tuple[str, ...]] = ("sf_assets.model.threshold.ThresholdMethod", "numpy.dtype")
    # Three months of unpaid contributions alone are a moderate alert; a strong one needs another sign or six months.
    default_thresholds: ClassVar[Thresholds | None] = Thresholds(modere=0.3, fort=0.4)

    def __init__(self, features: tuple[str, ...] | None = None, *, limits: tuple[Limit, ...] | None = None) -> None:
        self.features = features
        self.limits = limits

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Nothing is learned: limits may have nothing to do with the target of a table.
        tags.classifier_tags.poor_score = True
        return tags

    def fit(
        self,
        X: Rows,  # noqa: N803
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,  # noqa: ARG002
    ) -> Self:
        """Validate the rows and copy the limits; weights and companies are ignored, since nothing is learned.

        Raises:
            ValueError: arguments do not match, or the table has no column of a limit's name.

        """
        matrix = self._learned_matrix(X, least=0)
        _, classes = as_target(y, len(matrix))
        as_weights(sample_weight, len(matrix))
        limits = _limits_of(self.features_) if self.limits is None else self.limits
        missing = [name for name in dict.fromkeys(limit.feature for limit in limits) if name not in self.features_]
        if missing:
            raise ValueError(
                f"{self.name}: expected columns {', '.join(missing)}, found none of that name. This method learns nothing and "
                "adds points at the limits of these columns: for another table, give `limits` or use a method that learns"
            )
        self.columns_ = np.array([self.features_.index(limit.feature) for limit in limits])
        self.sides_ = np.array([limit.side for limit in limits])
        self.limits_ = np.array([limit.limit for limit in limits])
        self.points_ = np.array([limit.points for limit in limits])
        self.classes_ = classes
        return self

    def triggered(self, X: Rows) -> Flags:  # noqa: N803
        """Return which limits each row reaches, rows x limits."""
        values = self._matrix(X)[:, self.columns_]
        return np.asarray(values * self.sides_ >= self.limits_ * self.sides_)

    def points(self, X: Rows) -> npt.NDArray[np.int64]:  # noqa: N803
        """Return the points of each row."""
        return np.asarray(self.triggered(X) @ self.points_)

    def predict_proba(self, X: Rows) -> Floats:  # noqa: N803
        """Return (1 - score, score) for each row, as scikit-learn classifiers do."""
        score = self.points(X) / self.points_.sum()
        return np.column_stack([1 - score, score])

    def contributions(self, X: Rows) -> Floats:  # noqa: N803
        """Return the points of each feature, rows x features; they add up to the points of the row."""
        by_limit = self.triggered(X) * self.points_
        by_feature = np.zeros((len(by_limit), len(self.features_)))
        for limit, column in enumerate(self.columns_):
            by_feature[:, column] += by_limit[:, limit]
        return by_feature

    @property
    def base_(self) -> float:
        """The points of a company that reaches no limit."""
        return 0.0

    def score_of_total(self, total: Floats) -> Floats:
        """Return the score of each total of points."""
        return np.asarray(total / self.points_.sum())

    @property
    def typical_(self) -> Floats | None:
        """None: nothing is learned from rows, and the limits alone define high and low values."""
        return None


def _limits_of(features: Collection[str]) -> tuple[Limit, ...]:
    """Return the limits of this module for a table with these features."""
    return OPEN_LIMITS if {limit.feature for limit in OPEN_LIMITS} <= {*features} else LIMITS
