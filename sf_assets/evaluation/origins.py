"""Rolling origins: past months at which methods learn what was known then, and score the months that follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.model.splits import Months, SplitRules
from sf_assets.vocabulary.partitions import add_months

# Cross-validation by company: each third is scored by methods that learned from the two other thirds.
FOLDS = 3
# With fewer failing companies, two folds together might hold fewer than two of them, and no method could be fitted.
_FEWEST_FAILING = 12


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin of the backtest: `month` is the first month scored, `training` the months whose label was known then."""

    month: date
    training: Months
    test: Months


def rolling_origins(
    month: date, months: Sequence[date], failures: pl.DataFrame, rules: SplitRules, *, every: int = 12
) -> tuple[Origin, ...]:
    """Return the origins of the backtest of `month`, `every` months apart, the earliest first.

    The last origin scores the last `every` months whose label is known at the cut-off of `month`, each earlier origin the
    `every` months before. An origin is left out when its training months hold fewer failing companies than
    `rules.training_failures`, or fewer than twelve.

    Args:
        month: the month of the evaluation.
        months: the months that have features, in any order.
        failures: one row (`siren`, `periode`) is a company and month that fails within the horizon, as for `plan_split`.
        rules: when a label is known, and how many failures training needs.
        every: months between two origins.

    """
    labelled = sorted(m for m in set(months) if rules.label_known(m) <= rules.cutoff(month))
    origins = []
    first = add_months(labelled[-1], 1 - every) if labelled else month
    while labelled and first > labelled[0]:
        training = tuple(m for m in labelled if rules.label_known(m) <= rules.cutoff(first))
        known = failures.filter(pl.col("periode").is_in(list(training)))["siren"].n_unique() if training else 0
        test = tuple(m for m in labelled if first <= m < add_months(first, every))
        if test and known >= max(rules.training_failures, _FEWEST_FAILING):
            origins.append(Origin(first, training, test))
        first = add_months(first, -every)
    return tuple(reversed(origins))


def fold_of(siren: pl.Series, *, folds: int = FOLDS) -> npt.NDArray[np.intp]:
    """Return the fold of each company, 0 to `folds` - 1: a digest of its number, the same in any set of companies.

    >>> fold_of(pl.Series(["000000001", "000000002", "000000001"])).tolist()
    [2, 1, 2]
    """
    # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): consecutive numbers give unrelated digests.
    x = siren.cast(pl.UInt64).to_numpy().astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((x ^ (x >> np.uint64(31))) % np.uint64(folds), dtype=np.intp)


def months_labelled_at(months: Sequence[date], day: date, rules: SplitRules) -> Months:
    """Return the months whose label is known on a day, in order."""
    return tuple(sorted(m for m in months if rules.label_known(m) <= day))
