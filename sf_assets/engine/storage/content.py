"""Replacement of the rows of a table. Months that already have the same rows are not written again."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import cast

import duckdb

from sf_assets.engine.storage.ahead import Ahead, add_files, rows_in_files, state_of, write_files
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.shape import (
    SchemaMismatch,
    column_differences,
    column_types,
    create_or_extend,
    declared_types,
    lake_name,
    sql_identifier,
)
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Table

# The rows to replace: column -> accepted values.
Scope = Mapping[str, Collection[object]]


class OutOfScope(PermanentFailure):
    """A query returns rows outside of the months, or of the other columns, that it replaces."""


def scopes_of(tables: Iterable[Table], where: Mapping[str, object]) -> dict[str, Scope]:
    """Return the scope of each table: the columns of `where` that it has, with their values.

    Raises:
        ValueError: `where` has no month, a column without values, or a column that no table has.

    """
    values = {name: tuple(value) if isinstance(value, list | tuple) else (value,) for name, value in where.items()}
    scopes: dict[str, Scope] = {
        table.name: {name: accepted for name, accepted in values.items() if name in ("month", *table.column_names)}
        for table in tables
    }
    known = {name for scope in scopes.values() for name in scope}
    if "month" not in known or known != set(where) or not all(values.values()):
        raise ValueError(
            f"{', '.join(scopes)}: expected values of month, and of columns they have, found {dict(where)}"
        )
    return scopes


def scope_condition(scope: Scope) -> str:
    """Return the SQL condition of the rows in scope, with its values as literals.

    DuckLake skips files by their statistics for a list of literals; for `list_contains` of a parameter it reads every file.

    >>> scope_condition({"version": [1, 2], "rang": [3]})
    '"version" in (1, 2) and "rang" in (3)'
    """
    return " and ".join(
        f"{sql_identifier(name)} in ({', '.join(map(sql_constant, values))})" for name, values in scope.items()
    )


def sql_constant(value: object) -> str:
    """Return a date, a number or a text as a SQL literal."""
    if isinstance(value, date):
        return f"date {sql_literal(str(value))}"
    return str(value) if isinstance(value, int | float) else sql_literal(str(value))


def require_result(connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, computed: str) -> None:
    """Require a result with the declared columns, and without rows out of scope.

    Raises:
        SchemaMismatch, OutOfScope: names the table, and what was expected and found.

    """
    expected, found = declared_types(table), column_types(connection, computed)
    # DuckDB types a column of only NULL as INTEGER: it is accepted for any declared type.
    for name, type_ in found.items():
        if type_ == "INTEGER" != expected.get(name, type_):
            ((known,),) = connection.execute(f"select count({sql_identifier(name)}) from {computed}").fetchall()
            if not known:
                found[name] = expected[name]
    left_out = {name: expected[name] for name, values in scope.items() if len(values) == 1 and name not in found}
    if mismatch := column_differences(expected, found | left_out):
        raise SchemaMismatch(f"{table.name}: the query does not return the declared columns. {mismatch}")
    for name in [name for name in scope if name in found]:
        rows = connection.execute(
            f"select distinct {sql_identifier(name)} from {computed} "
            f"where ({scope_condition({name: scope[name]})}) is not true limit 5"
        ).fetchall()
        if rows:
            accepted, returned = ", ".join(map(str, scope[name])), ", ".join(str(value) for (value,) in rows)
            raise OutOfScope(
                f"{table.name}: the query returns rows out of scope. {name}: expected {accepted}, found {returned}"
            )


def rows_by_month(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[date, int]:
    """Return the number of rows of each month that has rows in a relation."""
    return dict(connection.execute(f"select month, count(*) from {rows} group by month").fetchall())


def _digests(connection: duckdb.DuckDBPyConnection, rows: str, columns: Collection[str]) -> dict[date, tuple[int, int]]:
    """Return the number of rows of each month of a relation, and the sum of their 64-bit hashes.

    Two relations with equal digests of a month have the same rows in it, in any order: one pass over each, without memory for
    their rows. Digests are not stored, so that a version of DuckDB with another hash function changes nothing.
    """
    row = ", ".join(map(sql_identifier, columns))
    query = f"select month, count(*), sum(hash({row})::hugeint) from {rows} group by month"
    return {month: (number, digest) for month, number, digest in connection.execute(query).fetchall()}


def write_ahead(
    connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, computed: str, data_path: str
) -> Ahead | None:
    """Write the files of a replacement that `replace_scope` then only registers; None when that is not possible yet.

    The files of months that already have the same rows are not written. `computed`, which may be a query of minutes, is
    computed once, or twice when it replaces rows by others. A table that lacks declared columns gets them in the
    transaction: its rows can be compared, and written, only there.
    """
    found = column_types(connection, lake_name(table.name))
    if found and declared_types(table) != found:
        return None
    result = _typed(connection, table, scope, computed)
    # Read before the comparison: a write in between makes it differ in the transaction, where months are compared again.
    state = state_of(connection, table.name) if found else (0, 0)
    stored = f"{lake_name(table.name)} where {scope_condition(scope)}"
    if not found or not (before := rows_by_month(connection, stored)):
        months = cast("Collection[date]", scope["month"])
        files = write_files(connection, table, result, months, data_path)
        return Ahead(rows_in_files(connection, files, months), frozenset(), state, tuple(files))
    computed_digests = _digests(connection, result, ("month", *table.column_names))
    after = {month: number for month, (number, _) in computed_digests.items()}
    same = _stored_months(connection, table, scope, computed_digests, _of_one_size(before, after))
    added = after.keys() - same
    rows = f"(from {result} where {scope_condition({'month': sorted(added)})})" if added else result
    files = write_files(connection, table, rows, added, data_path)
    return Ahead(after, same, state, tuple(files))


def replace_scope(
    connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, computed: str, ahead: Ahead | None = None
) -> tuple[int, int, int]:
    """Replace the rows in scope by those of the relation `computed`, except in months that already have the same rows.

    Return three numbers of rows: in scope before, in scope after, and in the months that were not written again. Rows written
    `ahead` are registered; months found the same then are compared again if another writer has changed the table since.
    """
    existed = create_or_extend(connection, table)
    stored, result = lake_name(table.name), _typed(connection, table, scope, computed)
    before = rows_by_month(connection, f"{stored} where {scope_condition(scope)}") if existed else {}
    if not before and not ahead:
        # The rows are not counted first: `computed` may be a query of minutes.
        return 0, _insert(connection, stored, result, scope["month"]), 0
    after = ahead.rows if ahead else rows_by_month(connection, result)
    if ahead is None:
        same = _same_months(connection, table, scope, result, _of_one_size(before, after))
    elif ahead.same and ahead.state != state_of(connection, table.name):
        same = _same_months(connection, table, scope, result, ahead.same & set(_of_one_size(before, after)))
    else:
        same = ahead.same
    if replaced := before.keys() - same:
        connection.execute(f"delete from {stored} where {scope_condition({**scope, 'month': sorted(replaced)})}")
    in_files = after.keys() - ahead.same if ahead else frozenset()
    if ahead:
        add_files(connection, table, ahead.files)
    if added := after.keys() - same - in_files:
        _insert(connection, stored, result, sorted(added))
    return sum(before.values()), sum(after.values()), sum(before[month] for month in same)


def _insert(connection: duckdb.DuckDBPyConnection, stored: str, result: str, months: Collection[object]) -> int:
    """Write the rows of some months; return their number."""
    # Sorting puts each month into few files.
    order = " order by month" if len(months) > 1 else ""
    insert = f"insert into {stored} by name from {result} where {scope_condition({'month': months})}{order}"
    ((rows,),) = connection.execute(insert).fetchall()
    return int(rows)


def _of_one_size(before: Mapping[date, int], after: Mapping[date, int]) -> list[date]:
    """Return the months that have as many rows before as after."""
    return [month for month, rows in before.items() if after.get(month) == rows]


def _same_months(
    connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, result: str, candidates: Collection[date]
) -> frozenset[date]:
    """Return the candidates among the months that are stored with the rows of the relation `result`."""
    if not candidates:
        return frozenset()
    in_result = f"{result} where {scope_condition({'month': candidates})}"
    computed = _digests(connection, in_result, ("month", *table.column_names))
    return _stored_months(connection, table, scope, computed, candidates)


def _stored_months(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    scope: Scope,
    computed: Mapping[date, tuple[int, int]],
    candidates: Collection[date],
) -> frozenset[date]:
    """Return the candidates among the months that are stored with the rows of the digests `computed`."""
    if not candidates:
        return frozenset()
    in_stored = f"{lake_name(table.name)} where {scope_condition({**scope, 'month': candidates})}"
    stored = _digests(connection, in_stored, ("month", *table.column_names))
    return frozenset(month for month, _ in stored.items() & computed.items())


def _typed(connection: duckdb.DuckDBPyConnection, table: Table, scope: Scope, computed: str) -> str:
    """Return `computed` as a relation of the declared columns; a column that its query leaves out has the scope's value."""
    found = column_types(connection, computed)
    columns = []
    for name, type_ in declared_types(table).items():
        value = sql_identifier(name) if name in found else sql_constant(next(iter(scope[name])))
        columns.append(f"cast({value} as {type_}) as {sql_identifier(name)}")
    return f"(select {', '.join(columns)} from {computed})"
