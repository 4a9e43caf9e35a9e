"""What came of each source, month by month."""

from collections.abc import Sequence
from datetime import date

from sf_assets.engine.charts.calendar import arrivals
from sf_assets.engine.storage import Session
from sf_assets.sources.registry import SOURCES

_MONTHS = 24
# A source is missing when its check said so: one that was not looked at is not.
_ARRIVED = """
    select source, month, if(bool_or(fault is not null), 'refused', 'delivered') from lake.src_arrivals group by all
    union all
    select asset[5:], month, 'missing' from lake.check_verdicts
    where check_name = 'delivered' and starts_with(asset, 'src_') and not passed
"""


def arrivals_of(session: Session, months: Sequence[date]) -> str:
    """Draw the arrivals of the latest months that were delivered, as they were inspected."""
    if not session.months("src_arrivals"):
        return arrivals([source.name for source in SOURCES], [], {})
    found = session.connection.execute(_ARRIVED).fetchall()
    shown = sorted({month for _, month, _ in found}.intersection(months))[-_MONTHS:]
    return arrivals(
        [source.name for source in SOURCES], shown, {(source, month): state for source, month, state in found}
    )
