"""Split the months with known labels into training, validation and test months, for the models of a month.

The split is by time only, and the labels of each part were known before the next part begins: the figures are those that
the model would have had in production.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from sf_assets.model.columns import Names
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import HORIZON_MONTHS, add_months, cutoff_of

Months = tuple[date, ...]
# The newest labelled months, to whose failure rate probabilities are calibrated. At 4,000 companies and three origins, the
# calibration error of the boosting a year and a half later went from .0064 to .0043 and from .0076 to .0027, and from .0107 to
# .0155 where the newest months were those of 2019-2020 and the rate turned; over twelve months it was .0074, .0027 and .0142.
RECENT_MONTHS = 6
# One period in five measures, and one in five of those before is recent: a year of monthly periods over five, or a fifth of
# the years of a yearly panel.
_SHARE = 5
_DEFAULTS = Parameters.model_validate({})


@dataclass(frozen=True, slots=True)
class SplitRules:
    """The rules of the split.

    Attributes:
        test_months, validation_months: number of months of each part.
        horizon_months: number of months after the cut-off within which a procedure makes a company fail.
        publication_days: days between the opening of a procedure and its publication. The label of a month is known once
            its horizon has passed and this delay with it.
        training_failures: distinct companies that must fail in the training months.
        cutoff_shift_days: days between the last day of a month and its cut-off.

    """

    test_months: int = 6
    validation_months: int = 6
    horizon_months: int = HORIZON_MONTHS
    publication_days: int = DELAYS["procol_days"]
    training_failures: int = _DEFAULTS.training_failures
    cutoff_shift_days: int = _DEFAULTS.cutoff_shift_days

    def cutoff(self, month: date) -> date:
        """Return the cut-off of a month: only values published up to this day are used."""
        return cutoff_of(month, self.cutoff_shift_days)

    def label_known(self, month: date) -> date:
        """Return the day on which the label of a month is known.

        >>> SplitRules().label_known(date(2025, 3, 1))
        datetime.date(2026, 10, 30)
        """
        return self.cutoff(add_months(month, self.horizon_months)) + timedelta(days=self.publication_days)


def rules_for(training_failures: int, cutoff_shift_days: int, delays: Mapping[str, int]) -> SplitRules:
    """Return the rules of a deployment; `delays` holds the publication delays that differ from `vocabulary/delays.py`."""
    return SplitRules(
        training_failures=training_failures,
        cutoff_shift_days=cutoff_shift_days,
        publication_days=(DELAYS | dict(delays))["procol_days"],
    )


@dataclass(frozen=True, slots=True)
class Split:
    """The months of each part for the models of `month`; the periods of each part, of any type, for a table of anyone.

    Attributes:
        month: the month to score.
        training: months of the first fit.
        validation: months that choose the thresholds.
        test: months that give the published figures.
        final_training: all labelled months, on which the models that score `month` are fitted.
        failures: distinct failing companies of each part, by name; `labelled` counts all labelled months.
        recent: how many of the newest labelled months have the failure rate that probabilities follow.

    """

    month: Any
    training: tuple[Any, ...]
    validation: tuple[Any, ...]
    test: tuple[Any, ...]
    final_training: tuple[Any, ...]
    failures: dict[str, int]
    recent: int = RECENT_MONTHS


@dataclass(frozen=True, slots=True)
class InsufficientHistory:
    """The reason why no model can be trained and measured for `month`.

    Attributes:
        month: the month to score.
        months: the months that have features.
        labelled: the months whose label is known.
        failures: distinct failing companies of each part, 0 for a part without months; `labelled` counts all of them.
        causes: what is missing, in French.

    """

    month: date
    months: Months
    labelled: Months
    failures: dict[str, int]
    causes: tuple[str, ...]

    @property
    def statement(self) -> str:
        """The statement on a list made without a model, in French."""
        return (
            f"Historique insuffisant pour apprendre un modèle en {self.month:%m/%Y} : {'; '.join(self.causes)}. "
            f"Mois disponibles : {_span(self.months)}. Mois dont l'issue est connue : {_span(self.labelled)}, "
            f"avec {_companies(self.failures['labelled'])} en défaillance."
        )


def plan_split(
    month: date, months: Sequence[date], failures: pl.DataFrame, rules: SplitRules | None = None
) -> Split | InsufficientHistory:
    """Return the split of the months for the models of `month`, or why history is insufficient.

    Only labels known at the cut-off of `month` are used.

    Args:
        month: the month to score.
        months: the months that have features, in any order; months after `month` are ignored.
        failures: one row (`siren`, `periode`) is a company and month that fails within the horizon and was in no
            procedure at the cut-off.
        rules: the rules of the split, by default those of `SplitRules()`.

    """
    rules = rules or SplitRules()
    available = tuple(sorted({m for m in months if m <= month}))
    parts = _parts(month, available, rules)
    labelled, validation, test = parts["labelled"], parts["validation"], parts["test"]
    counts = {name: _failing(failures, part) for name, part in parts.items()}
    causes = _causes(parts, counts, rules)
    if causes:
        return InsufficientHistory(month, available, labelled, counts, causes)
    return Split(month, parts["training"], validation, test, labelled, counts)


def recent_months(periods: pl.Series, count: int = RECENT_MONTHS) -> list[Any]:
    """Return the newest labelled months of some rows, whose failure rate probabilities follow."""
    return periods.unique().sort().to_list()[-count:]


def newest_share(count: int) -> int:
    """Return how many of some periods are the newest: a fifth, one at least.

    >>> newest_share(3), newest_share(60)
    (1, 12)
    """
    return max(round(count / _SHARE), 1)


def split_table(rows: pl.DataFrame, names: Names, *, gap: int = 0) -> Split:
    """Return the split of the periods of anyone's table: a fifth tests, a fifth before it validates, those before train.

    Args:
        rows: the table, one row per company and period.
        names: its columns; a period is needed.
        gap: periods whose outcome is not yet known when a part begins, left out before it.

    Raises:
        ValueError: too few periods, or a part in which fewer than two companies fail.

    """
    if names.period is None:
        raise ValueError("names: expected a column of periods to split on, found none")
    periods = names.periods(rows).unique().sort().to_list()
    share = newest_share(len(periods))
    train = len(periods) - 2 * (share + gap)
    if train < 1:
        raise ValueError(
            f"{names.period}: expected {2 * (share + gap) + 1} periods at least, to learn, to choose thresholds and to measure, "
            f"found {len(periods)} with a gap of {gap}"
        )
    middle = train + gap
    parts = {
        "training": tuple(periods[:train]),
        "validation": tuple(periods[middle : middle + share]),
        "test": tuple(periods[-share:]),
        "labelled": tuple(periods),
    }
    failing = names.outside_procedure(rows).filter(pl.col(names.target).cast(pl.Boolean))
    counts = {
        part: failing.filter(pl.col(names.period).is_in(list(those)))[names.group].n_unique()
        for part, those in parts.items()
    }
    for part, found in counts.items():
        if found < 2:  # noqa: PLR2004 - one to learn, one to calibrate
            those = parts[part]
            raise ValueError(
                f"{names.target}: expected two failing companies at least in the periods {those[0]} to {those[-1]} ({part}), "
                f"found {found}"
            )
    return Split(
        periods[-1], parts["training"], parts["validation"], parts["test"], parts["labelled"], counts, recent=share
    )


def minimum_months(rules: SplitRules) -> int:
    """Return the least number of consecutive months with features that allows a split, however many companies fail.

    >>> minimum_months(SplitRules())
    68
    """
    last = date(2100, 12, 1)
    count = rules.test_months
    while not _parts(last, tuple(add_months(last, n) for n in range(1 - count, 1)), rules)["training"]:
        count += 1
    return count


def _parts(month: date, available: Months, rules: SplitRules) -> dict[str, Months]:
    """Return the months of each part; a part for which there are too few months is empty."""
    labelled = tuple(m for m in available if rules.label_known(m) <= rules.cutoff(month))
    test = labelled[-rules.test_months :] if len(labelled) >= rules.test_months else ()
    before_test = _known_before(labelled, test, rules)
    validation = before_test[-rules.validation_months :] if len(before_test) >= rules.validation_months else ()
    training = _known_before(labelled, validation, rules)
    return {"training": training, "validation": validation, "test": test, "labelled": labelled}


def _known_before(labelled: Months, part: Months, rules: SplitRules) -> Months:
    """Return the months whose label was known at the cut-off of the first month of `part`; none when it is empty."""
    return tuple(m for m in labelled if rules.label_known(m) <= rules.cutoff(part[0])) if part else ()


def _failing(failures: pl.DataFrame, part: Months) -> int:
    return failures.filter(pl.col("periode").is_in(list(part)))["siren"].n_unique() if part else 0


def _causes(parts: dict[str, Months], counts: dict[str, int], rules: SplitRules) -> tuple[str, ...]:
    """Return what is missing, in French, in the order in which the parts are formed; nothing when all parts are complete."""
    if not parts["test"]:
        return (f"{len(parts['labelled'])} mois dont l'issue est connue, il en faut {rules.test_months} pour mesurer",)
    if not parts["validation"]:
        first = f"{parts['test'][0]:%m/%Y}, premier mois de mesure"
        return (f"moins de {rules.validation_months} mois d'issue connue avant {first}, pour choisir les seuils",)
    if not parts["training"]:
        return (f"aucun mois dont l'issue était connue avant {parts['validation'][0]:%m/%Y} pour apprendre",)
    causes = []
    if counts["training"] < rules.training_failures:
        failing = _companies(counts["training"])
        causes.append(f"{failing} en défaillance dans les mois d'apprentissage, il en faut {rules.training_failures}")
    causes += [
        f"aucune entreprise en défaillance dans les mois de {use}"
        for part, use in (("validation", "choix des seuils"), ("test", "mesure"))
        if not counts[part]
    ]
    return tuple(causes)


def _span(months: Months) -> str:
    return f"{len(months)} ({months[0]:%m/%Y} à {months[-1]:%m/%Y})" if months else "aucun"


def _companies(count: int) -> str:
    return f"{count} entreprise{'s' if count > 1 else ''}"
