"""The rows of a month are a function of the month: the range of months computed with it changes no byte of them."""

import random
from datetime import date
from itertools import pairwise

import duckdb
import pytest

from sf_assets.features.tables import LAGS, TABLES
from sf_assets.vocabulary.partitions import add_months
from sf_assets_dev.synthetic import write_batch
from sf_assets_tests import plain

BATCH = date(2024, 6, 1)
MONTHS = tuple(add_months(BATCH, n) for n in range(-23, 1))


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """Clean tables of a small synthetic batch, and the features of its 24 last months, each computed alone."""
    folder = tmp_path_factory.mktemp("world")
    write_batch(folder / "2406", month=BATCH, companies=90, seed=5, others=True)
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set threads = 2")
        plain.stage(connection, folder, BATCH)
        # A company contributed once, long ago, and another starts in the middle of the months.
        connection.execute(
            """
            insert into stg_cotisation by name
            select '11111111100011' as siret, date '2021-01-01' as periode_debut, date '2021-02-01' as periode_fin, 5 as du
            union all
            select '22222222200022', date '2023-05-01', date '2023-06-01', 7
            """
        )
        plain.clean(connection, BATCH)
        plain.features(connection, add_months(MONTHS[0], -36), add_months(MONTHS[0], -1), delivered=BATCH)
        _keep(connection, "alone")
        for month in MONTHS:
            plain.features(connection, month, month, delivered=BATCH)
            _keep(connection, "alone")
        yield connection


def _keep(connection: duckdb.DuckDBPyConnection, kept: str) -> None:
    """Add the rows of each feature table to its copy."""
    connection.execute(f"create schema if not exists {kept}")
    for table in TABLES:
        connection.execute(f"create table if not exists {kept}.{table.name} as from {table.name} limit 0")
        connection.execute(f"insert into {kept}.{table.name} from {table.name}")


def _differences(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> int:
    """Return the number of rows that only one of two relations has; numbers are compared with all their digits."""
    both = ((one, other), (other, one))
    queries = [f"(select count(*) from (from {left} except all from {right}))" for left, right in both]
    return connection.execute(f"select {' + '.join(queries)}").fetchone()[0]


def _cuts(seed: int) -> list[tuple[date, date]]:
    """Return ranges of months that cover the 24 months, cut at random."""
    edges = sorted({0, 24, *random.Random(seed).sample(range(1, 24), 4)})  # noqa: S311 - a cut, no secret
    return [(MONTHS[start], MONTHS[end - 1]) for start, end in pairwise(edges)]


PARTITIONS = {"whole": [(MONTHS[0], MONTHS[-1])], "random": _cuts(1)}


@pytest.mark.parametrize("ranges", PARTITIONS.values(), ids=PARTITIONS)
def test_features_of_a_month_do_not_depend_on_the_months_computed_with_it(connection, ranges):
    for first, last in ranges:
        plain.features(connection, first, last, delivered=BATCH)
        for table in TABLES:
            alone = f"(from alone.{table.name} where month between date '{first}' and date '{last}')"
            assert not _differences(connection, table.name, alone), f"{table.name} from {first} to {last}"


def test_lags_of_a_month_do_not_depend_on_the_months_computed_with_it(connection):
    for table in TABLES:
        connection.execute(f"create or replace table {table.name} as from alone.{table.name}")
    rows = {}
    for name, ranges in (PARTITIONS | {"alone": [(month, month) for month in MONTHS]}).items():
        connection.execute(f"create or replace table {name}_lags as from (select 1 as a) limit 0")
        for place, (first, last) in enumerate(ranges):
            plain.build(connection, "features", [LAGS], {"first": first, "last": last})
            kept = "insert into {}_lags from" if place else "create or replace table {}_lags as from"
            connection.execute(f"{kept.format(name)} {LAGS.name}")
        rows[name] = connection.execute(f"select count(*) from {name}_lags").fetchone()[0]
        assert not _differences(connection, f"{name}_lags", "whole_lags"), name
    assert min(rows.values()) > 1000


def test_a_table_of_events_has_rows_of_the_companies_it_is_about(connection):
    """The row of a company is neither announced by a later event nor preserved by one that no column reaches."""
    months = "select min(month), max(month), count(*) from alone.feat_dette where siren = $1"
    assert connection.execute(months, ["111111111"]).fetchone() == (date(2021, 3, 1), date(2023, 2, 1), 24)
    assert connection.execute(months, ["222222222"]).fetchone()[0] == date(2023, 7, 1)
    empty = (
        "select count(*) from alone.feat_activite_partielle where ap_heures_consommees_12m + ap_heures_autorisees = 0"
    )
    assert connection.execute(empty).fetchone() == (0,)
