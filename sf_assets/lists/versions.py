"""Which version of a list its content is: the one that stands while nothing changes, a new one beside what was handed over."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session
from sf_assets.lists.export import Handed
from sf_assets.lists.readme import percent
from sf_assets.lists.tables import ALERTS, EXPORT, LIST_VERSIONS
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.methods import METHODS
from sf_assets.vocabulary.failures import PermanentFailure

FORMER_LIST = read_query(files("sf_assets.lists"), "former_list")
_LAST = "select version, digest, scores_version from list_versions order by version desc limit 1"
_HANDED_OVER = "select distinct list_version from list_export"
_LAST_FILES = """
    select version, scores_version, file, sha256 from list_export
    where version = (select max(version) from list_export)
    order by file
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the month's list: its number, the scores it was first made from, the checksum of its content."""

    number: int
    scores_version: int
    digest: str


def version_of(session: Session, listed: pl.DataFrame, thresholds: Thresholds, scores_version: int) -> Version:
    """Return the version that a list is, against those of its month that are bound in the session.

    The same rows and thresholds are the version that stands, whatever they were computed from. Others take its place,
    unless it was handed over: they are then the next one.
    """
    digest = hashlib.sha256(repr(thresholds).encode())
    digest.update(listed.drop("version", "scores_version", strict=False).write_ndjson().encode())
    found = digest.hexdigest()
    last = session.connection.execute(_LAST).fetchone()
    if last is None:
        return Version(1, scores_version, found)
    number, former, made_from = last
    if former == found:
        return Version(number, made_from, found)
    return Version(number + (number in _numbers(session)), scores_version, found)


def _numbers(session: Session) -> Collection[int]:
    return {number for (number,) in session.connection.execute(_HANDED_OVER).fetchall()}


def handed_over(session: Session) -> Handed:
    """Return what was handed over last for the month bound in the session."""
    rows = session.connection.execute(_LAST_FILES).fetchall()
    if not rows:
        return Handed()
    version, scores_version, *_ = rows[0]
    return Handed(version, scores_version, {file: sha256 for *_, file, sha256 in rows})


def standing(session: Session) -> int:
    """Return the number of the version that stands for the month bound in the session.

    Raises `PermanentFailure` when there is no list yet.
    """
    last = session.connection.execute(_LAST).fetchone()
    if last is None:
        raise PermanentFailure("list_versions: expected a list of the month, found none. Materialise list_alerts.")
    return int(last[0])


def require_current(listed: pl.DataFrame, alerts: pl.DataFrame, month: date) -> None:
    """Refuse a list whose companies, levels or scores are not those that stand now: files would not agree.

    `listed` are rows of `list_alerts`, `alerts` the companies in alert by the scores, thresholds and corrections that stand.
    Raises `PermanentFailure` with what to do.
    """
    made, stands = (
        rows.select("siren", pl.col("niveau").cast(pl.Int32), "probabilite").sort("siren") for rows in (listed, alerts)
    )
    if not made.equals(stands):
        different = (
            made.join(stands, on=made.columns, how="anti").height
            + stands.join(made, on=made.columns, how="anti").height
        )
        raise PermanentFailure(
            f"list_alerts, {month:%Y-%m}: expected the companies in alert by the scores, thresholds and corrections that stand, "
            f"found {different} companies otherwise. They changed since: materialise list_corrections and list_alerts again."
        )


def changes(
    session: Session, month: date, listed: pl.DataFrame, method: str, thresholds: Thresholds
) -> tuple[str, ...]:
    """Return what changed since the list of the month before, in French; nothing when none was handed over.

    `listed` are the rows of a version of the month's list.
    """
    session.bind({ALERTS: None, EXPORT: None, LIST_VERSIONS: None})
    version = listed["version"][0] if listed.height else 0
    row = session.connection.execute(FORMER_LIST.text, {"month": month, "version": version}).pl()
    if row.is_empty():
        return ()
    former = row.row(0, named=True)
    forts = listed.filter(pl.col("niveau") == 2).height  # noqa: PLR2004 - the level's rank
    labels = [METHODS[name].label if name in METHODS else name for name in (former["methode"], method)]
    same = former["methode"] == method
    by = f"la même, {labels[1]}" if same else f"{labels[1]}, au lieu de {labels[0]}"
    sizes = (
        f"{listed.height} dont {forts} en risque fort ({former['companies']} dont {former['forts']} le mois dernier)"
    )
    return (
        f"Méthode : {by}.",
        f"Seuil du risque fort : {percent(thresholds.fort)} ({percent(former['seuil_fort'])} le mois dernier).",
        f"Seuil du risque modéré : {percent(thresholds.modere)} ({percent(former['seuil_modere'])} le mois dernier).",
        f"Entreprises en alerte : {sizes}. Sorties de la liste : {former['sorties']}.",
    )
