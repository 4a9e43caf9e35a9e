"""The published versions of lists, read from the warehouse."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from sf_assets.engine.storage import Session
from sf_assets.lists.tables import ALERTS
from sf_assets.publication.tables import PUBLICATION

_VERSIONS = """
    select month, version, list_version, export_version, snapshot, reason, published_at, manifest from list_publication
    where month = coalesce($month, month) order by month, version
"""
_LISTED = """
    select siren, raison_sociale, niveau from list_alerts where month = $month and version = $version order by rang
"""


@dataclass(frozen=True, slots=True)
class Published:
    """One published version of a month's list; `manifest` is the SHA-256 of its manifest."""

    month: date
    version: int
    list_version: int
    export_version: int
    snapshot: int
    reason: str
    published_at: object
    manifest: str


def published_versions(session: Session, month: date | None = None) -> tuple[Published, ...]:
    """Return the published versions of a month, or of all months, in order."""
    session.bind({PUBLICATION: None})
    rows = session.connection.execute(_VERSIONS, {"month": month}).fetchall()
    return tuple(Published(*row) for row in rows)


def published_snapshots(session: Session) -> tuple[int, ...]:
    """Return the snapshots that published lists are rebuilt from: maintenance never expires them."""
    return tuple(published.snapshot for published in published_versions(session))


def listed_in(session: Session, month: date, list_version: int) -> pl.DataFrame:
    """Return `siren`, `raison_sociale` and `niveau` of the companies of one version of `list_alerts`."""
    session.bind({ALERTS: None})
    return session.connection.execute(_LISTED, {"month": month, "version": list_version}).pl()
