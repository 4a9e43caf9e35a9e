"""What the writers of the trial write: two tables, of which one transaction replaces some months; every row names its write."""

import random
from collections.abc import Sequence
from contextlib import suppress
from ctypes import c_int
from dataclasses import dataclass
from datetime import date
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Protocol

from sf_assets.engine.errors import EngineError
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table

_COLUMNS = (Column("siren", "VARCHAR", "company"), Column("numero", "BIGINT", "number of the write"))
TABLES = (Table("debts", "one debt", _COLUMNS), Table("features", "one company", _COLUMNS, partition_by_month=True))
MONTHS = tuple(add_months(date(2026, 1, 1), n) for n in range(6))
_MOST_MONTHS = 3  # of one write
# What a writer is doing when it is killed.
MOMENTS = ("between two writes", "while it computes or writes files", "while it waits for the lock or holds it")
BETWEEN, COMPUTING, HOLDING = range(3)


class Moment(Protocol):
    """A number that the writer sets and the trial reads: an index of `MOMENTS`."""

    value: int


def months_written(seed: int, number: int) -> list[date]:
    """Return the months that a write replaces."""
    draw = random.Random(f"{seed} {number}")  # noqa: S311 - a trial, no secret
    return sorted(draw.sample(MONTHS, draw.randint(1, _MOST_MONTHS)))


def rows_written(number: int, rows: int) -> int:
    """Return how many rows of each month a write stores: not the same for two writes in a row."""
    return rows + number % 7


def query_of(months: Sequence[date], number: int, rows: int) -> str:
    """Return the query of the rows of a write."""
    listed = ", ".join(f"date '{month}'" for month in months)
    return (
        f"select month, i::varchar as siren, {number}::bigint as numero "
        f"from (select unnest([{listed}]) as month), range({rows_written(number, rows)}) as t (i)"
    )


def write(session: Session, months: Sequence[date], number: int, rows: int) -> None:
    """Replace months of both tables in one transaction."""
    query = query_of(months, number, rows)
    where = {"month": list(months)}
    session.replace(dict.fromkeys(TABLES, query), where=where, author="chaos", message=f"write {number}")


@dataclass(frozen=True, slots=True)
class Writer:
    """The writes of one process: the `seed` of their months, the number of the `first`, the `rows` of a month."""

    seed: int
    first: int
    rows: int


def write_on(warehouse: Warehouse, writer: Writer, ready: Connection, moment: c_int) -> None:
    """Write until killed, or until a server does not answer any more; send the number of each write that has ended."""
    one_writer = Catalog.one_writer

    class Watched:
        """The lock of the writers, which also says that it is asked for."""

        def __init__(self, *arguments: Any) -> None:
            self._lock = one_writer(*arguments)

        def __enter__(self) -> None:
            moment.value = HOLDING
            self._lock.__enter__()

        def __exit__(self, *error: Any) -> bool | None:
            ended = self._lock.__exit__(*error)
            moment.value = COMPUTING
            return ended

    def watched(*arguments: Any) -> Watched:
        return Watched(*arguments)

    Catalog.one_writer = watched  # type: ignore[method-assign, assignment]
    with suppress(EngineError), warehouse.session() as session:
        for number in count(writer.first):
            moment.value = COMPUTING
            write(session, months_written(writer.seed, number), number, writer.rows)
            moment.value = BETWEEN
            ready.send(number)
