"""Versions of a list follow its content: the same content keeps its number, and a list handed over is never overwritten."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session, frame_of
from sf_assets.lists.export import HandedOver
from sf_assets.lists.readme import percent
from sf_assets.lists.tables import ALERTS, EXPORT, LIST_VERSIONS
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.methods import METHODS
from sf_assets.vocabulary.failures import PermanentFailure

PREVIOUS_LIST = read_query(files("sf_assets.lists"), "previous_list")
_LAST = "select version, digest, scores_version from list_versions order by version desc limit 1"
_HANDED_OVER = "select distinct list_version from list_export"
_LAST_FILES = """
    select version, scores_version, file, sha256 from list_export
    where version = (select max(version) from list_export)
    order by file
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the month's list: number from 1, version of the scores it was first made from, SHA-256 of its content."""

    number: int
    scores_version: int
    digest: str


def version_of(session: Session, listed: pl.DataFrame, thresholds: Thresholds, scores_version: int) -> Version:
    """Return the version of a list, by comparison with the last version of its month, bound in the session.

    Equal rows and thresholds keep the last version, whatever they were computed from. Other rows replace that version, or
    become the next version when it was handed over.
    """
    digest = hashlib.sha256(repr(thresholds).encode())
    digest.update(listed.drop("version", "scores_version", strict=False).write_ndjson().encode())
    content = digest.hexdigest()
    last = session.connection.execute(_LAST).fetchone()
    if last is None:
        return Version(1, scores_version, content)
    number, last_digest, made_from = last
    if last_digest == content:
        return Version(number, made_from, content)
    return Version(number + (number in _handed_over_versions(session)), scores_version, content)


def row_of_version(version: Version, listed: pl.DataFrame, method: str, thresholds: Thresholds) -> pl.DataFrame:
    """Return the row of `list_versions` of a list made by a method with these thresholds."""
    row = {
        "version": version.number,
        "methode": method,
        "seuil_modere": thresholds.modere,
        "seuil_fort": thresholds.fort,
        "companies": listed.height,
        "forts": listed.filter(pl.col("niveau") == 2).height,  # noqa: PLR2004 - the level's rank
        "digest": version.digest,
        "scores_version": version.scores_version,
    }
    return frame_of(LIST_VERSIONS, [row])


def _handed_over_versions(session: Session) -> Collection[int]:
    return {number for (number,) in session.connection.execute(_HANDED_OVER).fetchall()}


def last_handed_over(session: Session) -> HandedOver:
    """Return the last files handed over for the month bound in the session."""
    rows = session.connection.execute(_LAST_FILES).fetchall()
    if not rows:
        return HandedOver()
    version, scores_version, *_ = rows[0]
    return HandedOver(version, scores_version, {file: sha256 for *_, file, sha256 in rows})


def current_version(session: Session) -> int:
    """Return the number of the current version, the last, of the month bound in the session.

    Raises:
        PermanentFailure: the month has no list yet.

    """
    last = session.connection.execute(_LAST).fetchone()
    if last is None:
        raise PermanentFailure("list_versions: expected a list of the month, found none. Materialise list_alerts.")
    return int(last[0])


def require_current(listed: pl.DataFrame, alerts: pl.DataFrame, month: date) -> None:
    """Refuse a list whose companies, levels or scores are outdated: the files of one export would contradict each other.

    `listed` are the rows of `list_alerts`; `alerts` are the companies in alert by the current scores, thresholds and expert
    rules.

    Raises:
        PermanentFailure: the two differ; the message says what to materialise.

    """
    made, current = (
        rows.select("siren", pl.col("niveau").cast(pl.Int32), "probabilite").sort("siren") for rows in (listed, alerts)
    )
    if not made.equals(current):
        different = (
            made.join(current, on=made.columns, how="anti").height
            + current.join(made, on=made.columns, how="anti").height
        )
        raise PermanentFailure(
            f"list_alerts, {month:%Y-%m}: expected the companies in alert by the current scores, thresholds and expert rules, "
            f"found {different} companies that differ. They changed since: materialise list_corrections and list_alerts again."
        )


def changes(
    session: Session, month: date, listed: pl.DataFrame, method: str, thresholds: Thresholds
) -> tuple[str, ...]:
    """Return in French what changed since the list of the month before; empty when that list was not handed over.

    `listed` are the rows of one version of the month's list.
    """
    session.bind({ALERTS: None, EXPORT: None, LIST_VERSIONS: None})
    version = listed["version"][0] if listed.height else 0
    row = session.connection.execute(PREVIOUS_LIST.text, {"month": month, "version": version}).pl()
    if row.is_empty():
        return ()
    previous = row.row(0, named=True)
    forts = listed.filter(pl.col("niveau") == 2).height  # noqa: PLR2004 - the level's rank
    labels = [METHODS[name].label if name in METHODS else name for name in (previous["methode"], method)]
    same = previous["methode"] == method
    by = f"la même, {labels[1]}" if same else f"{labels[1]}, au lieu de {labels[0]}"
    sizes = f"{listed.height} dont {forts} en risque fort ({previous['companies']} dont {previous['forts']} le mois dernier)"
    return (
        f"Méthode : {by}.",
        f"Seuil du risque fort : {percent(thresholds.fort)} ({percent(previous['seuil_fort'])} le mois dernier).",
        f"Seuil du risque modéré : {percent(thresholds.modere)} ({percent(previous['seuil_modere'])} le mois dernier).",
        f"Entreprises en alerte : {sizes}. Sorties de la liste : {previous['sorties']}"
        + (" (feuille « Sorties »)." if previous["sorties"] else "."),
    )
