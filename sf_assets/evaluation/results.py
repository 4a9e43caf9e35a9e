"""The results of an evaluation, loaded from the warehouse for the report and the page of figures."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.charts.curves import Curve
from sf_assets.engine.storage import Session
from sf_assets.evaluation.bootstrap import Weights, draw_weights
from sf_assets.evaluation.figures import ALL_COMPANIES, OUTSIDE_PROCEDURE, OVERALL
from sf_assets.evaluation.loading import backtested_methods, bind_backtest, load_features, load_panel, load_scores
from sf_assets.evaluation.oracle import OracleComparison, compare_with_oracle, learn_bound, load_oracle
from sf_assets.evaluation.panel import Panel
from sf_assets.evaluation.tables import ANSWERS, DRIFT, EFFECT, FIGURES, UTILITY, VERIFICATION
from sf_assets.features.configurations import IN_USE_OF
from sf_assets.features.tables import matrix_of
from sf_assets.model.curves import calibration_of, distribution_of, precision_recall_of
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import METHODS
from sf_assets.model.selection import CHAMPION
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import FULL, Mode

_TABLES = (FIGURES, CHAMPION, UTILITY, DRIFT, VERIFICATION, ANSWERS, EFFECT)


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """The tables of an evaluation, the curves of its scores, and their comparison with the oracle.

    Attributes:
        month: the month of the evaluation.
        companies: how many companies the backtest scored.
        figures, champion, utility, drift, verification, answers, effect: the tables `eval_<name>` of the month.
        oracle_comparisons: empty for real data, which has no oracle.
        best: the method of the highest average precision.
        precision_recall, calibration: the curves of each method, companies in a procedure left out.
        distribution: how many scores of `best` lie in each of a hundred equal ranges from 0 to 1.
        groups: the names of the groups of each dimension, in order.

    """

    month: date
    companies: int
    figures: pl.DataFrame
    champion: pl.DataFrame
    utility: pl.DataFrame
    drift: pl.DataFrame
    verification: pl.DataFrame
    answers: pl.DataFrame
    effect: pl.DataFrame
    oracle_comparisons: tuple[OracleComparison, ...]
    best: str
    precision_recall: tuple[Curve, ...]
    calibration: tuple[Curve, ...]
    distribution: list[int]
    groups: dict[str, tuple[str, ...]]

    @property
    def methods(self) -> list[str]:
        """The methods, in descending order of average precision."""
        return self.overall("average_precision").sort("valeur", descending=True, nulls_last=True)["methode"].to_list()

    @property
    def origins(self) -> list[str]:
        """The origins as `YYYY-MM`, the earliest first."""
        return self.figures.filter(dimension="origine")["groupe"].unique().sort().to_list()

    def overall(self, name: str, *, companies: str = ALL_COMPANIES, reading: str = OUTSIDE_PROCEDURE) -> pl.DataFrame:
        """Return one figure of every method over all rows of a reading, one row per method."""
        return self.figures.filter(mesure=name, entreprises=companies, lecture=reading, dimension=OVERALL)

    def by_group(self, method: str, dimension: str, *names: str) -> pl.DataFrame:
        """Return figures of one method, companies in a procedure left out: one row per figure and group of a dimension."""
        return self.figures.filter(
            pl.col("mesure").is_in(names),
            methode=method,
            entreprises=ALL_COMPANIES,
            lecture=OUTSIDE_PROCEDURE,
            dimension=dimension,
        )


def load_results(session: Session, month: date, shift: int, oracle: Path, mode: Mode = FULL) -> EvaluationResults:
    """Load the results of the evaluation of a month.

    Args:
        session: a session of the warehouse.
        month: the month of the evaluation.
        shift: days between the last day of a month and its cut-off.
        oracle: the path of the oracle's file; it exists for synthetic data only.
        mode: the mode of the deployment.

    Raises:
        UserError: the backtest of the month has no row.

    """
    bind_backtest(session, month, matrix_of(mode))
    panel = load_panel(session, shift, matrix_of(mode))
    if panel is None:
        raise UserError(
            f"eval_backtest, {month:%Y-%m}: expected scores of past origins, found none. No origin has enough months and failing "
            "companies before it to learn from: evaluate again when the history has more of them."
        )
    session.bind(dict.fromkeys(_TABLES, month))
    tables = {table.name: session.connection.execute(f"from {table.name} order by all").pl() for table in _TABLES}
    # A method that was removed from the code since has stored figures and no label to show.
    figures = tables[FIGURES.name].filter(pl.col("methode").is_in(list(METHODS)))
    outside = ~panel.en_procedure
    scores = {
        method: load_scores(session, panel, method, companies)
        for method, companies in backtested_methods(session)
        if companies == ALL_COMPANIES
    }
    weights = draw_weights(len(panel.companies))
    best = str(
        figures.filter(
            mesure="average_precision", entreprises=ALL_COMPANIES, lecture=OUTSIDE_PROCEDURE, dimension=OVERALL
        ).sort("valeur", descending=True, nulls_last=True)["methode"][0]
    )
    target = panel.target[outside]
    return EvaluationResults(
        month=month,
        companies=len(panel.companies),
        figures=figures,
        champion=tables[CHAMPION.name],
        utility=tables[UTILITY.name],
        drift=tables[DRIFT.name],
        verification=tables[VERIFICATION.name],
        answers=tables[ANSWERS.name],
        effect=tables[EFFECT.name],
        oracle_comparisons=_oracle_comparisons(session, panel, oracle, scores, weights, features=IN_USE_OF[mode])
        if oracle.is_file()
        else (),
        best=best,
        precision_recall=tuple(
            precision_recall_of(name, panel.ranks(score, outside)[outside], target) for name, score in scores.items()
        ),
        calibration=tuple(
            calibration_of(name, score[outside], target) for name, score in scores.items() if METHODS[name].learns
        ),
        distribution=distribution_of(scores[best][outside]),
        groups={dimension: names for dimension, (_, names) in panel.groups.items()},
    )


def _oracle_comparisons(
    session: Session,
    panel: Panel,
    path: Path,
    scores: dict[str, Floats],
    weights: Weights,
    *,
    features: tuple[str, ...],
) -> tuple[OracleComparison, ...]:
    oracle = load_oracle(path, panel)
    return compare_with_oracle(
        panel, oracle, learn_bound(panel, oracle, load_features(session, panel, features)), scores, weights
    )
