"""Rows that take the place of others: months of a table that hold the very rows already are left alone."""

from collections.abc import Collection, Mapping
from datetime import date

import duckdb

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.shape import column_types, create_or_extend, declared_types, lake_name, sql_identifier
from sf_assets.vocabulary.schema import Table

# The values of the columns that say which rows are replaced.
Scope = Mapping[str, Collection[object]]


def scope_condition(scope: Scope) -> str:
    """Return the condition that rows in scope satisfy, as text without parameters.

    Only months in the text are compared with the statistics of files before any is opened.

    >>> scope_condition({"version": [1, 2], "rang": [3]})
    '"version" in (1, 2) and "rang" in (3)'
    """
    return " and ".join(
        f"{sql_identifier(name)} in ({', '.join(map(sql_constant, values))})" for name, values in scope.items()
    )


def sql_constant(value: object) -> str:
    """Return a date, a number or a text as SQL."""
    if isinstance(value, date):
        return f"date {sql_literal(str(value))}"
    return str(value) if isinstance(value, int) else sql_literal(str(value))


def rows_by_month(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[date, int]:
    """Return the number of rows of each month that has some."""
    return dict(connection.execute(f"select month, count(*) from {rows} group by month").fetchall())


def identical_months(
    connection: duckdb.DuckDBPyConnection, stored: str, given: str, columns: Collection[str]
) -> frozenset[date]:
    """Return the months of which two relations hold the same rows, whatever their order.

    Rows are compared by the sum of their 64-bit digests: one pass over each side, and no memory. The digests are not
    kept, so that an engine that makes them otherwise does no harm.
    """
    row = ", ".join(map(sql_identifier, columns))
    digests = f"select month, count(*), sum(hash({row})::hugeint) from {{}} group by month"
    one, other = (set(connection.execute(digests.format(rows)).fetchall()) for rows in (stored, given))
    return frozenset(month for month, *_ in one & other)


def replace_scope(
    connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, given: str
) -> tuple[int, int, int]:
    """Replace the rows in scope by those of the relation `given`, but for months that hold them already.

    Return the number of rows that were there, that are there, and that were left alone.
    """
    create_or_extend(connection, table)
    stored, result = lake_name(table.name), _typed(connection, table, scope, given)
    before = rows_by_month(connection, f"{stored} where {scope_condition(scope)}")
    after = rows_by_month(connection, result)
    same: frozenset[date] = frozenset()
    if candidates := [month for month, rows in before.items() if after.get(month) == rows]:
        held, wanted = scope_condition({**scope, "month": candidates}), scope_condition({"month": candidates})
        same = identical_months(
            connection, f"{stored} where {held}", f"{result} where {wanted}", ("month", *table.column_names)
        )
    if replaced := before.keys() - same:
        connection.execute(f"delete from {stored} where {scope_condition({**scope, 'month': sorted(replaced)})}")
    if added := after.keys() - same:
        # Sorted, months are in few files each.
        order = " order by month" if len(added) > 1 else ""
        wanted = scope_condition({"month": sorted(added)})
        connection.execute(f"insert into {stored} by name from {result} where {wanted}{order}")
    return sum(before.values()), sum(after.values()), sum(before[month] for month in same)


def _typed(connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, given: str) -> str:
    """Return the result of a table as a relation of its declared columns, with those that its query left out."""
    found = column_types(connection, given)
    columns = ", ".join(
        f"cast({sql_identifier(name) if name in found else sql_constant(next(iter(scope[name])))} as {type_}) as {sql_identifier(name)}"
        for name, type_ in declared_types(table).items()
    )
    return f"(select {columns} from {given})"
