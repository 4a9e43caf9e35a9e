"""Removal of rows past their time, and the proof: a scan of the Parquet files left and of the catalog's statistics.

Deleted rows stay in a file that also holds younger months: such files are rewritten, old snapshots expire, and files that
nothing needs any more are removed. Files of the snapshots to keep stay as they are.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.engine.storage.rewriting import rewrite_rows
from sf_assets.engine.storage.session import Session
from sf_assets.engine.storage.shape import column_types, lake_name, sql_identifier
from sf_assets.engine.storage.statistics import ranges_naming, widen_statistics
from sf_assets.engine.storage.stored_files import name_of, stored_files
from sf_assets.vocabulary.partitions import add_months

IDENTIFIERS = ("siren", "siret")
_EXPIRED = "identifiers past their time"
_TABLES = "select table_name from duckdb_tables() where database_name = 'lake' order by table_name"
_NEEDED = read_sql("sf_assets.engine.storage", "files_of_snapshots")


_WITH_DELETES = read_sql("sf_assets.engine.storage", "files_with_deleted_rows")


@dataclass(frozen=True, slots=True)
class ExpiredRows:
    """Months of one table that are past their time, and the number of their rows."""

    table: str
    months: tuple[date, ...]
    rows: int


def stored_tables(session: Session) -> list[str]:
    """Return the names of the tables of the warehouse."""
    return [name for (name,) in session.connection.execute(_TABLES).fetchall()]


def expired_rows(session: Session, kept_months: Mapping[str, int], at: date) -> tuple[ExpiredRows, ...]:
    """Return what is past its time on the day `at`, by table; `kept_months` is how many months each table is kept.

    The newest month of a table stays whatever its age: a file that is delivered once a year may still be in use.
    """
    found = []
    for table, kept in kept_months.items():
        stored = session.months(table)
        oldest = add_months(at, -kept)
        if months := tuple(month for month in stored[:-1] if month < oldest):
            ((rows,),) = session.connection.execute(
                f"select count(*) from {lake_name(table)} where month = any($1)", [list(months)]
            ).fetchall()
            found.append(ExpiredRows(table, months, rows))
    return tuple(found)


def remember_identifiers(session: Session, expired: Sequence[ExpiredRows]) -> int:
    """Store, for this session, the sirens of expired rows that no other row of the warehouse has; return their number."""
    past = {item.table: item.months for item in expired}
    gone, left = [], []
    for table in stored_tables(session):
        for column in IDENTIFIERS:
            if column in column_types(session.connection, lake_name(table)):
                select = f"select left({sql_identifier(column)}, 9) as siren from {lake_name(table)} where month"
                months = ", ".join(f"date '{month}'" for month in past.get(table, ()))
                if months:
                    gone.append(f"{select} in ({months})")
                left.append(f"{select} not in ({months})" if months else f"{select} is not null")
    query = f"({' union '.join(gone)}) except ({' union '.join(left)})" if gone else "select '' as siren where false"
    session.connection.execute(
        f"create or replace temp table {sql_identifier(_EXPIRED)} as select siren from ({query}) where siren is not null"
    )
    ((count,),) = session.connection.execute(f"select count(*) from {sql_identifier(_EXPIRED)}").fetchall()
    return int(count)


def remember_company(session: Session, siren: str) -> None:
    """Store, for this session, one siren to look for."""
    session.connection.execute(
        f"create or replace temp table {sql_identifier(_EXPIRED)} as select $1::varchar as siren", [siren]
    )


def conditions_of_company(session: Session, siren: str) -> dict[str, str]:
    """Return, for each table with rows that name a company in any column of texts, the SQL condition of these rows."""
    found = {}
    for table in stored_tables(session):
        texts = [
            name for name, type_ in column_types(session.connection, lake_name(table)).items() if type_ == "VARCHAR"
        ]
        named = " or ".join(f"contains({sql_identifier(name)}, {sql_literal(siren)})" for name in texts) or "false"
        if session.connection.execute(f"select 1 from {lake_name(table)} where {named} limit 1").fetchall():
            found[table] = named
    return found


def months_condition(months: Collection[date]) -> str:
    """Return the SQL condition of the rows of some months."""
    listed = ", ".join(f"date '{month}'" for month in months)
    return f"month in ({listed})"


def delete_rows(session: Session, conditions: Mapping[str, str]) -> int:
    """Delete the rows of each table that meet its condition, and write the rest of the files that held them again.

    Other writers wait meanwhile. Return the number of rows deleted.
    """
    connection, deleted = session.connection, 0
    with session.catalog.one_writer(connection, "retention"):
        for table, condition in conditions.items():
            ((rows,),) = connection.execute(f"delete from {lake_name(table)} where {condition}").fetchall()
            deleted += rows
            if months := _months_beside(session, table):
                rewrite_rows(session, table, months_condition(months))
    return deleted


def _months_beside(session: Session, table: str) -> list[date]:
    """Return the months of a table whose rows share a file with deleted rows."""
    files = session.connection.execute(_WITH_DELETES, {"table": table}).fetchall()
    if not files:
        return []
    named = {name_of(path) for (path,) in files}
    paths = [path for path in stored_files(session) if name_of(path) in named]
    rows = session.connection.execute("select distinct month from read_parquet($1) order by month", [paths]).fetchall()
    return [month for (month,) in rows]


def remove_files(session: Session, kept: Collection[int]) -> int:
    """Expire every snapshot but the last and those `kept`, remove the files that none needs; return how many."""
    with session.catalog.one_writer(session.connection, "retention"):
        old = session.connection.execute(
            "select snapshot_id from lake.snapshots() where snapshot_id < (from lake.current_snapshot())"
        ).fetchall()
        if versions := sorted({number for (number,) in old} - {*kept}):
            session.connection.execute(f"call ducklake_expire_snapshots('lake', versions => {versions})")
        removed = session.connection.execute(
            "call ducklake_cleanup_old_files('lake', dry_run => false, cleanup_all => true)"
        )
        files = len(removed.fetchall())
    widen_statistics(session)
    return files


def catalog_identifiers(session: Session, kept: Collection[int], *, anywhere: bool = False) -> int:
    """Return how many ranges of values in the catalog name a siren that the session remembers, as `files_with_identifiers`."""
    return ranges_naming(session, sql_identifier(_EXPIRED), needed_files(session, kept), anywhere=anywhere)


def needed_files(session: Session, kept: Collection[int]) -> set[str]:
    """Return the names of the files that hold the rows of some snapshots."""
    return {name_of(path) for (path,) in session.connection.execute(_NEEDED, {"kept": sorted(kept)}).fetchall()}


def files_with_identifiers(session: Session, kept: Collection[int], *, anywhere: bool = False) -> tuple[str, ...]:
    """Return the stored Parquet files in which a text begins with a siren that the session remembers, or has it `anywhere`.

    Files that a snapshot of `kept` needs are left out: they prove a published list.
    """
    needed = needed_files(session, kept)
    files = [path for path in stored_files(session) if name_of(path) not in needed]
    return tuple(path for path in files if any(_holds(session, path, anywhere=anywhere)))


def _holds(session: Session, path: str, *, anywhere: bool) -> Iterator[bool]:
    """Yield, for each column of texts of a file, whether a value names one of the identifiers."""
    source = f"read_parquet({sql_literal(path)})"
    for name, type_, *_ in session.connection.execute(f"describe from {source}").fetchall():
        if type_ == "VARCHAR":
            text = f"f.{sql_identifier(name)}"
            names = f"contains({text}, e.siren)" if anywhere else f"left({text}, 9) = e.siren"
            query = f"select exists (from {source} as f semi join {sql_identifier(_EXPIRED)} as e on {names})"
            yield bool(session.connection.execute(query).fetchall()[0][0])
