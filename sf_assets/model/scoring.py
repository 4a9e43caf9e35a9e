"""A month's scores: computed by saved methods, kept in versions, never silently overwritten."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from sf_assets.engine.storage import Session, Write
from sf_assets.features.registry import NAMES
from sf_assets.features.tables import MATRIX
from sf_assets.model.methods import METHODS, score
from sf_assets.model.store import ModelStore
from sf_assets.model.tables import FITTED, SCORES

COMPANIES = f"select siren, {', '.join(NAMES)} from feat_matrix order by siren"
_LATEST = "select coalesce(max(version), 0) from model_scores"
SAME = """
    select count(*) = 0
    from (select siren, methode, probabilite, model_version from model_scores where version = $version) as before
    full join scored as after using (siren, methode)
    where
        before.probabilite is distinct from after.probabilite
        or before.model_version is distinct from after.model_version
"""
_PUBLISHED = "select count(*) from lake.list_export where month = $month and scores_version = $version"


@dataclass(frozen=True, slots=True)
class ScoredMonth:
    """What scoring a month did: `rows` of `version`; `write` is None when they are those already there.

    `published` tells that a list was made from an earlier version, which stays. `snapshot` is the one features and
    models were read at.
    """

    rows: int
    version: int
    write: Write | None
    published: bool
    snapshot: int
    means: dict[str, float]


def score_month(session: Session, month: date, *, fitted: date, store: ModelStore, author: str) -> ScoredMonth:
    """Score a month's companies by every method that the month `fitted` supports, and keep the scores.

    Scores equal to the latest version, by the same models, are not written again. Others replace it, unless a list was
    published from it: they are then a new version beside it. Models that only have other thresholds give the same
    scores, and are other models all the same: a list is made by the models that its scores name.
    """
    session.bind({MATRIX: month, FITTED: fitted, SCORES: month})
    with session.reading() as snapshot:
        scored = _scored(session, fitted, store).with_columns(features_snapshot=pl.lit(snapshot, pl.Int64))
    session.connection.register("scored", scored.to_arrow())
    latest = _number(session, _LATEST)
    # A list without any alert is published all the same: its files tell, not its rows.
    handed_over = month in session.months("list_export")
    published = handed_over and bool(_number(session, _PUBLISHED, month=month, version=latest))
    unchanged = bool(latest) and bool(_number(session, SAME, version=latest))
    version = latest + 1 if not latest or (published and not unchanged) else latest
    # Scores that are there already stand for those of now: that they were looked at again is all that is written.
    rows = (
        "from model_scores where version = $version"
        if unchanged
        else "select *, $version::integer as version from scored"
    )
    write = session.replace(
        {SCORES: rows},
        where={"month": month, "version": version},
        author=author,
        message=f"scores of {month:%Y-%m}, version {version}",
        parameters={"version": version},
    )[SCORES.name]
    means = scored.group_by("methode", maintain_order=True).agg(pl.col("probabilite").mean())
    return ScoredMonth(
        scored.height, version, None if unchanged else write, published, snapshot, dict(means.iter_rows())
    )


def _scored(session: Session, fitted: date, store: ModelStore) -> pl.DataFrame:
    """Return `siren`, `methode`, `probabilite` and `model_version` for every company and supported method."""
    matrix = session.connection.execute(COMPANIES).pl()
    supported = session.connection.execute(
        "select methode, version from model_fitted where supported order by methode"
    ).fetchall()
    return pl.concat(
        matrix.select(
            "siren",
            methode=pl.lit(name),
            probabilite=pl.Series(score(store.load(fitted, name, version)[0], matrix)),
            model_version=pl.lit(version),
        )
        for name, version in supported
        if name in METHODS
    )


def _number(session: Session, sql: str, **parameters: object) -> int:
    row = session.connection.execute(sql, parameters).fetchone()
    return int(row[0]) if row else 0
