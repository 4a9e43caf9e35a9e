"""Months: the one partitions definition of the project, and the dates that belong to a month."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from sf_assets.vocabulary.failures import PermanentFailure

PARIS = ZoneInfo("Europe/Paris")
FIRST_MONTH = date(2016, 1, 1)
HORIZON_MONTHS = 18
# Files are complete in the first days of the next month; a week remains to correct what the gates refuse.
DUE_DAY = 10

months = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), timezone=PARIS.key)


def parse_month(key: str) -> date:
    """Return the month of a partition key.

    >>> parse_month("2026-10-01")
    datetime.date(2026, 10, 1)
    """
    return date.fromisoformat(key)


def months_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> list[date]:
    """Return the months of a run, in order.

    Raises:
        PermanentFailure: the range starts after its end, so that it holds no month.

    """
    if requested := sorted(parse_month(key) for key in context.partition_keys):
        return requested
    ends = [context.run.tags.get(f"dagster/asset_partition_range_{end}", "no month") for end in ("start", "end")]
    raise PermanentFailure(
        f"months: expected a range from its earlier month to its later one, found {ends[0]} to {ends[1]}, which holds none. "
        "Launch it again with the earlier one first."
    )


def add_months(month: date, n: int) -> date:
    """Return the first day of the month n months later (earlier when negative).

    >>> add_months(date(2026, 1, 1), -1), add_months(date(2025, 11, 1), 2)
    (datetime.date(2025, 12, 1), datetime.date(2026, 1, 1))
    """
    years, index = divmod(month.year * 12 + month.month - 1 + n, 12)
    return date(years, index + 1, 1)


def cutoff_of(month: date, shift_days: int = 0) -> date:
    """Return the cut-off of a month, the last day that it knows: its last day, moved by `shift_days`.

    >>> cutoff_of(date(2024, 2, 1))
    datetime.date(2024, 2, 29)
    """
    return add_months(month, 1) + timedelta(days=shift_days - 1)


def month_due(day: date) -> date:
    """Return the latest month whose list is due on a day: the last month from the 11th, the one before until the 10th.

    >>> month_due(date(2026, 11, 10)), month_due(date(2026, 11, 11))
    (datetime.date(2026, 9, 1), datetime.date(2026, 10, 1))
    """
    return add_months(day, -1 if day.day > DUE_DAY else -2)
