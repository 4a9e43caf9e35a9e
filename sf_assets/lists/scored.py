"""What a list is made from: the retained method, and every company of the month with its score by it."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sf_assets.failures import PermanentFailure
from sf_assets.features.registry import NAMES
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.methods import ScoringMethod
from sf_assets.model.store import ModelStore
from sf_assets.storage import Session

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
    scores_version: int


def retained(session: Session, month: date, models: Path) -> Retained:
    """Return the method that the list of the month uses; raise `LookupError` when none was retained."""
    row = session.connection.execute(
        "select methode, version, seuil_modere, seuil_fort, statement, (select max(version) from model_scores) "
        "from model_fitted where retained"
    ).fetchone()
    if row is None:
        raise LookupError(f"model_fitted, {month:%Y-%m}: expected one method retained for the list, found none")
    name, version, modere, fort, statement, scores_version = row
    method, _ = ModelStore(models).load(month, name, version)
    return Retained(method, Thresholds(modere=modere, fort=fort), statement, scores_version)


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
