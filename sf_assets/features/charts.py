"""Charts of a month's matrix: share of companies covered by each source, and shift of each feature in a month."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.calendar import coverage
from sf_assets.engine.sampling import define_sampling
from sf_assets.engine.stability import stability_index_with_unknown
from sf_assets.engine.storage import Session
from sf_assets.features.registry import FEATURES, Feature
from sf_assets.vocabulary.partitions import add_months

_MONTHS = 24
_SAMPLE = 20_000  # companies compared per month: a larger sample changes the indices by less than 0.002
_DISPLAYED = 15


def coverage_chart(session: Session, month: date, features: Sequence[Feature] = FEATURES) -> str:
    """Return the chart, as SVG, of the share of companies covered by each source in the 24 months up to `month`.

    A source covers a company when a feature that has this source only is known.
    """
    sources: dict[str, list[str]] = {}
    for feature in features:
        if len(feature.sources) == 1:
            sources.setdefault(feature.sources[0], []).append(feature.name)
    shares = ", ".join(f"avg((coalesce({', '.join(names)}) is not null)::integer)" for names in sources.values())
    rows = session.connection.execute(
        f"select month, {shares} from lake.feat_matrix where month between $first and $last group by month order by month",
        {"first": add_months(month, 1 - _MONTHS), "last": month},
    ).fetchall()
    covered = {(name, row[0]): share for row in rows for name, share in zip(sources, row[1:], strict=True)}
    return coverage(list(sources), [row[0] for row in rows], covered)


def shifts_of(session: Session, month: date, features: Sequence[Feature] = FEATURES) -> list[tuple[str, float]]:
    """Return the stability index of each feature against the month before, largest first; empty without that month."""
    before, after = (_sample(session, period, features) for period in (add_months(month, -1), month))
    if not before.size or not after.size:
        return []
    shifts = [
        (feature.name, stability_index_with_unknown(before[:, n], after[:, n])) for n, feature in enumerate(features)
    ]
    return sorted(shifts, key=lambda shift: -shift[1])


def shift_chart(shifts: Sequence[tuple[str, float]]) -> str:
    """Return the chart, as SVG, of the features with the largest shifts."""
    rows = [(name, {"stability index": index}) for name, index in shifts[:_DISPLAYED]]
    return bars(rows, title="Shift since the month before", decimals=3)


def _sample(
    session: Session, month: date, features: Sequence[Feature]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    columns = ", ".join(f"cast({feature.name} as double)" for feature in features)
    ((total,),) = session.connection.execute(
        "select count(*) from lake.feat_matrix where month = $1", [month]
    ).fetchall()
    define_sampling(session)
    rows = session.connection.execute(
        f"select {columns} from lake.feat_matrix where month = $month and in_sample(siren, month, $one_in) order by siren",
        {"month": month, "one_in": max(round(total / _SAMPLE), 1)},
    ).pl()
    return rows.fill_null(float("nan")).to_numpy()
