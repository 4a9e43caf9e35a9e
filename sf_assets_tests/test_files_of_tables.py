"""Files of tables: written before the transaction on a shared catalog, the same rows on both; few enough for the catalog."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sf_assets.engine.storage import Warehouse, maintenance
from sf_assets.operations.assets import few_files
from sf_assets.vocabulary.schema import Column, Table
from sf_assets_dev.bench.catalog import MEASURED, MONTHS, TABLE, count_files, fill, grow, measure

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
TYPES = ("VARCHAR", "DOUBLE", "BIGINT", "DATE", "INTEGER", "TIMESTAMP", "BOOLEAN", "FLOAT")
COLUMNS = tuple(Column(f"c{n}", type_, "a value") for n, type_ in enumerate(TYPES))
ROWS = """
    select * from (values
        ('é''"', 'nan'::double, 9223372036854775807, date '1900-01-01', -5, timestamp '2026-03-01 12:00:00.123', true, 1.5),
        (null, null, null, null, null, null, null, null),
        ('', 'inf'::double, -1, date '9999-12-31', 0, timestamp '1970-01-01', false, 'nan'::float),
        (repeat('z', 20000), -0.0, 0, date '2020-01-01', 1, timestamp '2262-04-11', true, 0)
    ) as rows_of_every_type (c0, c1, c2, c3, c4, c5, c6, c7)
"""
# Conditions that skip files by their statistics, each with the number of rows that meet it.
CONDITIONS = {
    "c0 > 'zz'": 2, "c0 = ''": 1, "isnan(c1)": 1, "c1 > 1e300": 2, "c2 < 0": 1, "c3 < date '1950-01-01'": 1,
    "c5 > timestamp '2200-01-01'": 1, "c6": 2, "isnan(c7)": 1, "c0 is null": 1,
}  # fmt: skip


@pytest.mark.parametrize("partition_by_month", [True, False])
def test_rows_of_every_type_are_read_as_they_were_written(
    either_warehouse: Warehouse, *, partition_by_month: bool
) -> None:
    table = Table("every", "one row", COLUMNS, partition_by_month=partition_by_month)
    longer = Table(
        "every", "one row", (*COLUMNS, Column("c8", "VARCHAR", "a value")), partition_by_month=partition_by_month
    )
    with either_warehouse.session() as session:

        def read(condition: str) -> list[tuple[Any, ...]]:
            return session.connection.execute(f"select * exclude (month) from {condition}").fetchall()

        expected = sorted(map(repr, read(f"(select null as month, * from ({ROWS}))")))
        for unchanged in (0, 4):
            wrote = session.replace({table: ROWS}, where={"month": MARCH}, author="test", message="test")["every"]
            assert (wrote.rows, wrote.unchanged) == (4, unchanged)
        assert sorted(map(repr, read("lake.every"))) == expected
        assert {condition: len(read(f"lake.every where {condition}")) for condition in CONDITIONS} == CONDITIONS
        # A column declared later is NULL in the files of before.
        for month in (APRIL, date(2026, 5, 1)):
            query = f"select *, 'e' as c8 from ({ROWS})"
            session.replace({longer: query}, where={"month": month}, author="test", message="test")
        assert read("(select month, c8, count(*) from lake.every group by all order by month)") == [
            (None, 4), ("e", 4), ("e", 4)
        ]  # fmt: skip


def write_months(warehouse: Warehouse, name: str) -> None:
    """Replace three months of a table of one's own, twice, and those of a table that all writers share."""
    own, shared = (Table(table, "one row", COLUMNS[:2]) for table in (name, "shared"))
    with warehouse.session() as session:
        for turn in range(2):
            for number in range(1, 4):
                rows = f"select '{name}' as c0, {turn}.0::double as c1 from range(50)"
                where = {"month": date(2026, number, 1)}
                session.replace({own: rows, shared: rows}, where=where, author="test", message=name)


def test_writers_of_different_tables_that_share_one_leave_each_month_once(either_warehouse: Warehouse) -> None:
    names = ["one", "two", "three"]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(write_months, [either_warehouse] * len(names), names))
    for name in names:
        found = either_warehouse.query(f"select month, min(c1), count(*), min(c0) from lake.{name} group by month")
        assert sorted(found.rows()) == [(date(2026, number, 1), 1.0, 50, name) for number in range(1, 4)]
    shared = either_warehouse.query("select month, count(*), count(distinct c0) from lake.shared group by month").rows()
    assert sorted(shared) == [(date(2026, number, 1), 50, 1) for number in range(1, 4)]


def test_a_table_with_too_many_files_is_reported(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouse.session() as session:
        for month in (MARCH, APRIL):
            table = Table("every", "one row", COLUMNS)
            session.replace({table: ROWS}, where={"month": month}, author="test", message="test")
    assert few_files(warehouse=warehouse).passed
    monkeypatch.setattr(maintenance, "MOST_FILES", 1)
    result: Any = few_files(warehouse=warehouse)
    assert (result.passed, result.severity.value) == (False, "WARN")
    assert result.description == "every has 2 files: run sf maintenance --apply, which merges the small ones."


def test_the_metadata_of_a_table_are_multiplied_without_its_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    with warehouse.session() as session:
        fill(session)
        before = session.connection.execute(
            f"select count(*) from lake.{TABLE.name} where month = date '{MEASURED}'"
        ).fetchall()
        on_disk = len(list(tmp_path.rglob("*.parquet")))
        assert count_files(session.connection) == len(MONTHS)
        assert grow(session, 400) == 120 + 2 * 119
        assert grow(session, 500) == 120 + 3 * 119
    timing = measure(warehouse)
    assert timing.files == 120 + 3 * 119
    assert timing.locked <= timing.replacement
    assert warehouse.query(f"select count(*) from lake.{TABLE.name} where month = date '{MEASURED}'").rows() == before
    assert len(list(tmp_path.rglob("*.parquet"))) == on_disk + 5
