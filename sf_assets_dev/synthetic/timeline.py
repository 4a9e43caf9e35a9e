"""Months of the simulation, the window of a delivery, and the date formats of the producers."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]

WORLD_START = date(2013, 1, 1)
LAST_BATCH = date(2028, 12, 1)
MONTHS = 210
"""Months simulated, up to 2030-06, so that the 18 months after the last batch exist."""
NEVER = 9_999
"""Month index of an event that does not happen."""

MONTH_STARTS = np.arange(np.datetime64("2013-01"), np.datetime64("2013-01") + MONTHS + 1, dtype="datetime64[M]")
FIRST_DAYS: Ints = MONTH_STARTS.astype("datetime64[D]").astype(np.int64)
"""First day of each month, and of the one after the last, in days since 1970-01-01."""
YEARS: Ints = MONTH_STARTS[:-1].astype("datetime64[Y]").astype(np.int64) + 1970
MONTHS_OF_YEAR: Ints = np.arange(MONTHS) % 12 + 1

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

PERIODS = tuple(f"{y}{(m - 1) // 3 + 1}{(m - 1) % 3 + 1}" for y, m in zip(YEARS, MONTHS_OF_YEAR, strict=True))
"""URSSAF periods AAAAXY: quarter, then month within the quarter."""
QUARTERS = tuple(f"{period[:5]}0" for period in PERIODS)


def month_index(day: date) -> int:
    """Return the position of the month of `day` in the world; negative before it starts."""
    return (day.year - WORLD_START.year) * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class Window:
    """The window of one delivery: months from `first` to `last`, nothing after the day `delivered`.

    Producers publish with a delay: each `*_last` is the last month that a file of this delivery covers.
    """

    first: int
    last: int
    delivered: int

    @classmethod
    def of(cls, month: date, years: int) -> "Window":
        """Return the window of the batch `month`; the files leave on the 5th of the following month."""
        last = month_index(month)
        if not 12 <= last <= month_index(LAST_BATCH):
            raise ValueError(f"month: expected between 2014-01 and {LAST_BATCH:%Y-%m}, found {month:%Y-%m}")
        if years < 1:
            raise ValueError(f"years: expected at least 1, found {years}")
        return cls(first=max(0, last - 12 * years + 1), last=last, delivered=int(FIRST_DAYS[last + 1]) + 4)

    @property
    def first_day(self) -> int:
        """The first day shown by the files that keep a limited history."""
        return int(FIRST_DAYS[self.first])

    @property
    def cotisation_last(self) -> int:
        """Contributions of a month are due on the 15th of the next one, then controlled."""
        return self.last - 2

    @property
    def effectif_last(self) -> int:
        """Head-counts are known three months later; later columns exist and are empty."""
        return self.last - 3

    @property
    def apconso_last(self) -> int:
        """Hours of short-time work are declared within the month that follows."""
        return self.last - 2

    @property
    def paydex_last(self) -> int:
        """Payment behaviour is measured on the 15th and sold a month later."""
        return self.last - 1


def first_days(months: Ints) -> Ints:
    """Return the first day of months before, in or after the world, in days since 1970-01-01."""
    days: Ints = (MONTH_STARTS[0] + months).astype("datetime64[D]").astype(np.int64)
    return days


def dates(days: Ints) -> pl.Series:
    """Return days since 1970-01-01 as dates, written AAAA-MM-JJ in the files."""
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def french_dates(days: Ints) -> pl.Series:
    """Return days as JJ/MM/AAAA."""
    return dates(days).dt.strftime("%d/%m/%Y")


def urssaf_dates(days: Ints) -> Ints:
    """Return days as (A)AAMMJJ: the date in digits minus 19,000,000."""
    day = dates(days)
    digits = day.dt.year().cast(pl.Int64) * 10_000 + day.dt.month().cast(pl.Int64) * 100 + day.dt.day().cast(pl.Int64)
    return (digits - 19_000_000).to_numpy()


def procol_dates(days: Ints) -> pl.Series:
    """Return days as JJMMMAAAA, with English month names."""
    day = dates(days)
    names = pl.Series(_MONTH_NAMES).gather(day.dt.month().cast(pl.UInt32) - 1)
    return day.dt.strftime("%d") + names + day.dt.strftime("%Y")


def day_in_month(months: Ints, draw: Floats) -> Ints:
    """Return one day of each month, uniform over its first 28 days; `draw` is in [0, 1)."""
    clipped = np.clip(months, 0, MONTHS)
    return FIRST_DAYS[clipped] + (draw * 28).astype(np.int64)
