"""Previews of a month of a table, without identifying values.

A table without any identifying column is previewed by its first rows. Any other table is described column by column:
share of filled values, distinct values, quantiles, frequent values. Minimum and maximum are left out, and so are the
values of a table of few rows, because they may belong to one company.
"""

from collections.abc import Collection, Mapping
from datetime import date

from sf_assets.engine.storage import Session
from sf_assets.engine.storage.shape import lake_name, sql_identifier
from sf_assets.vocabulary.schema import Column, Table

PreviewRow = Mapping[str, str | int | float | bool | None]

_ROWS = 20  # rows displayed of a table without identifying columns
_MEASURED = ("INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP")
_FEW = 20  # with fewer rows, or fewer rows per distinct value, a value may belong to one company
_SAMPLE = 100_000  # rows beyond which columns are described from a sample
_RUN = 2_048  # consecutive rows in each part of a sample
_COUNTED = 20_000  # rows beyond which distinct values are estimated
_FREQUENT = 3


def rows_by_month(session: Session, table: Table, months: Collection[date]) -> dict[date, int]:
    """Return the number of rows of each of the given months; months without rows are left out."""
    # A count of one month is answered from the catalog and the statistics of files, without reading rows.
    count = f"select $month, count(*) from {lake_name(table.name)} where month = $month having count(*) > 0"
    return dict(row for month in months for row in session.connection.execute(count, {"month": month}).fetchall())


def preview(session: Session, table: Table, month: date, rows: int) -> list[PreviewRow]:
    """Return the preview of a month that has `rows` rows: its first rows, or one line per column; empty without rows."""
    if not rows:
        return []
    if any(column.identifies for column in table.columns):
        return _column_summaries(session, table, month, rows)
    return _first_rows(session, table, month)


def _first_rows(session: Session, table: Table, month: date) -> list[PreviewRow]:
    columns = ", ".join(sql_identifier(column.name) for column in table.columns)
    order = ", ".join(sql_identifier(name) for name in table.key) or "all"
    rows = session.connection.execute(
        f"select {columns} from {lake_name(table.name)} where month = $month order by {order} limit {_ROWS}",
        {"month": month},
    ).fetchall()
    return [{name: _plain(value) for name, value in zip(table.column_names, row, strict=True)} for row in rows]


def _column_summaries(session: Session, table: Table, month: date, rows: int) -> list[PreviewRow]:
    # The sample is spread over the table and always the same. A random sample would read every column in full; a filter on
    # the row number does not.
    apart = _RUN * (rows // _SAMPLE)
    sampling = f" and file_row_number % {apart} < {_RUN}" if rows > _SAMPLE else ""
    measures = ", ".join(measure for column in table.columns for measure in _measures(column, exact=rows <= _COUNTED))
    sample = f"select * from {lake_name(table.name)} where month = $month{sampling}"
    query = f"select count(*), {measures} from ({sample})"
    ((sampled, *measured),) = session.connection.execute(query, {"month": month}).fetchall()
    values = iter(measured)
    return [_summary(column, sampled, [next(values) for _ in range(4)]) for column in table.columns]


def _measures(column: Column, *, exact: bool) -> tuple[str, str, str, str]:
    """Return the SQL of a column's measures: filled values, distinct values, quantiles, frequent values."""
    name = sql_identifier(column.name)
    spread = (
        f"approx_quantile({name}, [0.05, 0.5, 0.95])" if column.type in _MEASURED and not column.identifies else "null"
    )
    often = (
        f"approx_top_k({name}, {_FREQUENT})"
        if column.type in ("VARCHAR", "BOOLEAN") and not column.identifies
        else "null"
    )
    # An estimate may be a tenth below the number of rows, which would look like duplicate keys: small tables are counted.
    distinct = f"count(distinct {name})" if exact else f"approx_count_distinct({name})"
    return f"count({name})", distinct, spread, often


def _summary(column: Column, sampled: int, measured: list[object]) -> PreviewRow:
    filled, distinct, spread, often = measured
    low, median, high = spread if isinstance(spread, list) and sampled >= _FEW else (None, None, None)
    known = filled if isinstance(filled, int) else 0
    # The estimate of distinct values may exceed the number of values.
    different = min(distinct, known) if isinstance(distinct, int) else 0
    shared = isinstance(often, list) and different * _FEW <= sampled
    return {
        "column": column.name,
        "unit": column.unit,
        "filled_percent": round(100 * known / sampled, 1) if sampled else 0.0,
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
