"""Fixture of the clean tests: staging tables in memory, filled by each test, on which the queries run."""

from collections.abc import Iterator
from datetime import date
from functools import cache

import duckdb

from sf_assets.clean.activities import NAF_PAIRE
from sf_assets.clean.queries import clean_query
from sf_assets.clean.tables import BLACKLIST
from sf_assets.clean.tranches import TRANCHE
from sf_assets.sources.known import define_known_from
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.staging.tables import FILTER_IMPORT, STAGING
from sf_assets.vocabulary.delays import DELAYS

BOUND = {"reference_date": date(2024, 6, 30)}
SIRET = "40000000100011"
OTHER = "40000000200019"


# Clean tables that a query reads, besides those that tests fill.
READS = {
    "clean_sirene": ("clean_naf_passage",),
    "clean_sirene_ul": ("clean_naf_passage",),
    "siren_blacklist": ("clean_sirene_ul",),
    "clean_ratios": ("clean_ratios_version",),
    "clean_paydex": ("clean_paydex_mesure",),
}


class World:
    """Empty staging tables in memory, label tables, an empty blacklist; dates are ISO texts in and out."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        label_tables.load(connection)
        define_known_from(connection, DELAYS)
        # A pseudo-random number from 0 to n - 1, the same on every run.
        connection.execute("create temp macro draw(seed, rank, n) as cast(hash(seed || '/' || rank) % n as integer)")
        for table in (*STAGING.values(), FILTER_IMPORT, BLACKLIST, NAF_PAIRE, TRANCHE):
            columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
            connection.execute(f"create table {table.name} ({columns})")
        # Activities are in NAF rev. 2 unless a test sets another nomenclature.
        for name in ("stg_sirene", "stg_sirene_ul"):
            connection.execute(f"alter table {name} alter nomenclature_activite set default 'NAFRev2'")

    def add(self, table: str, columns: str, *rows: tuple[object, ...]) -> None:
        names = columns.split()
        marks = ", ".join("?" for _ in names)
        self.connection.executemany(
            f"insert into {table} ({', '.join(names)}) values ({marks})", [list(r) for r in rows]
        )

    def blacklist(self, siren: str) -> None:
        self.add("siren_blacklist", "siren", (siren,))

    def build(self, name: str) -> None:
        for read in READS.get(name, ()):
            self.build(read)
        text = clean_query(name).text
        values = {key: value for key, value in BOUND.items() if f"${key}" in text}
        self.connection.execute(f"create or replace table {name} as {text}", values)

    def rows(self, name: str, columns: str = "*") -> list[tuple[object, ...]]:
        self.build(name)
        rows = self.connection.execute(f"select {columns} from {name} order by all").fetchall()
        return [tuple(cell.isoformat() if isinstance(cell, date) else cell for cell in row) for row in rows]


@cache
def _prepared() -> World:
    return World(duckdb.connect(config={"threads": 1}))


def fresh_world() -> Iterator[World]:
    """Yield the same prepared world to each test and roll its changes back; test modules make it a fixture."""
    world = _prepared()
    world.connection.execute("begin")
    yield world
    world.connection.execute("rollback")
