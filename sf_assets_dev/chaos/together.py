"""Writers of the same months at once: each month ends with the rows of one of them, and every write is a snapshot."""

import multiprocessing
from collections.abc import Sequence
from datetime import date

from sf_assets.engine.storage import Session, Warehouse
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_dev.chaos.trial import Outcome

WRITERS = 8
_TABLE = Table(
    "shared", "one debt", (Column("siret", "VARCHAR", "establishment"), Column("numero", "BIGINT", "writer"))
)
_SIRETS = ("a", "b")
_ROWS = f"select unnest({list(_SIRETS)}) as siret, $writer::bigint as numero"
_LOADED = "sf_assets.engine.storage"


def replace_together(warehouse: Warehouse, months: int) -> Outcome:
    """Let eight processes replace the same months, each starting at another one; return what is stored then.

    A month whose rows are not those of one writer counts as torn, a row that is there twice as doubled; `again` are the
    writers that failed. The rows are as expected when all months are there and the writes made one snapshot each.
    """
    listed = [add_months(date(2020, 1, 1), n) for n in range(months)]
    with warehouse.session() as session:
        first = _newest(session)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([_LOADED])
    places = [writer * months // WRITERS for writer in range(WRITERS)]
    writers = [
        server.Process(target=_replace, args=(warehouse, [*listed[place:], *listed[:place]], writer))
        for writer, place in enumerate(places)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    with warehouse.session() as session:
        found = session.connection.execute(
            f"select month, count(*), count(distinct siret), count(distinct numero) from lake.{_TABLE.name} "
            "group by all order by all"
        ).fetchall()
        snapshots = _newest(session) - first
    return Outcome(
        f"{WRITERS} writers of the same {months} months",
        strokes=WRITERS * months,
        torn=sum(sirets != len(_SIRETS) or numbers != 1 for _, _, sirets, numbers in found),
        doubled=sum(rows - sirets for _, rows, sirets, _ in found),
        again=sum(process.exitcode != 0 for process in writers),
        same=[month for month, *_ in found] == listed and snapshots == WRITERS * months,
    )


def _replace(warehouse: Warehouse, months: Sequence[date], writer: int) -> None:
    with warehouse.session() as session:
        for month in months:
            session.replace(
                {_TABLE: _ROWS},
                where={"month": month},
                author="chaos",
                message=f"writer {writer}",
                parameters={"writer": writer},
            )


def _newest(session: Session) -> int:
    with session.reading() as snapshot:
        return snapshot
