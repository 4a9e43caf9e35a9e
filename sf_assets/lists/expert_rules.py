"""Expert rules: each votes to raise or lower the level that the model gave, and is named on the list.

They are the rules applied to the lists of September 2022 to February 2024 (rules §12.5), then dropped: a model that knows
the same facts does not need them. A rule applies only where the deployment names it (SF_CORRECTIONS).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

_HIGHEST = 2  # the strong level of `selection.LEVELS`
# Whether social debt is the theme that weighs most in the score: the only signal computed from the model.
DEBT_IS_MAIN_THEME = "dette_urssaf_macro_preponderante"
SIGNALS = (
    "dette_urssaf_ancienne_significative",
    "diminution_dette_urssaf_ancienne",
    "augmentation_dette_urssaf_recente",
    DEBT_IS_MAIN_THEME,
    "demande_activite_partielle_elevee",
    "solvabilite_faible",
    "rentabilite_faible",
    "k_propres_negatifs",
)


@dataclass(frozen=True, slots=True)
class ExpertRule:
    """A declared rule. `vote` computes, from the signals, by how many levels it raises (or lowers) a company.

    `label` is the text that officers read, `reason` why experts asked for the rule. It applies to months from `since` to
    `until`, both included; None means no limit.
    """

    name: str
    label: str
    vote: pl.Expr
    reason: str
    since: date | None = None
    until: date | None = None

    def applies(self, month: date) -> bool:
        """Return whether the rule applies to the list of a month."""
        return (self.since or month) <= month <= (self.until or month)


_WEAK = pl.sum_horizontal(pl.col("solvabilite_faible", "rentabilite_faible", "k_propres_negatifs").cast(pl.Int32))

EXPERT_RULES = (
    ExpertRule(
        "dette_apuree",
        "dette URSSAF ancienne presque apurée",
        -(pl.col("dette_urssaf_ancienne_significative") & pl.col("diminution_dette_urssaf_ancienne")).cast(pl.Int32),
        "a model trained on the debts of the crisis kept raising an alert on companies that had since paid them",
    ),
    ExpertRule(
        "dette_recente",
        "dette URSSAF récente en forte hausse",
        (pl.col("augmentation_dette_urssaf_recente") & ~pl.col(DEBT_IS_MAIN_THEME)).cast(pl.Int32),
        "a debt that is not yet the first theme of the score",
    ),
    ExpertRule(
        "activite_partielle",
        "activité partielle demandée pour plus de 240 jours",
        pl.col("demande_activite_partielle_elevee").cast(pl.Int32),
        "short-time work requested for most of the year is a lasting lack of activity",
    ),
    ExpertRule(
        "comptes_fragiles",
        "comptes fragiles (solvabilité, rentabilité, capitaux propres)",
        pl.when(_WEAK >= 2).then(_WEAK - 1).otherwise(0),  # noqa: PLR2004 - two of three weaknesses, then three
        "accounts weak in several respects at once",
    ),
)
NAMES = tuple(rule.name for rule in EXPERT_RULES)


def apply_expert_rules(companies: pl.DataFrame, rules: Collection[str], month: date) -> pl.DataFrame:
    """Return one row per company whose level the rules change: `siren`, `niveau_modele`, `niveau`, `corrections`.

    `companies` has `siren`, `niveau` and one boolean column per signal, without the companies excluded from the list.
    Votes are added up and limited to one level up or down; `corrections` names in French the rules that voted in the
    direction of the change.

    Raises:
        ValueError: a name of `rules` is not a declared rule.

    """
    if unknown := sorted(set(rules) - set(NAMES)):
        raise ValueError(f"SF_CORRECTIONS: expected names among {', '.join(NAMES)}, found {', '.join(unknown)}")
    applied = [rule for rule in EXPERT_RULES if rule.name in rules and rule.applies(month)]
    votes = companies.select(
        "siren", pl.col("niveau").alias("niveau_modele"), *(rule.vote.alias(rule.name) for rule in applied)
    )
    shift = pl.sum_horizontal(pl.lit(0), *(rule.name for rule in applied)).clip(-1, 1)
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
                    pl.when(pl.col(rule.name).sign() == (pl.col("niveau") - pl.col("niveau_modele")).sign()).then(
                        pl.lit(rule.label)
                    )
                    for rule in applied
                ),
                separator=" ; ",
                ignore_nulls=True,
            ),
        )
    )
