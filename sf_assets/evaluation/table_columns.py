"""The features of anyone's table: categories as indicators, and ratios of raw amounts for owners who ask for them.

Indicators rather than the splits on sets of categories that the boosting could make: every method reads them, and the exact
explanations of trees know thresholds only.
"""

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from sf_assets.vocabulary.failures import UserError

# A leaf of a tree holds twenty rows at least: a value that fewer companies have teaches nothing.
_LEAST_COMPANIES = 20
_MOST_VALUES = 50
# Thirty amounts make some four hundred ratios.
_MOST_AMOUNTS = 30


def is_category(column: pl.Series) -> bool:
    """Return whether a column holds texts or categories."""
    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def indicators(column: pl.Series, companies: pl.Series) -> pl.DataFrame:
    """Return an indicator of each frequent value of a category: 1, 0, or NULL where the value is unknown.

    Frequent values are the fifty that most companies have, of those that twenty have. There is none for names and numbers of
    companies, which are left out.

    >>> sector = pl.Series("sector", ["steel", "retail", None] * 20)
    >>> indicators(sector, pl.Series(range(60))).head(3).rows()
    [(0.0, 1.0), (1.0, 0.0), (None, None)]
    """
    texts = column.cast(pl.String)
    counted = (
        pl.DataFrame({"value": texts, "company": companies})
        .drop_nulls()
        .group_by("value")
        .agg(pl.col("company").n_unique())
        .filter(pl.col("company") >= _LEAST_COMPANIES)
        .sort(["company", "value"], descending=[True, False])
        .head(_MOST_VALUES)
    )
    return pl.DataFrame(
        [
            (texts == value).cast(pl.Float64).alias(f"{column.name} = {value}")
            for value in sorted(counted["value"].to_list())
        ]
    )


def ratios(amounts: pl.DataFrame) -> pl.DataFrame:
    """Return the ratio of each pair of columns, unknown where the denominator is zero or unknown.

    A denominator is a column that is never negative: the sign of a ratio is then that of its numerator. Of two such columns,
    the one that comes first in the table is the numerator; two columns that may be negative have no ratio.

    Raises:
        UserError: more amounts than thirty, whose ratios would outnumber the rows of many tables.

    >>> ratios(pl.DataFrame({"profit": [2.0, -3.0, 1.0], "assets": [4.0, 0.0, None]})).rows()
    [(0.5,), (None,), (None,)]

    """
    if amounts.width > _MOST_AMOUNTS:
        raise UserError(
            f"ratios: expected at most {_MOST_AMOUNTS} columns of amounts, found {amounts.width}. "
            "Name the amounts with --feature"
        )
    positive = {name for name in amounts.columns if not (amounts[name] < 0).any()}
    pairs = (
        (above, below) if below in positive else (below, above)
        for above, below in combinations(amounts.columns, 2)
        if {above, below} & positive
    )
    values = amounts.cast(pl.Float64)
    return values.select(
        pl.when(pl.col(below) > 0).then(pl.col(above) / pl.col(below)).alias(f"{above} / {below}")
        for above, below in pairs
    )


def features_of(
    rows: pl.DataFrame, read: Sequence[str], companies: pl.Series, *, with_ratios: bool
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the features of some columns of a table, and the columns that give none.

    Args:
        rows: the table.
        read: columns to learn from, in order; all of them when empty.
        companies: the company of each row.
        with_ratios: whether ratios of the numeric columns are added.

    Raises:
        UserError: two features would have the same name, or amounts are too many for ratios.

    """
    wanted = list(read or rows.columns)
    numbers = [name for name in wanted if rows[name].dtype.is_numeric() or rows[name].dtype == pl.Boolean]
    encoded = {name: indicators(rows[name], companies) for name in wanted if is_category(rows[name])}
    parts = [rows.select(numbers), *(one for one in encoded.values() if one.width)]
    if with_ratios:
        parts.append(ratios(rows.select(name for name in numbers if rows[name].dtype.is_numeric())))
    names = [name for part in parts for name in part.columns]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"columns: expected one feature of each name, found several of {', '.join(repeated)}")
    used = {*numbers, *(name for name, one in encoded.items() if one.width)}
    return pl.concat(parts, how="horizontal"), tuple(name for name in rows.columns if name not in used)
