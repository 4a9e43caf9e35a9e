"""The declaration of a tolerance, and queries that measure what several tolerances compare."""

from dataclasses import dataclass

from sf_assets.engine.sql import read_sql
from sf_assets.vocabulary.schema import Severity


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a measure may be below and above a reference; None sets no limit on that side."""

    fall: float | None
    rise: float | None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """One number measured on a month, and how far it may be from bounds and from earlier months of the same table.

    `query` returns the number, NULL when there is nothing to measure. In its text `{batch}` stands for the rows of the
    month, `{before}` for the rows of the last month that passed (of the month itself when there is none), `{month}` for the
    month, `{source}` for the name of the source. `measure` names the number, `reason` explains the margins.

    `low` and `high` bound every month. `change` limits the distance to the last month that passed, `level` the distance to
    the median of the twelve months before; both are shares of the reference when `relative`, otherwise in the unit of the
    measure. A distance below `min_difference`, in that unit, is taken for chance.

    `detail` is a query of rows of a name and a count, with the same placeholders; the message of a refusal lists them.
    """

    name: str
    assets: tuple[str, ...]
    measure: str
    query: str
    reason: str
    advice: str
    low: float | None = None
    high: float | None = None
    change: Margin | None = None
    level: Margin | None = None
    relative: bool = True
    min_difference: float = 0.0
    severity: Severity = "error"
    detail: str = ""


def geometric_mean(amount: str) -> str:
    """Return the query of the geometric mean of the positive amounts, which a few very large ones hardly move.

    It is 0 when no amount is positive, and NULL when there is no row.
    """
    return f"""
        select case when count(*) > 0 then coalesce(exp(avg(ln(nullif(greatest({amount}, 0), 0)))), 0) end from {{batch}}
    """


def smallest_month_share(period: str, total: str) -> str:
    """Return the query of the smallest month of the last two years, as a share of the median month.

    A file starts with quarters that begin before its window, and ends with a month that is still being declared: its first
    three months and its last one are left out. `newest_month_age` watches the last one.
    """
    return read_sql("sf_assets.engine.quality", "smallest_month_share", period=period, total=total)


def newest_month_age(period: str, total: str) -> str:
    """Return the query of the age, in months, of the newest month with at least half of the rows of the median month."""
    return read_sql("sf_assets.engine.quality", "newest_month_age", period=period, total=total)


def newest_row_age(day: str) -> str:
    """Return the query of the days from the newest row to the end of the month, NULL below forty rows in three months."""
    return read_sql("sf_assets.engine.quality", "newest_row_age", day=day)


def misdated_share(day: str) -> str:
    """Return the query of the share of days more than forty years before the month, or two months after its first day."""
    return f"""
        select avg(cast({day} not between {{month}} - interval 40 year and {{month}} + interval 2 month as integer))
        from {{batch}} where {day} is not null
    """


def recent_share(day: str) -> str:
    """Return the query of the rows of the last three months, over those of an average quarter of the two years before.

    It is NULL when such a quarter has fewer than twelve rows.
    """
    return read_sql("sf_assets.engine.quality", "recent_share", day=day)
