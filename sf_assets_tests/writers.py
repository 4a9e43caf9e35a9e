"""Processes that write to one warehouse, for the tests of storage: they import no more than they need."""

import multiprocessing
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from multiprocessing.connection import Connection
from typing import Any

from sf_assets.engine.storage import Session, Warehouse, Write
from sf_assets.vocabulary.schema import Column, Table

MARCH = date(2026, 3, 1)

DEBTS = Table(
    "debts",
    "one debt of one establishment",
    (Column("siret", "VARCHAR", "establishment"), Column("montant", "DOUBLE", "what is owed", unit="€")),
)
# Two debts whose amount identifies the write they come from.
TWO_DEBTS = "select unnest(['a', 'b']) as siret, $amount::double as montant"


def write(session: Session, amount: float = 1, month: date = MARCH, table: Table = DEBTS) -> Write:
    return session.replace(
        {table: TWO_DEBTS}, where={"month": month}, author="test", message="test", parameters={"amount": amount}
    )[table.name]


def rows(session: Session, sql: str = "select month, siret, montant from lake.debts order by all") -> list[tuple]:
    return session.connection.execute(sql).fetchall()


def write_until_killed(settings: dict[str, Any], ready: Connection) -> None:
    """Replace one month again and again; the n-th write has 1,000 + n rows whose amount is n."""
    with Warehouse(**settings).session() as session:
        first = rows(session, "select coalesce(max(montant), 0)::int + 1 from lake.debts")[0][0]
        for number in range(first, first + 10_000):
            session.replace(
                {DEBTS: "select i::varchar as siret, $n::double as montant from range(1000 + $n::int) t (i)"},
                where={"month": MARCH},
                author="test",
                message="test",
                parameters={"n": number},
            )
            if number == first:
                ready.send("writing")


def start_writer(work: Callable[..., None], warehouse: Warehouse, argument: object) -> multiprocessing.Process:
    """Start a process without the connections and open files of this one."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    process = server.Process(target=work, args=(asdict(warehouse), argument))
    process.start()
    return process
