"""Comparison of the columns that a table declares with the columns that are stored or that a query returns."""

from collections.abc import Mapping

import duckdb

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Table


class SchemaMismatch(PermanentFailure):
    """Columns differ from the declared ones."""


def sql_identifier(identifier: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def lake_name(table: str) -> str:
    """Return the full SQL name of a table of the warehouse."""
    return f"lake.{sql_identifier(table)}"


def column_types(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the type of each column of a table or view, in order; empty when it does not exist."""
    try:
        rows = connection.execute(f"describe {relation}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: type_ for name, type_, *_ in rows}


def declared_types(table: Table) -> dict[str, str]:
    """Return the type of each declared column, in order, `month` first."""
    return {"month": "DATE"} | {column.name: column.type for column in table.columns}


def column_differences(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Return a message on the columns that are missing, unexpected or of another type; empty when there are none.

    >>> column_differences({"siren": "VARCHAR", "month": "DATE"}, {"siren": "BIGINT", "month": "DATE", "nic": "VARCHAR"})
    'Column siren: expected VARCHAR, found BIGINT. Column nic: expected none, found VARCHAR.'
    """
    return " ".join(
        f"Column {name}: expected {expected.get(name, 'none')}, found {found.get(name, 'none')}."
        for name in {**expected, **found}
        if expected.get(name) != found.get(name)
    )


def require_compatible_columns(table: Table, found: Mapping[str, str]) -> None:
    """Refuse a stored table that has undeclared columns, or columns of other types than declared.

    Raises:
        SchemaMismatch: names the table and the columns.

    """
    expected = {name: type_ for name, type_ in declared_types(table).items() if name in found}
    if mismatch := column_differences(expected, found):
        raise SchemaMismatch(
            f"{table.name}: the stored table differs from the declared one. {mismatch} Give the changed columns new names, "
            f"or change the table with `alter table lake.{table.name}`: past snapshots keep the former columns."
        )


def create_or_extend(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Create a table, or add its newly declared columns, which are NULL in the existing rows; return whether it existed.

    Raises:
        SchemaMismatch: the stored table has undeclared columns or other types.

    """
    target = lake_name(table.name)
    found = column_types(connection, target)
    require_compatible_columns(table, found)
    if not found:
        columns = ", ".join(f"{sql_identifier(column.name)} {column.type}" for column in table.columns)
        connection.execute(f"create table {target} (month date not null, {columns})")
        if table.partition_by_month:
            connection.execute(f"alter table {target} set partitioned by (month)")
        connection.execute(f"comment on table {target} is {sql_literal(f'one row is {table.grain}')}")
    for column in table.columns:
        if column.name in found:
            continue
        name = sql_identifier(column.name)
        if found:
            connection.execute(f"alter table {target} add column {name} {column.type}")
        meaning = column.meaning + (f" ({column.unit})" if column.unit else "")
        connection.execute(f"comment on column {target}.{name} is {sql_literal(meaning)}")
    return bool(found)
