"""Backtest of one origin: methods learn what was known then, and score the months that follow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from sf_assets.evaluation.figures import ALL_COMPANIES, UNSEEN_COMPANIES
from sf_assets.evaluation.origins import FOLDS, Origin, fold_of
from sf_assets.features.configurations import IN_USE
from sf_assets.model.columns import LABELLED
from sf_assets.model.learning import RowLoader, setting_for
from sf_assets.model.methods import ScoringMethod, fit_methods, follow_recent_rate, scores_of
from sf_assets.model.population import at_mean, mean_scores
from sf_assets.model.splits import recent_months


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The fitted methods, and the mean score of the newest labelled months, which a month scored later has too."""

    methods: Mapping[str, ScoringMethod]
    means: Mapping[str, float]


def backtest(
    origin: Origin,
    methods: Mapping[str, type[ScoringMethod]],
    *,
    load: RowLoader,
    draw: RowLoader,
    features: tuple[str, ...] = IN_USE,
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
        features: the names of the features that methods read.

    """
    drawn = draw(origin.training)
    folds = fold_of(drawn["siren"])
    chosen = setting_for(methods, features, LABELLED.outside_procedure(drawn), LABELLED)
    settings = {"boosting": chosen.setting} if chosen else {}
    whole = _fit(methods, drawn, features, settings)
    others = [_fit(methods, drawn.filter(folds != fold), features, settings) for fold in range(FOLDS)]
    del drawn
    for month in origin.test:
        measured = load((month,))
        fold = fold_of(measured["siren"])
        apart = [measured.filter(fold == one) for one in range(FOLDS)]
        scored = [*_scores(measured, whole, origin, ALL_COMPANIES)]
        for fitted, unseen in zip(others, apart, strict=True):
            if unseen.height:
                scored += _scores(unseen, fitted, origin, UNSEEN_COMPANIES)
        yield pl.concat(scored)


def _fit(
    methods: Mapping[str, type[ScoringMethod]],
    drawn: pl.DataFrame,
    features: tuple[str, ...],
    settings: Mapping[str, Mapping[str, Any]],
) -> _Fitted:
    rows = LABELLED.outside_procedure(drawn)
    fitted = fit_methods(methods, features, **LABELLED.outcome(rows), settings=settings)
    recent = recent_months(rows["periode"])
    follow_recent_rate(fitted, **LABELLED.outcome(rows), recent=rows["periode"].is_in(recent).to_numpy())
    newest = drawn.filter(pl.col("periode").is_in(recent))
    return _Fitted(fitted, mean_scores(fitted, newest, newest["weight"].to_numpy()))


def _scores(rows: pl.DataFrame, fitted: _Fitted, origin: Origin, companies: str) -> Iterator[pl.DataFrame]:
    scored = at_mean(scores_of(fitted.methods, rows), fitted.means, rows["periode"])
    for name, scores in scored.items():
        yield rows.select(
            "siren",
            "periode",
            origine=pl.lit(origin.month),
            methode=pl.lit(name),
            entreprises=pl.lit(companies),
            probabilite=pl.Series(scores, dtype=pl.Float32),
        )
