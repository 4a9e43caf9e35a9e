"""The batch of each source from which a month is computed.

A month is computed from its own batch. The last delivery of a source that the batch lacks stays in force: its staging table is
read at the newest month in which it was loaded.
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
    """Return the month of each staging and clean table to read for a batch month, and the checks that must have passed.

    A staging table that the month did not load is read at its last load. The checks of the month's own files are required
    even then, so that an old stock never silently replaces a refused one.
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
