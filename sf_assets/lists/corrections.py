"""What experts corrected after the model, as declared rules: each votes for a level up or down, and says so on the list.

The rules are those of the lists of September 2022 to February 2024 (rules §12.5), which were then dropped: a model
that knows the same facts needs none of them. None applies unless the deployment names it (SF_CORRECTIONS).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

_HIGHEST = 2  # the strong level of `selection.LEVELS`
# Whether the social-debt theme weighs most in the score: the only signal that the model itself gives.
MACRO = "dette_urssaf_macro_preponderante"
SIGNALS = (
    "dette_urssaf_ancienne_significative",
    "diminution_dette_urssaf_ancienne",
    "augmentation_dette_urssaf_recente",
    MACRO,
    "demande_activite_partielle_elevee",
    "solvabilite_faible",
    "rentabilite_faible",
    "k_propres_negatifs",
)


@dataclass(frozen=True, slots=True)
class Correction:
    """One rule: `vote` is its levels up or down from the signals, `label` what an officer reads, `reason` why it was made.

    It applies to months from `since` to `until`, both included; None is without bound.
    """

    name: str
    label: str
    vote: pl.Expr
    reason: str
    since: date | None = None
    until: date | None = None

    def applies(self, month: date) -> bool:
        """Tell whether the rule holds for the list of a month."""
        return (self.since or month) <= month <= (self.until or month)


_WEAK = pl.sum_horizontal(pl.col("solvabilite_faible", "rentabilite_faible", "k_propres_negatifs").cast(pl.Int32))

CORRECTIONS = (
    Correction(
        "dette_apuree",
        "dette URSSAF ancienne presque apurée",
        -(pl.col("dette_urssaf_ancienne_significative") & pl.col("diminution_dette_urssaf_ancienne")).cast(pl.Int32),
        "a model that saw the debts of the crisis went on fearing companies that had paid them",
    ),
    Correction(
        "dette_recente",
        "dette URSSAF récente en forte hausse",
        (pl.col("augmentation_dette_urssaf_recente") & ~pl.col(MACRO)).cast(pl.Int32),
        "a debt that the score does not yet weigh as its first theme",
    ),
    Correction(
        "activite_partielle",
        "activité partielle demandée pour plus de 240 jours",
        pl.col("demande_activite_partielle_elevee").cast(pl.Int32),
        "short-time work asked for most of the year is a lasting want of activity",
    ),
    Correction(
        "comptes_fragiles",
        "comptes fragiles (solvabilité, rentabilité, capitaux propres)",
        pl.when(_WEAK >= 2).then(_WEAK - 1).otherwise(0),  # noqa: PLR2004 - two of three weaknesses, then three
        "accounts weak on several sides at once",
    ),
)
NAMES = tuple(correction.name for correction in CORRECTIONS)


def correct(companies: pl.DataFrame, rules: Collection[str], month: date) -> pl.DataFrame:
    """Return the companies whose level the rules change: `siren`, `niveau_modele`, `niveau`, `corrections`.

    `companies` has `siren`, `niveau` and a column per signal; a company set aside has a level of 0 and no rank, and is
    not among them. Votes add up, within one level up or down; `corrections` names in French the rules whose vote goes
    the way of the change. Raises `ValueError` for a rule that is not declared.
    """
    if unknown := sorted(set(rules) - set(NAMES)):
        raise ValueError(f"corrections: expected names among {', '.join(NAMES)}, found {', '.join(unknown)}")
    applied = [one for one in CORRECTIONS if one.name in rules and one.applies(month)]
    votes = companies.select(
        "siren", pl.col("niveau").alias("niveau_modele"), *(one.vote.alias(one.name) for one in applied)
    )
    shift = pl.sum_horizontal(pl.lit(0), *(one.name for one in applied)).clip(-1, 1)
    return (
        votes.with_columns(niveau=(pl.col("niveau_modele") + shift).clip(0, _HIGHEST).cast(pl.Int32))
        .filter(pl.col("niveau") != pl.col("niveau_modele"))
        .select(
            "siren",
            pl.col("niveau_modele").cast(pl.Int32),
            "niveau",
            corrections=pl.concat_str(
                pl.lit(None, pl.String),
                *(
                    pl.when(pl.col(one.name).sign() == (pl.col("niveau") - pl.col("niveau_modele")).sign()).then(
                        pl.lit(one.label)
                    )
                    for one in applied
                ),
                separator=" ; ",
                ignore_nulls=True,
            ),
        )
    )
