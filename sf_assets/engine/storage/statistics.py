"""The smallest and largest texts of columns, which the catalog stores beside the files: values of rows outlive them there.

DuckLake only widens the statistics of a table. After rows are removed, an end that no file has any more is replaced by a bound
that is no value: a wider range is always true, and older snapshots stay readable.
"""

from collections.abc import Collection

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.session import Session

_STATISTICS = read_sql("sf_assets.engine.storage", "statistics_of_columns")
_TABLES = "__ducklake_metadata_lake.ducklake_table_column_stats"
_BOUNDS = {"min_value": "", "max_value": "\U0010ffff"}


def widen_statistics(session: Session) -> int:
    """Replace the ends of ranges of texts that no file of the table has any more; return how many."""
    widened = 0
    with session.catalog.one_writer(session.connection, "statistics"):
        session.connection.execute(f"create or replace temp table statistics as {_STATISTICS}")
        for name, bound in _BOUNDS.items():
            held = f"select table_id, column_id, {name} from statistics where path is not null"
            left_over = f"select table_id, column_id, {name} from statistics where path is null except ({held})"
            for table, column, value in session.connection.execute(left_over).fetchall():
                if value not in (None, bound):
                    session.connection.execute(
                        f"update {_TABLES} set {name} = $1 where table_id = $2 and column_id = $3",
                        [bound, table, column],
                    )
                    widened += 1
        session.connection.execute("drop table statistics")
    return widened


def ranges_naming(session: Session, names: str, needed: Collection[str], *, anywhere: bool) -> int:
    """Return how many stored ranges have an end that begins with a siren of the table `names`, or has one `anywhere`.

    The ranges of the files `needed`, by name, are left out: they prove a published list.
    """
    ends = f"select parse_filename(path) as file, unnest([min_value, max_value]) as value from ({_STATISTICS})"
    names_one = "contains(ends.value, named.siren)" if anywhere else "left(ends.value, 9) = named.siren"
    query = f"select count(*) from ({ends}) as ends semi join {names} as named on {names_one}"
    ((found,),) = session.connection.execute(
        f"{query} where ends.file is null or not list_contains($1::varchar[], ends.file)", [sorted(needed)]
    ).fetchall()
    return int(found)
