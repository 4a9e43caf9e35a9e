"""What each theme and each source is worth: average precision lost without it, and reached by it alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.bootstrap import Interval, draw_weights, interval, ranking
from sf_assets.evaluation.origins import Origin
from sf_assets.evaluation.panel import rank_share
from sf_assets.evaluation.tables import UTILITY
from sf_assets.features.registry import FEATURES, THEMES, Feature
from sf_assets.model.learning import Load
from sf_assets.model.methods import ScoringMethod, score

THEME, SOURCE = "theme", "source"
# Every set of features is learned anew at each origin: the last origins and fewer rows are enough to compare sets.
ORIGINS = 3
LEARNING_ROWS = 20_000
# All failures weigh the same as in the whole, and trees of four leaves need no more rounds to tell sets apart.
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A theme or a source: the features that are left without it, and those that it makes alone."""

    kind: str
    name: str
    without: tuple[str, ...]
    alone: tuple[str, ...]


def parts_of(features: tuple[Feature, ...] = FEATURES) -> tuple[Part, ...]:
    """Return the themes, then the sources, of features.

    Without a source go all features that use it; alone it makes those that use no other.
    """
    themes = dict.fromkeys(one.theme for one in features)
    sources = dict.fromkeys(source for one in features for source in one.sources)
    by_theme = (
        Part(
            THEME,
            THEMES[theme],
            tuple(one.name for one in features if one.theme != theme),
            tuple(one.name for one in features if one.theme == theme),
        )
        for theme in themes
    )
    by_source = (
        Part(
            SOURCE,
            source,
            tuple(one.name for one in features if source not in one.sources),
            tuple(one.name for one in features if set(one.sources) == {source}),
        )
        for source in sources
    )
    return (*by_theme, *by_source)


def small_boosting(features: tuple[str, ...]) -> ScoringMethod:
    """Return the method by which sets of features are compared: fast, and as good as any."""
    from sf_assets.model.boosting import BoostingMethod  # noqa: PLC0415 - slow to load

    return BoostingMethod(features, rounds=_ROUNDS)


def utility(
    origins: Iterable[Origin],
    *,
    load: Load,
    draw: Load,
    parts: tuple[Part, ...],
    method: Callable[[tuple[str, ...]], ScoringMethod] = small_boosting,
) -> pl.DataFrame:
    """Return one row of `eval_utility` per part: the loss without it and what it reaches alone, with intervals.

    Rows of companies in a procedure neither teach nor measure. A part "adds" when the interval of its loss excludes 0.
    """
    whole = tuple(dict.fromkeys(name for part in parts for name in (*part.without, *part.alone)))
    sets = dict.fromkeys(
        features for features in (whole, *(names for part in parts for names in (part.without, part.alone))) if features
    )
    found = [_origin_scores(origin, tuple(sets), load, draw, method) for origin in origins]
    if not found:
        return frame_of(UTILITY, ())
    rows = pl.concat(rows for rows, _ in found)
    scores = {features: np.concatenate([scored[features] for _, scored in found]) for features in sets}
    names = rows["siren"].unique().sort()
    company = rows["siren"].replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    weights, target = draw_weights(len(names)), rows["target"].to_numpy()
    precision = {features: ranking(values, target, company, weights)[1] for features, values in scores.items()}
    return frame_of(UTILITY, (_row(part, whole, precision) for part in parts))


def _origin_scores(
    origin: Origin,
    sets: tuple[tuple[str, ...], ...],
    load: Load,
    draw: Load,
    method: Callable[[tuple[str, ...]], ScoringMethod],
) -> tuple[pl.DataFrame, dict[tuple[str, ...], npt.NDArray[np.float32]]]:
    """Return the rows of an origin's months, and the rank of each in its month by each set of features."""
    learned = draw(origin.training).filter(~pl.col("en_procedure"))
    given = [learned[column].to_numpy() for column in ("target", "weight", "siren")]
    fitted = {features: method(features).fit(learned, *given) for features in sets}
    del learned
    rows, scores = [], {features: [] for features in sets}  # type: ignore[var-annotated]
    for month in origin.test:
        measured = load((month,)).filter(~pl.col("en_procedure"))
        rows.append(measured.select("siren", "target"))
        for features, one in fitted.items():
            scores[features].append(rank_share(score(one, measured)).astype(np.float32))
    return pl.concat(rows), {features: np.concatenate(parts) for features, parts in scores.items()}


def _row(
    part: Part, whole: tuple[str, ...], precision: Mapping[tuple[str, ...], npt.NDArray[np.float64]]
) -> dict[str, object]:
    loss = interval(precision[whole] - precision[part.without] if part.without else precision[whole])
    alone = interval(precision[part.alone]) if part.alone else Interval(None)
    return {
        "nature": part.kind,
        "nom": part.name,
        "variables": len(whole) - len(part.without),
        "perte": loss.value,
        "perte_bas": loss.low,
        "perte_haut": loss.high,
        "seul": alone.value,
        "seul_bas": alone.low,
        "seul_haut": alone.high,
        "apporte": loss.low is not None and loss.low > 0,
        "raison": None if part.alone else "no feature is made of this source alone",
    }
