"""What a feature is: its name, label, theme, unit, sources, reason, and the sentence that states its value."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "€", "person", "hour", "day", "month", "year", "share", "point", "ratio", "count", "flag", "€/person", "hour/person"
]

DETTE = "dette_urssaf"
EFFECTIF = "effectif"
ACTIVITE_PARTIELLE = "activite_partielle"
PAIEMENT = "retards_paiement"
FINANCES = "sante_financiere"
PROFIL = "profil"

THEMES = {
    DETTE: "Dettes sociales",
    EFFECTIF: "Variation de l'effectif de l'entreprise",
    ACTIVITE_PARTIELLE: "Recours à l'activité partielle",
    PAIEMENT: "Retards de paiement fournisseurs",
    FINANCES: "Données financières",
    PROFIL: "Profil de l'entreprise",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One number per company and month, NULL while its sources have no value for the company.

    `label` names it for officers. `phrase` is the French sentence that states a value: `{value}` stands for the formatted
    number, `{evolution}` for a change ("a augmenté de …" or "a baissé de …"). `reason` explains why the feature is
    computed. `risk` is the side on which economics expects more failures: +1 high values, -1 low values, 0 unknown.
    `absent` is the value in the matrix of a company without a row in the table of the feature's family: 0 where no row means
    nothing owed or consumed, None where the value is unknown.
    """

    name: str
    label: str
    theme: str
    unit: Unit
    sources: tuple[str, ...]
    reason: str
    phrase: str
    risk: int = 0
    absent: int | None = None
