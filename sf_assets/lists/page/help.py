"""What an officer can propose next: schemes of the French administration, by theme of a company's reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from sf_assets.features.registry import ACTIVITE_PARTIELLE, DETTE, EFFECTIF, FINANCES, PAIEMENT


@dataclass(frozen=True, slots=True)
class Help:
    """One scheme: what it is for, in French. `themes` are those that make it worth proposing; empty means always."""

    text: str
    themes: tuple[str, ...] = ()


HELPS = (
    Help(
        "Appeler le dirigeant, se présenter, demander comment va l'entreprise : un échange confidentiel, sans engagement, "
        "qui part de ses besoins et non de la liste."
    ),
    Help("Délai de paiement de l'Urssaf, demandé en ligne ou par téléphone avant que la dette ne s'aggrave.", (DETTE,)),
    Help(
        "Commission des chefs de services financiers (CCSF) : un seul échéancier pour les dettes fiscales et sociales.",
        (DETTE,),
    ),
    Help(
        "Activité partielle, auprès de la DDETS, quand l'activité manque pour un temps.",
        (ACTIVITE_PARTIELLE, EFFECTIF),
    ),
    Help(
        "Médiation du crédit de la Banque de France, quand une banque refuse ou réduit un crédit.",
        (FINANCES, PAIEMENT),
    ),
    Help("Médiation des entreprises, quand un client ou un fournisseur ne tient pas ses engagements.", (PAIEMENT,)),
    Help(
        "Mandat ad hoc ou conciliation, auprès du président du tribunal : une négociation confidentielle avec les "
        "créanciers, avant toute cessation des paiements.",
        (DETTE, FINANCES, PAIEMENT),
    ),
    Help("Commissaire aux restructurations et à la prévention des difficultés (CRP), secrétaire permanent du CODEFI."),
)


def helps_for(themes: Sequence[str]) -> list[int]:
    """Return the positions in `HELPS` of what is worth proposing when these themes raise the risk."""
    return [i for i, one in enumerate(HELPS) if not one.themes or set(one.themes) & set(themes)]
