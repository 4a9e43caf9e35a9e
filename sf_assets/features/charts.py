"""What the month's matrix looks like: which sources say something of how many companies, and what moved in a month."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from sf_assets.engine.charts.bars import bars
from sf_assets.engine.charts.calendar import coverage
from sf_assets.engine.charts.shift import stability
from sf_assets.engine.storage import Session
from sf_assets.features.registry import FEATURES
from sf_assets.vocabulary.partitions import add_months

_MONTHS = 24
_SAMPLE = 20_000  # companies of each month that are compared: indices move by less than 0.002 beyond
_TOLD = 15


def coverage_of(session: Session, month: date) -> str:
    """Draw the share of companies each source says something of, over the last 24 months up to `month`.

    A source speaks of a company when one of the features it alone feeds is known.
    """
    sources: dict[str, list[str]] = {}
    for feature in FEATURES:
        if len(feature.sources) == 1:
            sources.setdefault(feature.sources[0], []).append(feature.name)
    shares = ", ".join(f"avg((coalesce({', '.join(names)}) is not null)::integer)" for names in sources.values())
    rows = session.connection.execute(
        f"select month, {shares} from lake.feat_matrix where month between $first and $last group by month order by month",
        {"first": add_months(month, 1 - _MONTHS), "last": month},
    ).fetchall()
    found = {(name, row[0]): share for row in rows for name, share in zip(sources, row[1:], strict=True)}
    return coverage(list(sources), [row[0] for row in rows], found)


def shifts_of(session: Session, month: date) -> list[tuple[str, float]]:
    """Return how far each feature moved since the month before, most first; nothing without a month before."""
    before, after = (_sample(session, one) for one in (add_months(month, -1), month))
    if not before.size or not after.size:
        return []
    moved = [(feature.name, stability(before[:, n], after[:, n])) for n, feature in enumerate(FEATURES)]
    return sorted(moved, key=lambda one: -one[1])


def shift_picture(shifts: Sequence[tuple[str, float]]) -> str:
    """Draw the features that moved most."""
    rows = [(name, {"stability index": index}) for name, index in shifts[:_TOLD]]
    return bars(rows, title="Shift since the month before", decimals=3)


def _sample(session: Session, month: date) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    columns = ", ".join(f"cast({feature.name} as double)" for feature in FEATURES)
    found = session.connection.execute(
        f"select {columns} from lake.feat_matrix where month = $month order by hash(siren) limit {_SAMPLE}",
        {"month": month},
    ).pl()
    return found.fill_null(float("nan")).to_numpy()
