"""The thresholds of a method on the validation rows, and its figures on the test rows, from its scores of both."""

from dataclasses import dataclass

import polars as pl

from sf_assets.engine.charts.curves import Curve
from sf_assets.model.alerting import AlertRule
from sf_assets.model.columns import Names
from sf_assets.model.curves import calibration_of, precision_recall_of
from sf_assets.model.evaluation import Evaluation, Thresholds, evaluate
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import ScoringMethod


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Labelled rows, the names of their columns, and the score of each row by one method."""

    rows: pl.DataFrame
    names: Names
    scores: Floats

    def thresholds(self, rule: AlertRule) -> Thresholds:
        """Return the thresholds that a rule chooses on these rows."""
        return rule.thresholds(
            self.scores, self.names.outcome(self.rows)["target"], self.names.already_failed(self.rows)
        )

    def evaluation(self, method: ScoringMethod, thresholds: Thresholds) -> Evaluation:
        """Return the figures of these rows."""
        target, failed = self.names.outcome(self.rows)["target"], self.names.already_failed(self.rows)
        return evaluate(self.scores, target, failed, thresholds, probabilities=method.learns)


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a method before it is fitted on all labelled months.

    Attributes:
        thresholds: the thresholds of both levels, chosen on the validation rows.
        validation_precision: average precision on the validation rows, companies already in a procedure left out.
        evaluation: the figures on the test rows.
        precision_recall, calibration: curves on the test rows, companies already in a procedure left out; None without
            failures, and no calibration curve for a method that does not learn.

    """

    thresholds: Thresholds
    validation_precision: float | None
    evaluation: Evaluation
    precision_recall: Curve | None
    calibration: Curve | None


def measure(method: ScoringMethod, validation: ScoredRows, test: ScoredRows, rule: AlertRule) -> Measures:
    """Return the thresholds that `rule` chooses on the validation rows, and the figures of a method on the test rows."""
    thresholds = validation.thresholds(rule)
    outside = ~test.names.already_failed(test.rows)
    scores, target = test.scores[outside], test.names.outcome(test.rows)["target"][outside]
    return Measures(
        thresholds,
        validation.evaluation(method, thresholds).hors_procedure.average_precision,
        test.evaluation(method, thresholds),
        precision_recall_of(method.name, scores, target) if target.any() else None,
        calibration_of(method.name, scores, target) if method.learns and target.any() else None,
    )
