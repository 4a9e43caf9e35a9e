"""What came of each source, month by month."""

from collections.abc import Sequence
from datetime import date

from sf_assets.pictures.calendar import arrivals
from sf_assets.sources import SOURCES
from sf_assets.sources.batch import EXPECTED
from sf_assets.storage import Session

_MONTHS = 24


def arrivals_of(session: Session, months: Sequence[date]) -> str:
    """Draw the arrivals of the latest months that were delivered."""
    rows = (
        session.connection.execute(
            "select source, month, count(*) filter (fault is not null) from lake.src_arrivals group by all"
        ).fetchall()
        if session.months("src_arrivals")
        else []
    )
    delivered = {(source, month): "refused" if faults else "delivered" for source, month, faults in rows}
    shown = sorted({month for _, month in delivered}.intersection(months))[-_MONTHS:]
    awaited = {(source, month): "missing" for source in EXPECTED for month in shown}
    return arrivals([source.name for source in SOURCES], shown, awaited | delivered)
