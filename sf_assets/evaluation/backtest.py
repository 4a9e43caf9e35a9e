"""What each method would have said at each origin: learned from what was known then, scores of the months that follow."""

from collections.abc import Iterator, Mapping

import polars as pl

from sf_assets.evaluation.figures import KNOWN, NEW
from sf_assets.evaluation.origins import PARTS, Origin, part_of
from sf_assets.model.learning import Load
from sf_assets.model.methods import ScoringMethod, score


def backtest(
    origin: Origin, methods: Mapping[str, type[ScoringMethod]], *, load: Load, draw: Load
) -> Iterator[pl.DataFrame]:
    """Yield the scores of the months of an origin, a month at a time, in the columns of `eval_backtest`.

    `draw` gives the rows to learn from and `load` those to score, as for `learn`. Scores of `toutes` are those of methods
    that learned from every company in no procedure; those of `nouvelles` never saw the company they score: each third of
    the companies is scored by methods that learned from the two others.
    """
    rows = draw(origin.training).filter(~pl.col("en_procedure"))
    parts = part_of(rows["siren"])
    fitted = [(name, _fit(kind, rows), [_fit(kind, rows.filter(parts != part)) for part in range(PARTS)])
              for name, kind in methods.items()]  # fmt: skip
    del rows
    for month in origin.test:
        measured = load((month,))
        part = part_of(measured["siren"])
        apart = [measured.filter(part == one) for one in range(PARTS)]
        for name, whole, others in fitted:
            yield _scores(measured, whole, origin, name, KNOWN)
            for method, unseen in zip(others, apart, strict=True):
                if unseen.height:
                    yield _scores(unseen, method, origin, name, NEW)


def _fit(kind: type[ScoringMethod], rows: pl.DataFrame) -> ScoringMethod:
    return kind().fit(rows, *(rows[column].to_numpy() for column in ("target", "weight", "siren")))


def _scores(rows: pl.DataFrame, method: ScoringMethod, origin: Origin, name: str, companies: str) -> pl.DataFrame:
    return rows.select(
        "siren",
        "periode",
        origine=pl.lit(origin.month),
        methode=pl.lit(name),
        entreprises=pl.lit(companies),
        probabilite=pl.Series(score(method, rows), dtype=pl.Float32),
    )
