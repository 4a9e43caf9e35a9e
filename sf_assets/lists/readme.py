"""The sheet « Lisez-moi » of a list, in French: purpose, how to read it, limits, method, changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sf_assets.lists.document import list_name
from sf_assets.lists.wording import NBSP
from sf_assets.model.evaluation import ReferenceRate, Thresholds
from sf_assets.vocabulary.modes import FULL, OPEN, Mode
from sf_assets.vocabulary.partitions import HORIZON_MONTHS

Style = Literal["title", "heading", "text"]


@dataclass(frozen=True, slots=True)
class About:
    """The facts that the sheet states: month and cut-off of the list, French label of its method, its thresholds.

    `probabilities` is whether scores are probabilities; `statement` says why no model could be trained, `choice` why this
    method was selected, `changes` the differences with the list of the month before, `accepted` the failed checks that an
    operator accepted. A company is followed when it employed `staff` people in one of the last `window` months.
    `precision_fort` and `precision_modere` are the shares of alerts, on the test months, that were followed by a procedure;
    None when they could not be measured. `reference` is the failure rate that probabilities refer to, `sections` are headings
    and texts that a publication adds. `mode` says which data the list is made from.
    """

    month: date
    cutoff: date
    method: str
    probabilities: bool
    thresholds: Thresholds
    staff: int
    window: int
    statement: str | None = None
    choice: str | None = None
    changes: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    precision_fort: float | None = None
    precision_modere: float | None = None
    reference: ReferenceRate | None = None
    sections: tuple[tuple[str, str], ...] = ()
    mode: Mode = FULL


_PURPOSE = f"""\
Elle repère des entreprises qui pourraient entrer en procédure collective (sauvegarde, redressement ou liquidation) \
dans les {HORIZON_MONTHS} mois, pour que l'administration leur propose son aide à temps.
Elle sert à aider. Elle ne sert jamais à contrôler, à sanctionner, à recouvrer ni à refuser une aide. Y figurer n'est \
ni une faute ni une certitude."""
_PROBABILITY = f"La colonne « Risque » est la probabilité estimée d'une défaillance dans les {HORIZON_MONTHS} mois."
_POINTS = """\
La colonne « Risque » est la part des points obtenus sur les points possibles : elle classe les entreprises, \
ce n'est pas une probabilité."""
_CODES = """\
« Code NAF » suit la NAF rév. 2, pour rester comparable d'un mois à l'autre ; « Code NAF 2025 » suit la nomenclature de \
référence à partir du 1er janvier 2027."""
_REASONS = """\
Les motifs sont les faits connus qui pèsent le plus dans le risque de l'entreprise. Ils ouvrent l'échange ; ils ne \
remplacent ni l'analyse de l'agent ni la parole du dirigeant."""
_ABSENCE = """\
Ne pas y figurer n'est pas une preuve de bonne santé : certaines difficultés ne laissent pas de trace dans les données.
Les entreprises dont une procédure collective est déjà connue n'y figurent pas, ni celles hors du périmètre suivi."""
_OPEN_ALONE = """\
Cette liste est faite de données ouvertes seules : le répertoire Sirene, les annonces du BODACC et les comptes publiés. \
Elle ne voit ni les dettes, ni les effectifs d'un mois à l'autre, ni les retards de paiement : une entreprise qui cesse de \
payer ses charges n'y apparaît que lorsque d'autres signes le montrent."""
_KEPT = "La méthode ne change pas d'elle-même : seule une évaluation, ou une décision motivée, en retient une autre."
_FIRST = "Aucune liste n'a été remise le mois dernier."
_CONFIDENTIAL = "Liste réservée aux agents habilités des administrations partenaires. Ne la diffusez pas."


def readme_lines(about: About) -> tuple[tuple[Style, str], ...]:
    """Return the lines of the sheet in order: style and text of each."""
    levels = f"Risque fort : à partir de {percent(about.thresholds.fort)}. "
    levels += f"Risque modéré : à partir de {percent(about.thresholds.modere)}."
    known = f"Elle s'en tient à ce qui était connu le {about.cutoff:%d/%m/%Y}."
    sections = {
        "À quoi sert cette liste": _PURPOSE,
        "Comment la lire": "\n".join(
            [
                _PROBABILITY if about.probabilities else _POINTS,
                *_reference(about),
                levels,
                *_precisions(about),
                _REASONS,
                _CODES,
            ]
        ),
        "Ce qu'elle ne dit pas": "\n".join(
            [known, *([_OPEN_ALONE] if about.mode == OPEN else []), _ABSENCE, _followed(about)]
        ),
        "Comment elle est faite": "\n".join(filter(None, [_method(about), about.statement, _KEPT, *_accepted(about)])),
        "Ce qui a changé depuis le mois dernier": "\n".join(about.changes or [_FIRST]),
        **dict(about.sections),
        "Confidentialité": _CONFIDENTIAL,
    }
    lines: list[tuple[Style, str]] = [("title", f"Signaux Faibles : liste du mois, {list_name(about.month)}")]
    for heading, texts in sections.items():
        lines += [("heading", heading), *(("text", text) for text in texts.split("\n"))]
    return tuple(lines)


def _method(about: About) -> str:
    return f"Méthode : {about.method}, {about.choice}." if about.choice else f"Méthode : {about.method}."


def _reference(about: About) -> Iterator[str]:
    """Yield the rate that probabilities refer to: a company's risk is as recent as it."""
    if about.probabilities and about.reference is not None:
        known = about.reference
        yield (
            f"Elle se rapporte à la fréquence des défaillances la plus récente que l'on connaisse : {percent(known.rate)} des "
            f"entreprises suivies de {known.first:%m/%Y} à {known.last:%m/%Y}, dans les {HORIZON_MONTHS} mois. Si les "
            "défaillances sont devenues plus ou moins fréquentes depuis, tous les risques le sont aussi ; l'ordre reste le même."
        )


def _precisions(about: About) -> Iterator[str]:
    """Yield the precision of alerts as a count out of 100."""
    shares = {"alertes de risque fort": about.precision_fort, "alertes, tous niveaux réunis": about.precision_modere}
    for alerts, share in shares.items():
        if share is not None:
            yield (
                f"Sur 100 {alerts} des mois passés, {round(100 * share)} entreprises ont connu une procédure collective dans les "
                f"{HORIZON_MONTHS} mois."
            )


def _followed(about: About) -> str:
    if about.mode == OPEN:
        return (
            "Une entreprise est suivie quand la tranche d'effectif que publie l'INSEE a été d'au moins "
            f"{about.staff} personnes au cours des {about.window} derniers mois connus. Cette tranche décrit sa situation une à "
            "deux années plus tôt : son effectif d'aujourd'hui peut être moindre."
        )
    return (
        f"Une entreprise est suivie quand elle a employé au moins {about.staff} personnes au cours d'un des "
        f"{about.window} derniers mois connus : son effectif d'aujourd'hui, dans la colonne « Effectif », peut être moindre."
    )


def _accepted(about: About) -> Iterator[str]:
    """Yield the accepted checks, after a line that introduces them; nothing when there are none."""
    if about.accepted:
        yield "Contrôles qui refusaient ce mois et qu'un responsable a acceptés, avec son motif :"
    yield from about.accepted


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal."""
    return f"{100 * share:.1f}".replace(".", ",") + f"{NBSP}%"
