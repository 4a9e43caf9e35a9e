"""What a month of a table looks like, without anybody in it: rows of a table that names nobody, otherwise its columns.

A table with a column that identifies a company or a person is shown column by column: how much of it is filled, where
its values lie, which are frequent. The lowest and highest values, and those of a handful of rows, are somebody's.
"""

from collections.abc import Collection, Mapping
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.shape import lake_name, sql_identifier
from sf_assets.vocabulary.schema import Column, Table

Shown = Mapping[str, str | int | float | bool | None]

_ROWS = 20  # rows shown of a table that names nobody
_MEASURED = ("INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP")
_FEW = 20  # with fewer rows than that, or fewer for each value, values are those of somebody
_SAMPLE = 100_000  # rows beyond which columns are described from a sample
_RUN = 2_048  # rows of a sample that stand together
_COUNTED = 20_000  # rows beyond which distinct values are estimated
_FREQUENT = 3


def rows_by_month(session: Session, table: Table, months: Collection[date]) -> dict[date, int]:
    """Return the number of rows of each of some months that has any."""
    # One month at a time, the catalog and the statistics of files answer, and no row is read.
    count = f"select $month, count(*) from {lake_name(table.name)} where month = $month having count(*) > 0"
    return dict(row for month in months for row in session.connection.execute(count, {"month": month}).fetchall())


def preview(session: Session, table: Table, month: date, rows: int) -> list[Shown]:
    """Return a few lines about a month of `rows` rows."""
    if not rows:
        return []
    if any(column.identifies for column in table.columns):
        return _described(session, table, month, rows)
    return _first(session, table, month)


def _first(session: Session, table: Table, month: date) -> list[Shown]:
    columns = ", ".join(sql_identifier(column.name) for column in table.columns)
    order = ", ".join(sql_identifier(name) for name in table.key) or "all"
    found = session.connection.execute(
        f"select {columns} from {lake_name(table.name)} where month = $month order by {order} limit {_ROWS}",
        {"month": month},
    ).fetchall()
    return [{name: _plain(value) for name, value in zip(table.column_names, row, strict=True)} for row in found]


def _described(session: Session, table: Table, month: date, rows: int) -> list[Shown]:
    # Spread over the table, and always the same: a random sample reads all columns, a filter on the row's place does not.
    apart = _RUN * (rows // _SAMPLE)
    sampling = f" and file_row_number % {apart} < {_RUN}" if rows > _SAMPLE else ""
    measures = ", ".join(measure for column in table.columns for measure in _measures(column, exact=rows <= _COUNTED))
    rows_there = f"select * from {lake_name(table.name)} where month = $month{sampling}"
    found = session.connection.execute(f"select count(*), {measures} from ({rows_there})", {"month": month}).fetchall()[
        0
    ]
    looked_at, values = found[0], iter(found[1:])
    return [_line(column, looked_at, [next(values) for _ in range(4)]) for column in table.columns]


def _measures(column: Column, *, exact: bool) -> tuple[str, str, str, str]:
    """Return what is asked of a column: how many are filled, how many differ, where they lie, which are frequent."""
    name = sql_identifier(column.name)
    spread = (
        f"approx_quantile({name}, [0.05, 0.5, 0.95])" if column.type in _MEASURED and not column.identifies else "null"
    )
    often = (
        f"approx_top_k({name}, {_FREQUENT})"
        if column.type in ("VARCHAR", "BOOLEAN") and not column.identifies
        else "null"
    )
    # An estimate a tenth below the number of rows would look like a company listed twice.
    distinct = f"count(distinct {name})" if exact else f"approx_count_distinct({name})"
    return f"count({name})", distinct, spread, often


def _line(column: Column, looked_at: int, measured: list[object]) -> Shown:
    filled, distinct, spread, often = measured
    low, median, high = spread if isinstance(spread, list) and looked_at >= _FEW else (None, None, None)
    known = filled if isinstance(filled, int) else 0
    # Where distinct values are estimated: there are never more of them than values.
    different = min(distinct, known) if isinstance(distinct, int) else 0
    shared = isinstance(often, list) and different * _FEW <= looked_at
    return {
        "column": column.name,
        "unit": column.unit,
        "filled_percent": round(100 * known / looked_at, 1) if looked_at else 0.0,
        "distinct": different,
        "low_5_percent": _plain(low),
        "median": _plain(median),
        "high_5_percent": _plain(high),
        "frequent": ", ".join(str(_plain(value)) for value in often) if shared and isinstance(often, list) else None,
    }


def _plain(value: object) -> str | int | float | bool | None:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    return value if value is None or isinstance(value, str | int) else str(value)
