"""What methods and scores look like: precision, calibration, companies at each probability, where the levels begin."""

from collections.abc import Sequence
from datetime import date

from sf_assets.engine.charts.curves import calibration, precision_recall
from sf_assets.engine.charts.histogram import histogram
from sf_assets.engine.storage import Session
from sf_assets.model.curves import precision_axis_end
from sf_assets.model.learning import LearningResult

_BINS = 50
_SCORES = f"""
    select least(floor(s.probabilite * {_BINS}), {_BINS - 1})::integer as bin, count(*) as companies
    from lake.model_scores as s
    where s.month = $month and s.methode = $methode
        and s.version = (select max(version) from lake.model_scores where month = $month)
    group by bin
"""
_RETAINED = """
    select methode, seuil_modere, seuil_fort from lake.model_fitted where month = $month and retained
"""


def score_distribution_chart(session: Session, month: date, fitted: date) -> str | None:
    """Draw the scores of a month by the method retained in the month `fitted`; None when none was."""
    row = session.connection.execute(_RETAINED, {"month": fitted}).fetchone()
    if row is None:
        return None
    methode, modere, fort = row
    found = dict(session.connection.execute(_SCORES, {"month": month, "methode": methode}).fetchall())
    thresholds = {name: value for name, value in (("modéré", modere), ("fort", fort)) if value is not None}
    return histogram([found.get(place, 0) for place in range(_BINS)], thresholds, title=f"Scores by {methode}")


def curve_charts(learned: Sequence[LearningResult]) -> dict[str, str]:
    """Draw what the methods were worth on the test months, by name of the picture; nothing without test months."""
    drawn = {}
    if ranked := [one.precision_recall for one in learned if one.precision_recall]:
        drawn["precision_recall"] = precision_recall(
            ranked, title="Précision et rappel", y_max=precision_axis_end(ranked)
        )
    if calibrated := [one.calibration for one in learned if one.calibration]:
        drawn["calibration"] = calibration(calibrated, title="Calibration")
    return drawn
