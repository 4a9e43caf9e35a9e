"""The rows of a backtest once for all methods: who, when, what became of them, and which groups they belong to."""

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
    """One element of each array is one company and month that the backtest scored, by month and company.

    `company` and `period` are places in `companies` and `months`; `following` is the row of the same company a month
    later, -1 without one. `event` numbers the failures (-1 for rows that do not fail): failure n is that of company
    `event_company[n]` on day `event_day[n]`, as rows of several months announce it. `groups` gives the code of each
    row's group and the names of the groups, by dimension. Cut-offs are `shift_days` from the last day of their month.
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
        """The last day known of each month."""
        return np.array([cutoff_of(month, self.shift_days) for month in self.months], dtype="datetime64[D]")

    def ranks(self, score: Floats, rows: Flags) -> Floats:
        """Return the rank of each of some rows among those of its month, NaN for other rows.

        A list is made of one month: what its scores are worth is their order within it. Scores of several origins put
        together would also be judged on how the failure rate moved from one to the next.
        """
        found = np.full(score.size, np.nan)
        starts = np.searchsorted(self.period, np.arange(len(self.months) + 1))
        for start, end in pairwise(starts):
            kept = np.arange(start, end)[rows[start:end]]
            found[kept] = rank_share(score[kept])
        return found

    def eligible(self, first: date) -> Flags:
        """Return the failures all of whose eighteen months of warning lie between `first` and the last month scored."""
        start = np.datetime64(cutoff_of(add_months(first, HORIZON_MONTHS), self.shift_days), "D")
        end = np.datetime64(cutoff_of(add_months(self.months[-1], 1), self.shift_days), "D")
        return np.asarray((self.event_day > start) & (self.event_day <= end))


def rank_share(values: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return the rank of each value over their number, the same for equal values.

    >>> rank_share(np.array([0.3, 0.1, 0.3, 0.2])).tolist()
    [0.875, 0.25, 0.875, 0.5]
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - slow to load

    return np.asarray(rankdata(values) / max(values.size, 1))


def panel_of(rows: pl.DataFrame, shift_days: int = 0) -> Panel:
    """Gather rows by month and company: the columns of `reading.ROWS`, read with the same `shift_days`."""
    companies = rows["siren"].unique().sort()
    months = tuple(rows["periode"].unique().sort())
    origins = tuple(rows["origine"].unique().sort())
    company = _places(rows["siren"], companies)
    period = _places(rows["periode"], pl.Series(months))
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
        origin=_places(rows["origine"], pl.Series(origins)),
        target=rows["target"].to_numpy(),
        en_procedure=rows["en_procedure"].to_numpy(),
        following=_following(company, period, len(companies), months),
        event=event,
        event_company=events["company"].to_numpy().astype(np.intp),
        event_day=events["date_defaillance"].to_numpy().astype("datetime64[D]"),
        groups=_groups(rows),
        shift_days=shift_days,
    )


def _places(values: pl.Series, names: pl.Series) -> Companies:
    return values.replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy().astype(np.intp)


def _following(company: Companies, period: Companies, companies: int, months: Months) -> Companies:
    """Return the row of the same company in the month after, -1 when it has none or the months have a gap."""
    rows = np.full((companies, len(months) + 1), -1, dtype=np.int64)
    rows[company, period] = np.arange(company.size)
    joined = np.array([add_months(m, 1) == n for m, n in pairwise(months)] + [False])
    return np.asarray(np.where(joined[period], rows[company, period + 1], -1), dtype=np.intp)


def _groups(rows: pl.DataFrame) -> dict[str, tuple[Codes, tuple[str, ...]]]:
    """Return the groups in which no one may be hidden by an average."""
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
    found = {}
    for column in named.iter_columns():
        names = _order(column.name, column.unique().sort().to_list())
        found[column.name] = (_places(column, pl.Series(names)).astype(np.int32), tuple(names))
    return found


def _bands(column: str, lower: dict[int, str], below: str) -> pl.Expr:
    """Return the band of a number: the name of the highest bound it reaches."""
    named: pl.Expr = pl.when(pl.col(column).is_not_null()).then(pl.lit(below))
    for bound, name in sorted(lower.items()):
        named = pl.when(pl.col(column) >= bound).then(pl.lit(name)).otherwise(named)
    return named


def _order(dimension: str, names: list[str]) -> list[str]:
    """Put bands in the order of their bounds, other names in that of the alphabet."""
    bands = {"taille": ["moins de 10", *SIZES.values()], "age": ["moins de 3 ans", *AGES.values()]}.get(dimension, [])
    return [name for name in bands if name in names] + [name for name in names if name not in bands]
