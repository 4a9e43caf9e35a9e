"""Whether a write would change anything: which months of a table hold the very rows that are to replace them."""

from collections.abc import Collection, Mapping
from datetime import date

import duckdb

from sf_assets.engine.storage.catalog import literal
from sf_assets.engine.storage.shape import name_of


def covers(scope: Mapping[str, Collection[object]]) -> str:
    """Return the condition that rows in scope satisfy, as text without parameters.

    Only months in the text are compared with the statistics of files before any is opened.

    >>> covers({"version": [1, 2], "rang": [3]})
    '"version" in (1, 2) and "rang" in (3)'
    """
    return " and ".join(f"{name_of(name)} in ({', '.join(map(constant, values))})" for name, values in scope.items())


def constant(value: object) -> str:
    """Return a date, a number or a text as SQL."""
    if isinstance(value, date):
        return f"date {literal(str(value))}"
    return str(value) if isinstance(value, int) else literal(str(value))


def counts(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[date, int]:
    """Return the number of rows of each month that has some."""
    return dict(connection.execute(f"select month, count(*) from {rows} group by month").fetchall())


def alike(connection: duckdb.DuckDBPyConnection, stored: str, given: str, columns: Collection[str]) -> frozenset[date]:
    """Return the months of which two relations hold the same rows, whatever their order.

    Rows are compared by the sum of their 64-bit digests: one pass over each side, and no memory. The digests are not
    kept, so that an engine that makes them otherwise does no harm.
    """
    row = ", ".join(map(name_of, columns))
    digests = f"select month, count(*), sum(hash({row})::hugeint) from {{}} group by month"
    one, other = (set(connection.execute(digests.format(rows)).fetchall()) for rows in (stored, given))
    return frozenset(month for month, *_ in one & other)
