"""Charts of methods and scores: precision and recall, calibration, and the distribution of scores with the thresholds."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files

from sf_assets.engine.charts.curves import calibration, precision_recall
from sf_assets.engine.charts.histogram import histogram
from sf_assets.engine.storage import Session
from sf_assets.model.curves import precision_axis_end
from sf_assets.model.learning import LearningResult

_BINS = 50
_DISTRIBUTION = files("sf_assets.model").joinpath("score_distribution.sql").read_text(encoding="utf-8")
_SELECTED = "select methode, seuil_modere, seuil_fort from lake.model_fitted where month = $month and retained"


def score_distribution_chart(session: Session, month: date, fitted: date) -> str | None:
    """Draw the scores of a month by the method selected in the month `fitted`; return None when none was selected."""
    row = session.connection.execute(_SELECTED, {"month": fitted}).fetchone()
    if row is None:
        return None
    methode, modere, fort = row
    counts = dict(
        session.connection.execute(_DISTRIBUTION, {"month": month, "methode": methode, "bins": _BINS}).fetchall()
    )
    thresholds = {name: value for name, value in (("modéré", modere), ("fort", fort)) if value is not None}
    return histogram([counts.get(place, 0) for place in range(_BINS)], thresholds, title=f"Scores by {methode}")


def curve_charts(learned: Sequence[LearningResult]) -> dict[str, str]:
    """Draw the curves of the methods on the test months, by name of the chart; return none without test months."""
    drawn = {}
    if ranked := [one.precision_recall for one in learned if one.precision_recall]:
        drawn["precision_recall"] = precision_recall(
            ranked, title="Précision et rappel", y_max=precision_axis_end(ranked)
        )
    if calibrated := [one.calibration for one in learned if one.calibration]:
        drawn["calibration"] = calibration(calibrated, title="Calibration")
    return drawn
