"""Backtest of one origin: methods learn what was known then, and score the months that follow."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from sf_assets.evaluation.figures import ALL_COMPANIES, UNSEEN_COMPANIES
from sf_assets.evaluation.origins import FOLDS, Origin, fold_of
from sf_assets.features.configurations import IN_USE
from sf_assets.model.columns import LABELLED
from sf_assets.model.learning import RowLoader, setting_for
from sf_assets.model.methods import ScoringMethod, fit_methods, follow_recent_rate, scores_of
from sf_assets.model.splits import recent_months


def backtest(
    origin: Origin, methods: Mapping[str, type[ScoringMethod]], *, load: RowLoader, draw: RowLoader
) -> Iterator[pl.DataFrame]:
    """Yield the scores of the months of an origin, a month at a time, in the columns of `eval_backtest`.

    Scores with `entreprises` = `toutes` come from methods that learned from all companies in no procedure. Scores with
    `nouvelles` come from three-fold cross-validation by company: each third is scored by methods that learned from the two
    other thirds.

    Args:
        origin: the months to learn from and to score.
        methods: the classes of the methods, by name.
        load: returns all labelled rows of some months, to score.
        draw: returns the rows to learn from, which may be sampled and weighted.

    """
    rows = LABELLED.outside_procedure(draw(origin.training))
    folds = fold_of(rows["siren"])
    chosen = setting_for(methods, IN_USE, rows, LABELLED)
    settings = {"boosting": chosen.setting} if chosen else {}
    whole = _fit(methods, rows, settings)
    others = [_fit(methods, rows.filter(folds != fold), settings) for fold in range(FOLDS)]
    del rows
    for month in origin.test:
        measured = load((month,))
        fold = fold_of(measured["siren"])
        apart = [measured.filter(fold == one) for one in range(FOLDS)]
        yield from _scores(measured, whole, origin, ALL_COMPANIES)
        for fitted, unseen in zip(others, apart, strict=True):
            if unseen.height:
                yield from _scores(unseen, fitted, origin, UNSEEN_COMPANIES)


def _fit(
    methods: Mapping[str, type[ScoringMethod]], rows: pl.DataFrame, settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, ScoringMethod]:
    fitted = fit_methods(methods, IN_USE, **LABELLED.outcome(rows), settings=settings)
    recent = rows["periode"].is_in(recent_months(rows["periode"])).to_numpy()
    follow_recent_rate(fitted, **LABELLED.outcome(rows), recent=recent)
    return fitted


def _scores(
    rows: pl.DataFrame, fitted: Mapping[str, ScoringMethod], origin: Origin, companies: str
) -> Iterator[pl.DataFrame]:
    for name, scores in scores_of(fitted, rows).items():
        yield rows.select(
            "siren",
            "periode",
            origine=pl.lit(origin.month),
            methode=pl.lit(name),
            entreprises=pl.lit(companies),
            probabilite=pl.Series(scores, dtype=pl.Float32),
        )
