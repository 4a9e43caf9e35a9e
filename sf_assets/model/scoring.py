"""The scores of a month: computed by saved methods, stored in versions, and never overwritten once a list is published."""

from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import polars as pl

from sf_assets.engine.queries import read_query
from sf_assets.engine.storage import Session, Write
from sf_assets.features.tables import MATRIX
from sf_assets.model.methods import METHODS, scores_of
from sf_assets.model.store import ModelStore
from sf_assets.model.tables import FITTED, SCORES
from sf_assets.vocabulary.schema import Table

COMPANIES = "select * from feat_matrix order by siren"
_LATEST = "select coalesce(max(version), 0) from model_scores"
SCORES_UNCHANGED = read_query(files("sf_assets.model"), "scores_unchanged").text
_PUBLISHED = "select count(*) from lake.list_export where month = $month and scores_version = $version"


@dataclass(frozen=True, slots=True)
class ScoredMonth:
    """The result of scoring a month.

    Attributes:
        rows: scores of the month, by all methods.
        version: the version of the scores.
        write: the write of the scores, None when the stored version already holds the same scores.
        published: a list was published from the version before, which therefore stays beside this one.
        snapshot: the snapshot of the warehouse at which features and models were read.
        means: the mean score by method.

    """

    rows: int
    version: int
    write: Write | None
    published: bool
    snapshot: int
    means: dict[str, float]


def score_month(
    session: Session, month: date, *, fitted: date, store: ModelStore, author: str, matrix: Table = MATRIX
) -> ScoredMonth:
    """Score the companies of a month by every method that is supported in the month `fitted`, and store the scores.

    Scores equal to those of the latest version, by the same versions of the models, are not stored again. Different
    scores replace the latest version, or become a new version beside it when a list was published from it. A model
    with other thresholds and equal scores is another version: a list uses the models that its scores name. `matrix` is the
    table of features of the mode.
    """
    session.bind({matrix: month, FITTED: fitted, SCORES: month})
    with session.reading() as snapshot:
        scored = _scored(session, fitted, store).with_columns(features_snapshot=pl.lit(snapshot, pl.Int64))
    session.connection.register("scored", scored.to_arrow())
    latest = _number(session, _LATEST)
    # A published list may hold no alert: `list_export` has a row per file, also of an empty list.
    handed_over = month in session.months("list_export")
    published = handed_over and bool(_number(session, _PUBLISHED, month=month, version=latest))
    unchanged = bool(latest) and bool(_number(session, SCORES_UNCHANGED, version=latest))
    version = latest + 1 if not latest or (published and not unchanged) else latest
    # Unchanged scores are written back as they are: the new snapshot records that they are up to date with their inputs.
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
    versions = {name: version for name, version in supported if name in METHODS}
    scores = scores_of({name: store.load(fitted, name, version)[0] for name, version in versions.items()}, matrix)
    return pl.concat(
        matrix.select(
            "siren",
            methode=pl.lit(name),
            probabilite=pl.Series(scores[name]),
            model_version=pl.lit(version),
        )
        for name, version in versions.items()
    )


def _number(session: Session, sql: str, **parameters: object) -> int:
    row = session.connection.execute(sql, parameters).fetchone()
    return int(row[0]) if row else 0
