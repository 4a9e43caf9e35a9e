"""The files of a published list, written into an empty folder from one snapshot of the warehouse and the stored model.

A publication and its rebuilding call the same function: the same snapshot, model, settings and code give the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sf_assets.engine.quality.acceptances import Acceptance
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.inputs import AssetMonth
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.export import stem_of, write_files
from sf_assets.lists.month_list import READS, MonthList, bind_list, month_list
from sf_assets.lists.readme_facts import acceptances_in_force, accepted_checks
from sf_assets.lists.spreadsheet import write_csv_text
from sf_assets.lists.tables import ALERTS, CORRECTED, EXPORT, LIST_VERSIONS
from sf_assets.model.tables import EVALUATION
from sf_assets.publication.changes import Changes, changes_between
from sf_assets.publication.sharing import share_reads, write_shares
from sf_assets.publication.tables import PUBLICATION
from sf_assets.publication.versions import listed_in, published_versions
from sf_assets.vocabulary.parameters import Parameters

# What the month must have passed before its list is published; the inputs of these are required too.
GATED = (*READS, CORRECTED.name, ALERTS.name, EVALUATION.name, EXPORT.name)
_COMPARED = (ALERTS.name, EXPORT.name, LIST_VERSIONS.name)
_CHANGES = {
    "siren": "SIREN",
    "raison_sociale": "Raison sociale",
    "changement": "Changement",
    "avant": "Niveau avant",
    "apres": "Niveau après",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is published: the month, the number of the version, its reason, and the settings and models that it uses."""

    month: date
    version: int
    reason: str
    parameters: Parameters
    models: Shelf


@dataclass(frozen=True, slots=True)
class Written:
    """The list whose files were written, what it changes (None for a first version), its acceptances, recipients and inputs."""

    made: MonthList
    changes: Changes | None
    acceptances: tuple[Acceptance, ...]
    recipients: tuple[dict[str, object], ...]
    reads: tuple[AssetMonth, ...]


def write_publication(session: Session, gate: Gate, order: Order, folder: Path) -> Written:
    """Write the files of a published version into an empty folder.

    The session reads the snapshot that the version is made from: pinned at publication, attached when it is rebuilt.

    Raises:
        PermanentFailure: there is no list, no method or no model, or the list is older than the scores.

    """
    month = order.month
    bind_list(session, gate, month)
    acceptances = acceptances_in_force(gate, session, month, but=PUBLICATION.name)
    accepted = accepted_checks(acceptances)
    made = month_list(session, gate, month, models=order.models, parameters=order.parameters, accepted=accepted)
    changes = _changes(session, order, made)
    made = replace(made, about=replace(made.about, sections=tuple(_sections(order, changes))))
    write_files(folder, made.listed, made.document(), page=made.page(), about=made.about, gone=made.gone)
    if changes is not None:
        rows = changes.rows.rename(_CHANGES)
        write_csv_text(rows, folder / f"changements_{stem_of(month).removeprefix('liste_')}.csv")
    recipients = write_shares(session, gate, made, folder)
    reads = [(name, month) for name in GATED] + [
        read for read in share_reads(session, gate, month) if not read[0].startswith("src_")
    ]
    reads += [(name, day) for name in _COMPARED for day in session.months(name) if day <= month]
    return Written(made, changes, acceptances, recipients, tuple(dict.fromkeys(reads)))


def _changes(session: Session, order: Order, made: MonthList) -> Changes | None:
    """Compare with the version that is corrected; None for the first version of the month."""
    before = [published for published in published_versions(session, order.month) if published.version < order.version]
    if not before:
        return None
    corrected = listed_in(session, order.month, before[-1].list_version)
    return changes_between(corrected, made.listed.select(corrected.columns))


def _sections(order: Order, changes: Changes | None) -> Iterator[tuple[str, str]]:
    if changes is None:
        yield "Version publiée", "Version 1 de la liste de ce mois."
    else:
        first = (
            f"Version {order.version} de la liste de ce mois : elle corrige et remplace la version {order.version - 1}."
        )
        yield "Version publiée", f"{first}\nMotif de la correction : {order.reason}\n{changes.sentence}"
