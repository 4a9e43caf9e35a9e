"""What is stored after a kill: months that are torn, rows that are doubled, a lock that is not free."""

import time
from dataclasses import dataclass
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets_dev.chaos.writing import MONTHS, TABLES, months_written, query_of, rows_written, write

_BY_MONTH = "select month, min(numero), max(numero), count(*), count(distinct siren) from lake.{} group by month"
_LOCK_SECONDS = 10.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Stored:
    """The state of the warehouse: the number of its newest write, months torn, months with doubled rows."""

    newest: int
    torn: int
    doubled: int


def stored(session: Session, seed: int, rows: int) -> Stored:
    """Return the state of the warehouse.

    A month is torn when its rows are of two writes, fewer or more than one write stores, or not of the same write in both
    tables; or when the newest write, which is one transaction, is in some of its months only.
    """
    found: list[dict[date, tuple[int, int, int, int]]] = [
        {
            month: tuple(figures)
            for month, *figures in session.connection.execute(_BY_MONTH.format(table.name)).fetchall()
        }
        for table in TABLES
    ]
    torn, doubled = set(), set()
    for of_table, other in (found, found[::-1]):
        for month, (first, last, number_of_rows, companies) in of_table.items():
            if companies != number_of_rows:
                doubled.add(month)
            if first != last or companies != rows_written(last, rows) or other.get(month, (None,))[0] != first:
                torn.add(month)
    newest = max((last for _, last, *_ in found[0].values()), default=0)
    # The writes of before the trial store every month at once.
    held = {month for month, (_, last, *_) in found[0].items() if last == newest}
    if newest > 0:
        torn |= held.symmetric_difference(months_written(seed, newest))
    return Stored(newest, len(torn), len(doubled))


def seconds_until_free(session: Session) -> float | None:
    """Return after how many seconds the lock of the writers is free; None when it is not within ten."""
    started = time.monotonic()
    while session.writer() is not None:
        if time.monotonic() - started > _LOCK_SECONDS:
            return None
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - started


def is_as_undisturbed(session: Session, rows: int) -> bool:
    """Write every month once more; return whether both tables then hold exactly the rows of that write."""
    write(session, MONTHS, 0, rows)
    expected = f"select month, siren, numero from ({query_of(MONTHS, 0, rows)})"
    for table in TABLES:
        held = f"select month, siren, numero from lake.{table.name}"
        differences = f"(({expected}) except all ({held})) union all (({held}) except all ({expected}))"
        if session.connection.execute(f"select 1 from ({differences}) limit 1").fetchall():
            return False
    return True
