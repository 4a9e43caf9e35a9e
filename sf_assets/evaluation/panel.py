"""The rows of a backtest, shared by all methods: company, month, outcome and groups of each row."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.evaluation.bootstrap import Companies
from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.splits import Months
from sf_assets.vocabulary.partitions import HORIZON_MONTHS, add_months, cutoff_of

Codes = npt.NDArray[np.int32]

SIZES = {10: "10 à 19", 20: "20 à 49", 50: "50 à 249", 250: "250 et plus"}
AGES = {3: "3 à 5 ans", 6: "6 à 10 ans", 11: "11 à 15 ans", 16: "16 ans et plus"}
UNKNOWN = "inconnu"
CRISIS, OTHER_YEARS = "2020-2021", "autres années"
_CRISIS_YEARS = (2020, 2021)


@dataclass(frozen=True, slots=True)
class Panel:
    """The rows of a backtest as arrays: one element is one company and month, in order of month and company.

    Attributes:
        companies, months, origins: the distinct companies, months and origins, in order.
        company, period, origin: the position of each row's company, month and origin in these.
        target: whether the row fails within the horizon.
        en_procedure: whether the company was in a procedure at the cut-off.
        following: the row of the same company a month later, -1 without one.
        event: the number of the row's failure, -1 for a row that does not fail; rows of several months share a failure.
        event_company, event_day: the company and the first day of each failure.
        groups: by dimension, the code of each row's group and the names of the groups.
        shift_days: days between the last day of a month and its cut-off.

    """

    companies: pl.Series
    months: Months
    origins: Months
    company: Companies
    period: Companies
    origin: Companies
    target: Flags
    en_procedure: Flags
    following: Companies
    event: Companies
    event_company: Companies
    event_day: npt.NDArray[np.datetime64]
    groups: dict[str, tuple[Codes, tuple[str, ...]]]
    shift_days: int = 0

    @property
    def cutoffs(self) -> npt.NDArray[np.datetime64]:
        """The cut-off of each month."""
        return np.array([cutoff_of(month, self.shift_days) for month in self.months], dtype="datetime64[D]")

    def ranks(self, score: Floats, rows: Flags) -> Floats:
        """Return the rank of each row of `rows` within its month, from 0 to 1, NaN for other rows.

        A list covers one month and uses only the order of its scores. Ranking the scores of several origins together
        would also measure how the failure rate moved between origins.
        """
        ranks = np.full(score.size, np.nan)
        starts = np.searchsorted(self.period, np.arange(len(self.months) + 1))
        for start, end in pairwise(starts):
            selected = np.arange(start, end)[rows[start:end]]
            ranks[selected] = rank_share(score[selected])
        return ranks

    def eligible(self, first: date) -> Flags:
        """Return which failures have all of the eighteen months before them scored, from the month `first` on."""
        start = np.datetime64(cutoff_of(add_months(first, HORIZON_MONTHS), self.shift_days), "D")
        end = np.datetime64(cutoff_of(add_months(self.months[-1], 1), self.shift_days), "D")
        return np.asarray((self.event_day > start) & (self.event_day <= end))


def rank_share(values: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return the rank of each value divided by the number of values; equal values share a rank.

    >>> rank_share(np.array([0.3, 0.1, 0.3, 0.2])).tolist()
    [0.875, 0.25, 0.875, 0.5]
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to load

    return np.asarray(rankdata(values) / max(values.size, 1))


def panel_of(rows: pl.DataFrame, shift_days: int = 0) -> Panel:
    """Return the panel of rows in the columns and order of `backtest_rows.sql`, read with the same `shift_days`."""
    companies = rows["siren"].unique().sort()
    months = tuple(rows["periode"].unique().sort())
    origins = tuple(rows["origine"].unique().sort())
    company = positions_in(rows["siren"], companies)
    period = positions_in(rows["periode"], pl.Series(months))
    failing = rows.select("date_defaillance").with_columns(company=company).with_row_index().drop_nulls()
    events = failing.select("company", "date_defaillance").unique().sort("company", "date_defaillance")
    numbered = failing.join(events.with_row_index("event"), on=["company", "date_defaillance"], how="left")
    event = np.full(rows.height, -1, dtype=np.intp)
    event[numbered["index"].to_numpy()] = numbered["event"].to_numpy()
    return Panel(
        companies=companies,
        months=months,
        origins=origins,
        company=company,
        period=period,
        origin=positions_in(rows["origine"], pl.Series(origins)),
        target=rows["target"].to_numpy(),
        en_procedure=rows["en_procedure"].to_numpy(),
        following=_following(company, period, len(companies), months),
        event=event,
        event_company=events["company"].to_numpy().astype(np.intp),
        event_day=events["date_defaillance"].to_numpy().astype("datetime64[D]"),
        groups=_groups(rows),
        shift_days=shift_days,
    )


def positions_in(values: pl.Series, names: pl.Series) -> Companies:
    """Return the position of each value in `names`, which hold every value once."""
    return values.replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy().astype(np.intp)


def _following(company: Companies, period: Companies, companies: int, months: Months) -> Companies:
    """Return the row of the same company in the month after, -1 when it has none or the months have a gap."""
    rows = np.full((companies, len(months) + 1), -1, dtype=np.int64)
    rows[company, period] = np.arange(company.size)
    joined = np.array([add_months(m, 1) == n for m, n in pairwise(months)] + [False])
    return np.asarray(np.where(joined[period], rows[company, period + 1], -1), dtype=np.intp)


def _groups(rows: pl.DataFrame) -> dict[str, tuple[Codes, tuple[str, ...]]]:
    """Return the groups that are measured apart, so that an average hides none: sector, size, region, age, years, origin."""
    named = rows.select(
        section=pl.col("section"),
        taille=_bands("effectif", SIZES, "moins de 10"),
        region=pl.col("region"),
        age=_bands("age_entreprise", AGES, "moins de 3 ans"),
        periode=pl.when(pl.col("periode").dt.year().is_in(_CRISIS_YEARS)).then(pl.lit(CRISIS)).otherwise(
            pl.lit(OTHER_YEARS)
        ),
        origine=pl.col("origine").dt.strftime("%Y-%m"),
    ).fill_null(UNKNOWN)  # fmt: skip
    groups = {}
    for column in named.iter_columns():
        names = _order(column.name, column.unique().sort().to_list())
        groups[column.name] = (positions_in(column, pl.Series(names)).astype(np.int32), tuple(names))
    return groups


def _bands(column: str, lower: dict[int, str], below: str) -> pl.Expr:
    """Return the band of a number: the name of the highest bound it reaches."""
    named: pl.Expr = pl.when(pl.col(column).is_not_null()).then(pl.lit(below))
    for bound, name in sorted(lower.items()):
        named = pl.when(pl.col(column) >= bound).then(pl.lit(name)).otherwise(named)
    return named


def _order(dimension: str, names: list[str]) -> list[str]:
    """Return bands in the order of their bounds, other names in alphabetical order."""
    bands = {"taille": ["moins de 10", *SIZES.values()], "age": ["moins de 3 ans", *AGES.values()]}.get(dimension, [])
    return [name for name in bands if name in names] + [name for name in names if name not in bands]
