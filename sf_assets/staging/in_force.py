"""Which batch of each source a month is computed from.

A monthly batch is computed from its own month. Sources that were not delivered stay in force: their staging table is
read at the newest month that was.
"""

from collections.abc import Sequence
from datetime import date

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.sources.registry import BY_NAME as SOURCES
from sf_assets.staging.tables import IMPORTS
from sf_assets.vocabulary.schema import Table


def in_force(session: Session, source: str, month: date) -> date | None:
    """Return the newest batch month, not after `month`, in which files of a source were loaded; None when none was."""
    return _in_force(session, month).get(source)


def _in_force(session: Session, month: date) -> dict[str, date]:
    """Return the newest batch month, not after `month`, in which files of each source were loaded."""
    session.bind({IMPORTS: None})
    query = "select source, max(month) from stg_import where month <= $month group by source"
    return dict(session.connection.execute(query, {"month": month}).fetchall())


def reads_at(
    gate: Gate, session: Session, names: Sequence[str], state: date
) -> tuple[dict[Table, date], list[tuple[str, date]]]:
    """Say which month of each staging and clean table a batch month is made of, and what must have passed before.

    A staging table whose files the month did not deliver is read where they last were. The month's own arrivals must
    all the same have been found as promised: an old stock never silently stands in for a refused one.
    """
    reads: dict[Table, date] = {}
    gates: list[tuple[str, date]] = []
    session.pin()
    loaded = _in_force(session, state) if any(name.startswith("stg_") for name in names) else {}
    for name in names:
        month = state
        source = name.removeprefix("stg_")
        if source in SOURCES:
            gates.append((f"src_{source}", state))
            month = loaded.get(source, state)
        gates.append((name, month))
        reads[gate.table(name)] = month
    return reads, gates
