"""The shape of a table: the columns it declares, against those that are stored or that a query gives."""

from collections.abc import Mapping

import duckdb

from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.vocabulary.failures import PermanentFailure
from sf_assets.vocabulary.schema import Table


class SchemaMismatch(PermanentFailure):
    """Columns are not those declared."""


def sql_identifier(identifier: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def lake_name(table: str) -> str:
    """Return the full name of a table of the warehouse."""
    return f"lake.{sql_identifier(table)}"


def column_types(connection: duckdb.DuckDBPyConnection, place: str) -> dict[str, str]:
    """Return the type of each column of a table, in order; nothing when there is no such table."""
    try:
        rows = connection.execute(f"describe {place}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: type_ for name, type_, *_ in rows}


def declared_types(table: Table) -> dict[str, str]:
    """Return the type of each declared column, `month` first."""
    return {"month": "DATE"} | {column.name: column.type for column in table.columns}


def column_differences(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Say which columns are missing, in excess or of another type; empty when there is none.

    >>> column_differences({"siren": "VARCHAR", "month": "DATE"}, {"siren": "BIGINT", "month": "DATE", "nic": "VARCHAR"})
    'Column siren: expected VARCHAR, found BIGINT. Column nic: expected none, found VARCHAR.'
    """
    return " ".join(
        f"Column {name}: expected {expected.get(name, 'none')}, found {found.get(name, 'none')}."
        for name in {**expected, **found}
        if expected.get(name) != found.get(name)
    )


def require_compatible_columns(table: Table, found: Mapping[str, str]) -> None:
    """Refuse a stored table that has columns of other types than declared, or that are declared no more.

    Raises:
        SchemaMismatch: names the table and the columns.

    """
    expected = {name: type_ for name, type_ in declared_types(table).items() if name in found}
    if told := column_differences(expected, found):
        raise SchemaMismatch(
            f"{table.name}: the table as stored is not what is declared. {told} Give what changed a new name, or bring "
            f"the table in line by `alter table lake.{table.name}`: past snapshots keep it as it was."
        )


def create_or_extend(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create a table, or its columns declared since: these are NULL in the rows already there.

    Raises:
        SchemaMismatch: the stored table differs otherwise.

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
