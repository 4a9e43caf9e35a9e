"""The chart of the deliveries: one row per source, one column per month."""

from collections.abc import Sequence
from datetime import date

from sf_assets.engine.charts.calendar import arrivals
from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.sources.registry import SOURCES

_MONTHS = 24
# A source is missing when its check `delivered` failed; a source whose check did not run is not counted as missing.
_ARRIVED = read_sql("sf_assets.operations", "deliveries")


def arrivals_of(session: Session, months: Sequence[date]) -> str:
    """Return the chart, in SVG, of the arrivals of the latest of `months` that were inspected."""
    names = [source.name for source in SOURCES if source.table not in session.outside]
    if not session.months("src_arrivals"):
        return arrivals(names, [], {})
    rows = session.connection.execute(_ARRIVED).fetchall()
    latest = sorted({month for _, month, _ in rows}.intersection(months))[-_MONTHS:]
    return arrivals(names, latest, {(source, month): state for source, month, state in rows})
