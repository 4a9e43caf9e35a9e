"""What a list is made from: the retained method, and every company of the month with its score and level by it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.engine.storage import Session
from sf_assets.features.registry import NAMES
from sf_assets.lists.selection import select, with_levels
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.methods import ScoringMethod
from sf_assets.model.store import ModelStore
from sf_assets.vocabulary.failures import PermanentFailure

COMPANIES = f"""
    select
        c.* exclude (age_entreprise),
        s.probabilite,
        f.siren is not null as dans_perimetre,
        {", ".join(f"m.{name}" for name in NAMES)}
    from feat_company_month as c
    join feat_matrix as m using (siren)
    join model_scores as s using (siren)
    join model_fitted as r on s.methode = r.methode and s.model_version = r.version and r.retained
    left join clean_filter as f on c.siren = f.siren
    where s.version = (select max(version) from model_scores)
    order by c.siren
"""


@dataclass(frozen=True, slots=True)
class Retained:
    """The method of the month's list: its row of `model_fitted`, the fitted method, the version of the scores."""

    method: ScoringMethod
    thresholds: Thresholds
    statement: str | None
    choice: str | None
    scores_version: int


def retained(session: Session, month: date, models: Path) -> Retained:
    """Return the method that the list of the month uses.

    Raises `PermanentFailure` when none was retained, or when its model cannot be read.
    """
    row = session.connection.execute(
        "select methode, version, seuil_modere, seuil_fort, statement, choice, (select max(version) from model_scores) "
        "from model_fitted where retained"
    ).fetchone()
    if row is None:
        raise PermanentFailure(
            f"model_fitted, {month:%Y-%m}: expected one method retained for the list, found none. Materialise model_fitted "
            "and what follows it."
        )
    name, version, modere, fort, statement, choice, scores_version = row
    try:
        method, _ = ModelStore(models).load(month, name, version)
    except (OSError, ValueError) as error:
        raise PermanentFailure(
            f"model_fitted, {month:%Y-%m}: the model of {name}, version {version}, cannot be read: {error}. Materialise "
            "model_fitted and what follows it again."
        ) from error
    return Retained(method, Thresholds(modere=modere, fort=fort), statement, choice, scores_version)


def companies_of(session: Session, month: date) -> pl.DataFrame:
    """Return every company of the month with its score by the retained method, as it stands now.

    Raises `PermanentFailure` when scores and features are not of one another.
    """
    companies = session.connection.execute(COMPANIES).pl()
    (expected,) = session.connection.execute("select count(*) from feat_matrix").fetchall()[0]
    if companies.height != expected:
        raise PermanentFailure(
            f"model_scores, {month:%Y-%m}: expected scores of {expected} companies by the method of model_fitted, found "
            f"{companies.height}. The models or the features changed since: materialise model_scores again."
        )
    return companies


def with_corrections(session: Session, month: date, found: Retained) -> pl.DataFrame:
    """Return every company of the month with the level of the list: that of the model, or of `list_corrections`.

    `niveau_modele` and `corrections` say why a level is another one than the model's. Raises as `companies_of`.
    """
    changed = session.connection.execute(
        "select siren, niveau as corrige, corrections from list_corrections where scores_version = $version",
        {"version": found.scores_version},
    ).pl()
    companies = select(companies_of(session, month), found.thresholds)
    return with_levels(companies.join(changed, on="siren", how="left", maintain_order="left"))
