"""Inputs of a list: the selected method, and every company of the month with its score and level."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.selection import select, with_corrected_levels
from sf_assets.model.evaluation import ReferenceRate, Thresholds
from sf_assets.model.methods import ScoringMethod
from sf_assets.model.store import ModelStore
from sf_assets.vocabulary.failures import PermanentFailure

COMPANIES = read_sql("sf_assets.lists", "scored_companies")


@dataclass(frozen=True, slots=True)
class SelectedMethod:
    """The method that the month's list uses: the fitted method, its row of `model_fitted`, the versions of scores and model.

    `reference` is the failure rate that probabilities refer to, None when scores are no probabilities.
    `statement` says in French why no model could be trained, `choice` why this method was selected; None when there is
    nothing to say.
    """

    method: ScoringMethod
    thresholds: Thresholds
    statement: str | None
    choice: str | None
    scores_version: int
    model_version: str
    reference: ReferenceRate | None = None


def selected_method(session: Session, month: date, models: Shelf) -> SelectedMethod:
    """Return the method that the list of the month uses; `models` is the folder of fitted models.

    Raises:
        PermanentFailure: no method was selected, or its model cannot be read.

    """
    row = session.connection.execute(
        "select methode, version, seuil_modere, seuil_fort, statement, choice, (select max(version) from model_scores) "
        "from model_fitted where retained"
    ).fetchone()
    if row is None:
        raise PermanentFailure(
            f"model_fitted, {month:%Y-%m}: expected one method retained for the list, found none. Materialise model_fitted "
            "and everything downstream."
        )
    name, version, modere, fort, statement, choice, scores_version = row
    try:
        method, card = ModelStore(models).load(month, name, version)
    except (OSError, ValueError) as error:
        raise PermanentFailure(
            f"model_fitted, {month:%Y-%m}: the model of {name}, version {version}, cannot be read: {error}. Materialise "
            "model_fitted and what follows it again."
        ) from error
    thresholds = Thresholds(modere=modere, fort=fort)
    return SelectedMethod(method, thresholds, statement, choice, scores_version, version, card.reference)


def scored_companies(session: Session, month: date) -> pl.DataFrame:
    """Return one row per company of the month: its features, and its current score by the selected method.

    Raises:
        PermanentFailure: the scores were not computed from the current models and features.

    """
    companies = session.connection.execute(COMPANIES).pl()
    (expected,) = session.connection.execute("select count(*) from feat_matrix").fetchall()[0]
    if companies.height != expected:
        raise PermanentFailure(
            f"model_scores, {month:%Y-%m}: expected scores of {expected} companies by the method of model_fitted, found "
            f"{companies.height}. The models or the features changed since: materialise model_scores again."
        )
    return companies


def companies_with_levels(session: Session, month: date, selected: SelectedMethod) -> pl.DataFrame:
    """Return one row per company of the month with its level on the list, expert rules applied.

    Where a rule changed the level, `niveau_modele` is the level of the model and `corrections` names the rules in French.

    Raises:
        PermanentFailure: the scores were not computed from the current models and features.

    """
    changed = session.connection.execute(
        "select siren, niveau as corrige, corrections from list_corrections where scores_version = $version",
        {"version": selected.scores_version},
    ).pl()
    companies = select(scored_companies(session, month), selected.thresholds)
    return with_corrected_levels(companies.join(changed, on="siren", how="left", maintain_order="left"))
