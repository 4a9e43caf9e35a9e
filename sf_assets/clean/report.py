"""The perimeter report `detail-filtres.md`, in French: companies followed, companies left out and reasons (rules §5.6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.sources.batch import batch_key
from sf_assets.staging.tables import STEP_COLUMNS
from sf_assets.vocabulary.schema import Table, no_rows

NAME = "detail-filtres.md"

REPORT = Table(
    name="perimeter_report",
    grain="one step of the perimeter with the companies before and after it, or one reason of the blacklist",
    columns=STEP_COLUMNS,
    key=("etape",),
    rules=(
        no_rows(
            "adds_up",
            "select etape from {batch} "
            "where avant is null or exclues is null or exclues < 0 or avant <> exclues + apres",
            "Tables of the perimeter disagree: run stg_filter_import, siren_blacklist and clean_filter again.",
        ),
    ),
)

_RECENT = "Effectif connu dans les 3 derniers mois"
_REASONS = {
    "motif_categorie_juridique": "Catégorie juridique",
    "motif_activite": "Activité principale",
    "motif_siege": "Siège absent de Sirene ou hors de France",
}


@dataclass(frozen=True, slots=True)
class Perimeter:
    """The parameters printed in a report.

    `window` is in months, `staff` in people; `recent` requires a head-count in the last three months; `explicit` is the
    number of companies in the filter delivered with the batch, None without one. `bands` says that staff bands take the place of
    head-counts.
    """

    month: date
    cutoff: date
    window: int
    staff: int
    recent: bool
    explicit: int | None
    bands: bool = False


def report(steps: pl.DataFrame, perimeter: Perimeter) -> str:
    """Return the report as Markdown; `steps` holds the month's rows of `perimeter_report`."""
    rows = {row["etape"]: row for row in steps.iter_rows(named=True)}
    return "\n".join(_lines(rows, perimeter)) + "\n"


def write_report(text: str, folder: Path) -> Path:
    """Write the report in the folder of the month's export, in one step; return its path."""
    draft = make_private_folder(folder) / f".{NAME}"
    draft.write_text(text, encoding="utf-8")
    return draft.replace(folder / NAME)


def _lines(rows: Mapping[str, Mapping[str, int]], perimeter: Perimeter) -> Iterator[str]:
    measured = "tranches d'effectif" if perimeter.bands else "effectifs"
    recent = "Tranche de l'année la plus récente ou de la précédente" if perimeter.bands else _RECENT
    yield "# Détail des filtres du périmètre\n"
    yield f"Lot {batch_key(perimeter.month)}, arrêté au {perimeter.cutoff:%d/%m/%Y}.\n"
    if perimeter.explicit is not None:
        yield (
            f"Les enregistrements de ce lot sont ceux d'un filtre explicite de {_count(perimeter.explicit)} entreprises. "
            f"Le périmètre ci-dessous est calculé des {measured} comme chaque mois.\n"
        )
    yield "## Paramètres\n\n| paramètre | valeur |\n|---|---|"
    yield f"| Fenêtre des {measured} | {perimeter.window} mois |"
    yield f"| Effectif minimal | {perimeter.staff} |"
    yield f"| {recent} | {'exigé' if perimeter.recent else 'non exigé'} |"
    yield "\n## Périmètre d'import\n\n| étape | entreprises conservées | entreprises exclues | taux d'exclusion |"
    yield "|---|---:|---:|---:|"
    yield f"| Périmètre initial | {_count(rows['perimetre_initial']['apres'])} | | |"
    yield _step(f"Effectif d'au moins {perimeter.staff}", rows["effectif"])
    yield _step("Données récentes", rows["donnees_recentes"])
    yield "\n## Liste noire\n\n| étape | entreprises conservées | entreprises exclues | taux d'exclusion |"
    yield "|---|---:|---:|---:|"
    yield f"| Avant | {_count(rows['liste_noire']['avant'])} | | |"
    yield _step("Après exclusion", rows["liste_noire"])
    yield "\nUne entreprise peut être exclue pour plusieurs motifs.\n\n| motif | entreprises exclues |\n|---|---:|"
    for name, label in _REASONS.items():
        yield f"| {label} | {_count(rows[name]['exclues'])} |"


def _step(label: str, row: Mapping[str, int]) -> str:
    return f"| {label} | {_count(row['apres'])} | {_count(row['exclues'])} | {_rate(row['exclues'], row['avant'])} |"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _rate(part: int, whole: int) -> str:
    rate = 100 * part / whole if whole else 0.0
    return f"{rate:.2f}".replace(".", ",") + "\u202f%"
