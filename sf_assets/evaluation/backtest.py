"""Backtest of one origin: methods learn what was known then, and score the months that follow."""

from collections.abc import Iterator, Mapping

import polars as pl

from sf_assets.evaluation.figures import ALL_COMPANIES, UNSEEN_COMPANIES
from sf_assets.evaluation.origins import FOLDS, Origin, fold_of
from sf_assets.features.configurations import IN_USE
from sf_assets.model.learning import RowLoader
from sf_assets.model.methods import ScoringMethod, fit_methods, follow_recent_rate, score
from sf_assets.model.splits import recent_months


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
    rows = draw(origin.training).filter(~pl.col("en_procedure"))
    folds = fold_of(rows["siren"])
    whole = _fit(methods, rows, features)
    others = [_fit(methods, rows.filter(folds != fold), features) for fold in range(FOLDS)]
    del rows
    for month in origin.test:
        measured = load((month,))
        fold = fold_of(measured["siren"])
        apart = [measured.filter(fold == one) for one in range(FOLDS)]
        for name in methods:
            yield _scores(measured, whole[name], origin, name, ALL_COMPANIES)
            for fitted, unseen in zip(others, apart, strict=True):
                if unseen.height:
                    yield _scores(unseen, fitted[name], origin, name, UNSEEN_COMPANIES)


def _fit(
    methods: Mapping[str, type[ScoringMethod]], rows: pl.DataFrame, features: tuple[str, ...]
) -> dict[str, ScoringMethod]:
    target, weight, siren = (rows[name].to_numpy() for name in ("target", "weight", "siren"))
    fitted = fit_methods(methods, features, rows, target=target, weights=weight, groups=siren)
    recent = rows["periode"].is_in(recent_months(rows["periode"])).to_numpy()
    follow_recent_rate(fitted, rows, target=target, weights=weight, groups=siren, recent=recent)
    return fitted


def _scores(rows: pl.DataFrame, method: ScoringMethod, origin: Origin, name: str, companies: str) -> pl.DataFrame:
    return rows.select(
        "siren",
        "periode",
        origine=pl.lit(origin.month),
        methode=pl.lit(name),
        entreprises=pl.lit(companies),
        probabilite=pl.Series(score(method, rows), dtype=pl.Float32),
    )
