"""Drift: whether the features and scores of a month still have the distributions of the months learned from."""

from collections.abc import Sequence
from datetime import date
from importlib.resources import files

import numpy as np
import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.sampling import define_sampling
from sf_assets.engine.stability import stability_index
from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.tables import DRIFT
from sf_assets.features.tables import MATRIX
from sf_assets.model.methods import METHODS, scores_of
from sf_assets.model.store import ModelStore
from sf_assets.vocabulary.schema import Table

# The stability index compares tenths: more rows would not change it.
_REFERENCE_ROWS = 20_000
REFERENCE_ROWS = read_query(files("sf_assets.evaluation"), "reference_rows").text
_LEARNED = (
    "select methode, version, training_from, training_to from model_fitted "
    "where training_from is not null and version is not null order by methode"
)


def reference_months(session: Session, month: date) -> list[date]:
    """Return the months that a month is compared with: the same calendar month of each year learned from, or all of them.

    Accounts, staff and contributions are seasonal: compared with a whole year, a month would always seem to have drifted.
    `model_fitted` of the month is bound in the session. No month without a method that learned.
    """
    learned = session.connection.execute(_LEARNED).fetchone()
    if learned is None:
        return []
    *_, first, last = learned
    span = [m for m in session.months(MATRIX.name) if first <= m <= last]
    return [m for m in span if m.month == month.month] or span


def month_drift(
    session: Session, month: date, compared: Sequence[date], store: ModelStore, matrix: Table = MATRIX
) -> pl.DataFrame:
    """Return the rows of `eval_drift`: features and scores of a month, against the months `compared`.

    `model_fitted` and `feat_matrix` of the month are bound in the session. No row without a month to compare with. `matrix`
    is the table of features of the mode.
    """
    if not compared:
        return frame_of(DRIFT, ())
    learned = session.connection.execute(_LEARNED).fetchall()
    current = session.connection.execute("select * from feat_matrix order by siren").pl()
    reference = reference_rows(session, compared, matrix)
    names = [name for name in matrix.column_names if name != "siren"]
    methods = {name: store.load(month, name, version)[0] for name, version, *_ in learned if name in METHODS}
    before, now = (pl.DataFrame(scores_of(methods, rows)) for rows in (reference, current))
    return pl.concat(
        [drift_rows("variable", reference, current, names), drift_rows("score", before, now, tuple(methods))]
    )


def drift_rows(kind: str, reference: pl.DataFrame, current: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return one row of `eval_drift` per column of `names`: shares are of all rows, medians of known values."""
    return frame_of(DRIFT, (_row(kind, name, reference[name], current[name]) for name in names))


def _row(kind: str, name: str, reference: pl.Series, current: pl.Series) -> dict[str, object]:
    before, now = (values.cast(pl.Float64).fill_nan(None) for values in (reference, current))
    index = stability_index(*(values.drop_nulls().to_numpy() for values in (before, now)))
    return {
        "nature": kind,
        "nom": name,
        # The last bits of a logarithm depend on the machine.
        "psi": None if np.isnan(index) else round(index, 9),
        "connus_reference": _known_share(before),
        "connus_mois": _known_share(now),
        "mediane_reference": before.median(),
        "mediane_mois": now.median(),
    }


def _known_share(values: pl.Series) -> float | None:
    return values.count() / len(values) if len(values) else None


def reference_rows(session: Session, months: Sequence[date], matrix: Table = MATRIX) -> pl.DataFrame:
    """Return a sample of the rows of some months."""
    session.bind_months([matrix], months)
    (rows,) = session.connection.execute("select count(*) from feat_matrix").fetchall()[0]
    one_in = max(round(rows / _REFERENCE_ROWS), 1)
    define_sampling(session)
    return session.connection.execute(REFERENCE_ROWS, {"months": [*months], "one_in": one_in}).pl()
