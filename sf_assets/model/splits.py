"""Which months train, which choose the thresholds and which measure, for the model of a batch month.

Months are cut by time only, and each part uses labels that were known before the next one begins: the figures are those
that the model would have had in real life.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.partitions import HORIZON_MONTHS, add_months, cutoff_of

Months = tuple[date, ...]


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How months are shared out.

    A month's label is known once its horizon of `horizon_months` has passed and procedures opened on the last day have
    been published, `publication_days` later. `training_failures` distinct companies must fail in the training months
    of the evaluation.
    """

    test_months: int = 6
    validation_months: int = 6
    horizon_months: int = HORIZON_MONTHS
    publication_days: int = DELAYS["procol_days"]
    training_failures: int = 50
    cutoff_shift_days: int = 0

    def cutoff(self, month: date) -> date:
        """Return the day up to which a month knows things."""
        return cutoff_of(month, self.cutoff_shift_days)

    def label_known(self, month: date) -> date:
        """Return the day the label of a month is known.

        >>> SplitRules().label_known(date(2025, 3, 1))
        datetime.date(2026, 10, 30)
        """
        return self.cutoff(add_months(month, self.horizon_months)) + timedelta(days=self.publication_days)


def rules_for(training_failures: int, cutoff_shift_days: int, delays: Mapping[str, int]) -> SplitRules:
    """Return how months are shared out in a deployment; `delays` are those that differ from `features/delays.py`."""
    return SplitRules(
        training_failures=training_failures,
        cutoff_shift_days=cutoff_shift_days,
        publication_days=(DELAYS | dict(delays))["procol_days"],
    )


@dataclass(frozen=True, slots=True)
class Split:
    """The months of each part for the model of `month`, and the companies that fail in each.

    `training` learns, `validation` chooses the thresholds, `test` measures; `final_training` is every labelled month,
    on which the model that scores `month` is fitted again.
    """

    month: date
    training: Months
    validation: Months
    test: Months
    final_training: Months
    failures: dict[str, int]


@dataclass(frozen=True, slots=True)
class InsufficientHistory:
    """Why no model can be both trained and measured for `month`.

    `labelled` are the months whose label is known; `failures` counts the distinct failing companies of each part that
    could be formed, `labelled` for all of them.
    """

    month: date
    months: Months
    labelled: Months
    failures: dict[str, int]
    causes: tuple[str, ...]

    @property
    def statement(self) -> str:
        """What an officer reads on the list made without a model."""
        return (
            f"Historique insuffisant pour apprendre un modèle en {self.month:%m/%Y} : {'; '.join(self.causes)}. "
            f"Mois disponibles : {_span(self.months)}. Mois dont l'issue est connue : {_span(self.labelled)}, "
            f"avec {_companies(self.failures['labelled'])} en défaillance."
        )


def plan_split(
    month: date, months: Sequence[date], failures: pl.DataFrame, rules: SplitRules | None = None
) -> Split | InsufficientHistory:
    """Share out the months for the model of a batch month, or say why history does not allow it.

    Labels are those known at the cut-off of `month`. `months` are the months that have features, in any order; those
    after `month` are ignored. One row of `failures` (`siren`, `periode`) is a company and month that fails within the
    horizon and was in no procedure at the date.
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


def minimum_months(rules: SplitRules) -> int:
    """Return how many months in a row must have features before any model can be trained, whatever the failures.

    >>> minimum_months(SplitRules())
    68
    """
    last = date(2100, 12, 1)
    count = rules.test_months
    while not _parts(last, tuple(add_months(last, n) for n in range(1 - count, 1)), rules)["training"]:
        count += 1
    return count


def _parts(month: date, available: Months, rules: SplitRules) -> dict[str, Months]:
    """Share out the months that have features, as far as they go; a part that cannot be formed is empty."""
    labelled = tuple(m for m in available if rules.label_known(m) <= rules.cutoff(month))
    test = labelled[-rules.test_months :] if len(labelled) >= rules.test_months else ()
    before_test = _known_before(labelled, test, rules)
    validation = before_test[-rules.validation_months :] if len(before_test) >= rules.validation_months else ()
    training = _known_before(labelled, validation, rules)
    return {"training": training, "validation": validation, "test": test, "labelled": labelled}


def _known_before(labelled: Months, part: Months, rules: SplitRules) -> Months:
    """Return the months whose label was known at the cut-off of the first month of a part; none for an empty part."""
    return tuple(m for m in labelled if rules.label_known(m) <= rules.cutoff(part[0])) if part else ()


def _failing(failures: pl.DataFrame, part: Months) -> int:
    return failures.filter(pl.col("periode").is_in(list(part)))["siren"].n_unique() if part else 0


def _causes(parts: dict[str, Months], counts: dict[str, int], rules: SplitRules) -> tuple[str, ...]:
    """Say in French what is missing, in the order in which the parts are formed; nothing when all is there."""
    if not parts["test"]:
        return (f"{len(parts['labelled'])} mois dont l'issue est connue, il en faut {rules.test_months} pour mesurer",)
    if not parts["validation"]:
        first = f"{parts['test'][0]:%m/%Y}, premier mois de mesure"
        return (f"moins de {rules.validation_months} mois d'issue connue avant {first}, pour choisir les seuils",)
    if not parts["training"]:
        return (f"aucun mois dont l'issue était connue avant {parts['validation'][0]:%m/%Y} pour apprendre",)
    causes = []
    if counts["training"] < rules.training_failures:
        found = _companies(counts["training"])
        causes.append(f"{found} en défaillance dans les mois d'apprentissage, il en faut {rules.training_failures}")
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
