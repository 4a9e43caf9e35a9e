"""How long statements take as the files of a table grow in the catalog: its metadata are multiplied, not the rows.

A copy of a file has the same path and another number. The month that is read and replaced keeps its one file, as in a
warehouse whose other months have many.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest.mock import patch

import duckdb

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.catalog import Catalog
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_dev.servers.postgres import postgres

LIMIT = 5_000
"""Files of one table up to which a statement on one month stays below `SECONDS`."""
SECONDS = 0.2
MONTHS = tuple(add_months(date(2017, 1, 1), n) for n in range(120))
MEASURED = MONTHS[60]
_COLUMNS = (Column("siren", "VARCHAR", "company"), *(Column(f"v{n}", "DOUBLE", "a value") for n in range(20)))
TABLE = Table("features", "one company", _COLUMNS, partition_by_month=True)
_ROWS = 200  # of a month: metadata are what is measured
_METADATA = ("ducklake_file_column_stats", "ducklake_file_partition_value", "ducklake_data_file")
_FIRST = 10_000_000  # number of the first copy, as in the statement: far beyond those of new files
_TURNS = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of statements on a table of `files`: the fastest of five turns, and what of a replacement holds the lock."""

    files: int
    attach: float
    month: float
    company: float
    replacement: float
    locked: float


def fill(session: Session) -> None:
    """Write the 120 months of a table of 22 columns, one small file each."""
    session.replace({TABLE: _query(MONTHS, 0)}, where={"month": list(MONTHS)}, author="bench", message="history")


def grow(session: Session, files: int) -> int:
    """Copy the metadata of the table until it has about so many files; return how many it has."""
    connection = session.connection
    copies = (files - count_files(connection)) // (len(MONTHS) - 1)
    taken = (count_files(connection) - len(MONTHS)) // (len(MONTHS) - 1)
    if copies > 0:
        with session.catalog.one_writer(connection, "copies"):
            for metadata in _METADATA:
                first = str(_FIRST + taken * 100_000)
                connection.execute(
                    read_sql(
                        "sf_assets_dev.bench",
                        "copies_of_files",
                        metadata=metadata,
                        first=first,
                        copies=str(copies),
                        month=str(MEASURED),
                    )
                )
    return count_files(connection)


def count_files(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many files the table has."""
    query = "select file_count from ducklake_table_info('lake') where table_name = $table"
    return int(connection.execute(query, {"table": TABLE.name}).fetchall()[0][0])


def measure(warehouse: Warehouse) -> Timing:
    """Time the statements on one month."""
    of_month = f"select count(v0) from lake.{TABLE.name} where month = date '{MEASURED}'"
    attach = _fastest(lambda: warehouse.connect().close(), turns=2)
    with warehouse.session() as session:
        run = session.connection.execute
        month = _fastest(lambda: run(of_month).fetchall())
        company = _fastest(lambda: run(f"{of_month} and siren = '7'").fetchall())
        with _watched() as held:
            seeds = iter(range(1, _TURNS + 1))
            replacement = _fastest(lambda: _replace(session, next(seeds)))
        return Timing(count_files(session.connection), attach, month, company, replacement, min(held))


def play(sizes: Sequence[int]) -> Iterator[str]:
    """Measure each size on each kind of catalog; yield the lines of a table."""
    yield "| catalog | files | attach, s | one month, s | one company of it, s | its replacement, s | of which locked, s |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    with tempfile.TemporaryDirectory(prefix="sf_catalog_") as folder, postgres() as server:
        catalogs = {"SQLite": str(Path(folder) / "catalog.sqlite"), "PostgreSQL": f"postgres:{server.dsn}"}
        for name, catalog in catalogs.items():
            warehouse = Warehouse(catalog=catalog, data_path=f"{folder}/{name}", memory_limit="1GB", threads=1)
            with warehouse.session() as session:
                fill(session)
            for size in sorted(sizes):
                with warehouse.session() as session:
                    grow(session, size)
                found = measure(warehouse)
                figures = (found.attach, found.month, found.company, found.replacement, found.locked)
                yield f"| {name} | {found.files:,} | {' | '.join(f'{seconds:.3f}' for seconds in figures)} |"


def _query(months: Sequence[date], seed: int) -> str:
    listed = ", ".join(f"date '{month}'" for month in months)
    values = ", ".join(f"(i * {n + 1} + {seed})::double as v{n}" for n in range(20))
    return f"select month, i::varchar as siren, {values} from (select unnest([{listed}]) as month), range({_ROWS}) as t (i)"


def _replace(session: Session, seed: int) -> None:
    session.replace({TABLE: _query([MEASURED], seed)}, where={"month": MEASURED}, author="bench", message="one month")


def _fastest(act: Callable[[], object], *, turns: int = _TURNS) -> float:
    """Return the seconds of the fastest turn: other programs of the machine only add to it."""
    found = []
    for _ in range(turns):
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return min(found)


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Yield a list that receives for how long each transaction held the lock."""
    held: list[float] = []
    one_writer = Catalog.one_writer

    @contextmanager
    def timed(catalog: Catalog, connection: duckdb.DuckDBPyConnection, purpose: str) -> Iterator[None]:
        with one_writer(catalog, connection, purpose):
            started = time.perf_counter()
            yield
        held.append(time.perf_counter() - started)

    with patch.object(Catalog, "one_writer", timed):
        yield held
