"""Columns that are dropped from rows already stored, and the proof: which stored Parquet files still hold a value of them."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sf_assets.engine.storage.rewriting import rewrite_rows
from sf_assets.engine.storage.session import Session
from sf_assets.engine.storage.shape import column_types, lake_name, sql_identifier
from sf_assets.engine.storage.stored_files import name_of, stored_files

# Columns of tables.
Columns = Mapping[str, Collection[str]]
NOTHING: Columns = MappingProxyType({})


def stored_values(session: Session, columns: Columns) -> dict[str, int]:
    """Return the number of rows of each table that still have a value in one of these columns; tables without are left out."""
    counted: dict[str, int] = {}
    for table, names in columns.items():
        if there := _there(session, table, names):
            filled = " or ".join(f"{sql_identifier(name)} is not null" for name in there)
            ((rows,),) = session.connection.execute(
                f"select count(*) from {lake_name(table)} where {filled}"
            ).fetchall()
            counted |= {table: rows} if rows else {}
    return counted


def blank_columns(session: Session, columns: Columns) -> None:
    """Make these columns unknown in every stored row, in new files; the former files go with the snapshots that need them."""
    with session.catalog.one_writer(session.connection, "dropped columns"):
        for table in stored_values(session, columns):
            unknown = ", ".join(f"null as {sql_identifier(one)}" for one in _there(session, table, columns[table]))
            rewrite_rows(session, table, "true", f"* replace ({unknown})")


def files_with_values(session: Session, columns: Columns, needed: Collection[str]) -> tuple[str, ...]:
    """Return the stored Parquet files with a value in one of these columns; those `needed` by name are left out."""
    found: list[str] = []
    for table, names in columns.items():
        paths = [
            path
            for path in stored_files(session, table)
            if name_of(path) not in needed and not path.endswith("-delete.parquet")
        ]
        found += [path for path in paths if _holds(session, path, names)]
    return tuple(found)


def _there(session: Session, table: str, names: Collection[str]) -> list[str]:
    return [name for name in column_types(session.connection, lake_name(table)) if name in names]


def _holds(session: Session, path: str, names: Collection[str]) -> bool:
    described = session.connection.execute("select name from parquet_schema($1)", [path]).fetchall()
    there = [sql_identifier(name) for (name,) in described if name in names]
    filled = " or ".join(f"{name} is not null" for name in there)
    query = f"select exists (from read_parquet($1) where {filled or 'false'})"
    return bool(session.connection.execute(query, [path]).fetchall()[0][0])
