"""Whether a month still looks like the months learned from: distributions of inputs and scores, and what is known of them."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.tables import DRIFT
from sf_assets.features.tables import MATRIX
from sf_assets.model.matrix import Floats

BINS = 10
# An empty bin says "rare", not "never".
_LEAST_SHARE = 1e-4
# Tenths need no more rows to be told.
_REFERENCE_ROWS = 20_000
REFERENCE = """
    select * exclude (month) from feat_matrix
    where month in (select unnest($months)) and ('0x' || left(md5(siren || month::varchar), 8))::ubigint % $one_in = 0
    order by month, siren
"""


def stability_index(reference: Floats, current: Floats, *, bins: int = BINS) -> float:
    """Return the population stability index: sum of (q - p) ln(q / p) over tenths of the reference, NaN without values.

    Values heaped up in one point share a bin.

    >>> stability_index(np.arange(100.0), np.arange(100.0))
    0.0
    """
    if not reference.size or not current.size:
        return float("nan")
    edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins, method="inverted_cdf"))
    p, q = (_shares(np.searchsorted(edges, values, side="left"), edges.size + 1) for values in (reference, current))
    return float(np.sum((q - p) * np.log(q / p)))


def _shares(places: npt.NDArray[np.intp], bins: int) -> Floats:
    return np.asarray(np.maximum(np.bincount(places, minlength=bins) / places.size, _LEAST_SHARE))


def drift(kind: str, reference: pl.DataFrame, current: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return one row of `eval_drift` per column of `names`; shares are of all rows, medians of known values."""
    return frame_of(DRIFT, (_row(kind, name, reference[name], current[name]) for name in names))


def _row(kind: str, name: str, reference: pl.Series, current: pl.Series) -> dict[str, object]:
    before, now = (values.cast(pl.Float64).fill_nan(None) for values in (reference, current))
    index = stability_index(*(values.drop_nulls().to_numpy() for values in (before, now)))
    return {
        "nature": kind,
        "nom": name,
        # The last bits of a logarithm are those of the machine.
        "psi": None if np.isnan(index) else round(index, 9),
        "connus_reference": _known_share(before),
        "connus_mois": _known_share(now),
        "mediane_reference": before.median(),
        "mediane_mois": now.median(),
    }


def _known_share(values: pl.Series) -> float | None:
    return values.count() / len(values) if len(values) else None


def reference_rows(session: Session, month: date, first: date, last: date) -> pl.DataFrame:
    """Return some of the rows learned from `first` to `last`, the same ones on any day and machine.

    They are those of the same month of each year, where there are any: accounts, staff and contributions have seasons,
    and a month differs from the rest of the year without anything having changed.
    """
    span = [m for m in session.months(MATRIX.name) if first <= m <= last]
    months = [m for m in span if m.month == month.month] or span
    session.bind_months([MATRIX], months)
    (rows,) = session.connection.execute("select count(*) from feat_matrix").fetchall()[0]
    one_in = max(round(rows / _REFERENCE_ROWS), 1)
    return session.connection.execute(REFERENCE, {"months": months, "one_in": one_in}).pl()
