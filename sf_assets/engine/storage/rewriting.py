"""Rows of a table written again into new files."""

from sf_assets.engine.storage.session import Session
from sf_assets.engine.storage.shape import lake_name


def rewrite_rows(session: Session, table: str, condition: str, columns: str = "*") -> None:
    """Write the rows of a table that meet a condition again, as `columns` selects them; the caller holds the writers' lock.

    DuckLake's own rewriting narrows the statistics of the table, by which a filter then finds nothing in older snapshots:
    published lists could not be rebuilt. Rows are therefore deleted and inserted, which only widens them.
    """
    connection, name = session.connection, lake_name(table)
    connection.execute(f"create or replace temp table rest as select {columns} from {name} where {condition}")
    with session.transaction():
        connection.execute(f"delete from {name} where {condition}")
        connection.execute(f"insert into {name} by name from rest order by month")
    connection.execute("drop table rest")
