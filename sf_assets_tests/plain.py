"""The flow without Dagster or warehouse: a batch folder through staging, clean and features, in one DuckDB connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from sf_assets.catalogue.queries import table_query
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine.queries import Query, read_query
from sf_assets.features.queries import feature_query
from sf_assets.features.registry import FEATURES_OF
from sf_assets.features.tables import LAGS
from sf_assets.features.tables import TABLES as FEATURES
from sf_assets.sources.arrival import read_header
from sf_assets.sources.batch import batch_key, read_batch
from sf_assets.sources.known import KNOWN, day_of, define_known_from
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.staging.bands import BAND_RULES
from sf_assets.staging.headcounts import apply_perimeter_rules
from sf_assets.staging.reading import READERS, Count, read_source
from sf_assets.staging.records import read_records
from sf_assets.staging.tables import STAGING, query_of
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.partitions import add_months, cutoff_of
from sf_assets_dev.synthetic import write_batch

# A clean table that reads its own earlier rows: a first batch has none.
_EMPTY_BANDS = """
    create table if not exists clean_tranche
    (siren varchar, annee_effectif integer, effectif_minimum integer, connue_le date)
"""
PARAMETERS = {"shift": 0, "perimeter_months": 120, "minimum": 10, "recent": False}


def connect(path: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Open a database of one thread: tests run two at a time on two cores, and a second thread costs more than it gains."""
    return duckdb.connect(str(path), config={"threads": 1})


def stage(
    connection: duckdb.DuckDBPyConnection, incoming: Path, month: date, mode: Mode = FULL
) -> dict[str, list[Count]]:
    """Read a batch into staging tables, with its perimeter; return the counts of records of each source."""
    counts = {}
    label_tables.load(connection)
    connection.execute(READERS)
    batch = read_batch(incoming, month, mode)
    connection.execute(_EMPTY_BANDS)
    if mode == FULL:
        perimeter(connection, batch.files["effectif_ent"][0], **PARAMETERS)
    else:
        bands = BY_NAME["sirene_tranche"]
        read_source(connection, bands, batch.files[bands.name])
        connection.execute(f"create or replace table {bands.table} as {query_of(bands)}")
        perimeter_of_bands(connection, month)
    connection.execute("create or replace temp table perimeter as from stg_filter_import")
    for source in SOURCES:
        if source.name in batch.files:
            counts[source.name] = read_source(connection, source, batch.files[source.name])
            connection.execute(f"create or replace table {source.table} as {query_of(source)}")
        else:
            columns = ", ".join(f'"{c.name}" {c.type}' for c in STAGING[source.name].columns)
            connection.execute(f"create or replace table {source.table} ({columns})")
    return counts


def staged_world(folder: Path, month: date, mode: Mode = FULL, **world: Any) -> Path:
    """Write a small synthetic batch and read it into staging; return the database file, which tests copy."""
    write_batch(folder / batch_key(month), month=month, seed=3, mode=mode, **world)
    path = folder / "world.duckdb"
    with connect(path) as connection:
        stage(connection, folder, month, mode)
    return path


@contextmanager
def copied(world: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a copy of a database file, with the tables of labels."""
    path = folder / "copy.duckdb"
    path.write_bytes(world.read_bytes())
    with connect(path) as connection:
        label_tables.load(connection)
        yield connection


def perimeter(connection: duckdb.DuckDBPyConnection, path: Path, **parameters: object) -> None:
    """Create the table `stg_filter_import` from a head-count file."""
    source = BY_NAME["effectif_ent"]
    header_line, header = read_header(path, source)
    read_records(connection, path, separator=";", lenient=True, header_line=header_line, width=len(header))
    apply_perimeter_rules(connection, header, parameters)
    query = read_query(files("sf_assets.staging"), "stg_filter_import")
    connection.execute(f"create or replace table stg_filter_import as {query.text}", query.bind_values(parameters))


def perimeter_of_bands(connection: duckdb.DuckDBPyConnection, month: date) -> None:
    """Create the table `stg_filter_import` from the staff bands of `stg_sirene_tranche` and `clean_tranche`."""
    define_known_from(connection, DELAYS)
    folder, values = files("sf_assets.staging"), PARAMETERS | {"reference_date": cutoff_of(month)}
    query = read_query(folder, "stg_filter_import")
    connection.execute(
        f"create or replace temp table headcount_rules as {BAND_RULES.text}", BAND_RULES.bind_values(values)
    )
    connection.execute(f"create or replace table stg_filter_import as {query.text}", query.bind_values(values))


def clean(connection: duckdb.DuckDBPyConnection, month: date) -> None:
    """Build every clean table; pairs of activity codes of a batch built before on this connection are read."""
    connection.execute("create table if not exists clean_naf_paire (siren varchar, naf varchar, naf25 varchar)")
    connection.execute(_EMPTY_BANDS)
    define_known_from(connection, DELAYS)
    build(connection, "clean", CLEAN, PARAMETERS | {"reference_date": cutoff_of(month)})


def features(
    connection: duckdb.DuckDBPyConnection,
    first: date,
    last: date,
    *,
    delivered: date | None = None,
    shift: int = 0,
    mode: Mode = FULL,
) -> None:
    """Build every feature table for a range of months; `delivered` is the month of the batch, by default the last one."""
    undated = {name: delivered or last for name, known in KNOWN.items() if not known.is_dated}
    define_known_from(connection, DELAYS, undated)
    build(connection, "features", FEATURES, PARAMETERS | {"first": first, "last": last, "shift": shift}, mode)


def lags(connection: duckdb.DuckDBPyConnection, month: date) -> None:
    """Build a month's lags from the features of its last three years."""
    features(connection, add_months(month, -36), month)
    build(connection, "features", [LAGS], PARAMETERS | {"first": month, "last": month})


def build(connection, layer, tables, values, mode=FULL) -> None:
    for table in tables:
        query = _query(layer, table.name, mode)
        connection.execute(f"create or replace table {table.name} as {query.text}", query.bind_values(values))


@cache
def _query(layer: str, table: str, mode: Mode) -> Query:
    """Return the query of a table; parsing it takes longer than running it on a small world."""
    if layer == "features":
        return feature_query(table, features=FEATURES_OF[mode])
    return table_query(layer, table)


def known_from() -> dict[str, str]:
    """Return, by staging table of a dated source, the SQL of the day its rows become known."""
    return {f"stg_{name}": day_of(name, DELAYS) for name, known in KNOWN.items() if known.is_dated}
