"""Load the backtest of a month: its rows with their outcomes, and the scores of one method."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.clean.procedures import PROCEDURE_EPISODE
from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session
from sf_assets.evaluation.panel import Panel, panel_of
from sf_assets.evaluation.tables import BACKTEST
from sf_assets.features.configurations import IN_USE
from sf_assets.features.tables import COMPANY_MONTH, MATRIX
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import METHODS
from sf_assets.model.tables import TARGET
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Table


def backtest_rows(matrix: Table) -> str:
    """Return the query of the rows of a backtest; `matrix` is the table of features of the mode."""
    size = "effectif" if "effectif" in matrix.column_names else "tranche_effectif"
    return read_query(files("sf_assets.evaluation"), "backtest_rows", {"size": size}).text


BACKTEST_ROWS = backtest_rows(MATRIX)
_SCORES = """
    select probabilite from eval_backtest where methode = $method and entreprises = $companies order by periode, siren
"""


def bind_backtest(session: Session, month: date, matrix: Table = MATRIX) -> list[date]:
    """Bind the backtest of a month with labels, procedures and the features `matrix`; return the months that it scored."""
    session.bind(dict.fromkeys((BACKTEST, TARGET, PROCEDURE_EPISODE), month))
    rows = session.connection.execute("select distinct periode from eval_backtest order by periode").fetchall()
    scored = [periode for (periode,) in rows]
    session.bind_months([COMPANY_MONTH, matrix], scored or [month])
    return scored


def load_panel(session: Session, shift: int, matrix: Table = MATRIX) -> Panel | None:
    """Return the rows of the backtest bound in a session, with their outcomes; None when no month was scored.

    `shift` is the number of days between the last day of a month and its cut-off.
    """
    rows = session.connection.execute(backtest_rows(matrix), {"shift": shift}).pl()
    return panel_of(rows, shift) if rows.height else None


def load_features(session: Session, panel: Panel, names: Sequence[str] = IN_USE) -> npt.NDArray[np.float32]:
    """Return features, by default those in use, of the rows of a panel, rows x features in its order, NaN where unknown.

    `feat_matrix` is bound to the months that were scored. Half the bytes of a float64: the rows are all those of a backtest.
    """
    features = np.full((panel.company.size, len(names)), np.nan, dtype=np.float32)
    columns = ", ".join(f"{name}::float as {name}" for name in names)
    for place, month in enumerate(panel.months):
        rows = np.flatnonzero(panel.period == place)
        query = f"select siren, {columns} from feat_matrix where month = $month"
        found = session.connection.execute(query, {"month": month}).pl()
        keys = pl.DataFrame({"siren": panel.companies.gather(panel.company[rows])})
        joined = keys.join(found, on="siren", how="left", maintain_order="left")
        features[rows] = joined.select(names).to_numpy()
    return features


def load_scores(session: Session, panel: Panel, method: str, companies: str) -> Floats:
    """Return the scores of one method in the order of the panel.

    Raises:
        PermanentFailure: some rows have scores and no features or outcome, or the reverse.

    """
    scores = session.connection.execute(_SCORES, {"method": method, "companies": companies}).pl()["probabilite"]
    if len(scores) != panel.company.size:
        raise PermanentFailure(
            f"eval_backtest: expected {panel.company.size} rows of {method} ({companies}) with features and an outcome, "
            f"found {len(scores)}. Features or target changed since: materialise eval_backtest again."
        )
    return scores.cast(pl.Float64).to_numpy()


def backtested_methods(session: Session) -> list[tuple[str, str]]:
    """Return the (method, companies) pairs of a backtest, in order; methods removed since are left out."""
    rows = session.connection.execute("select distinct methode, entreprises from eval_backtest order by all").fetchall()
    return [(method, companies) for method, companies in rows if method in METHODS]
