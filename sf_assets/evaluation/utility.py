"""The utility of each theme and source of features: average precision lost without it, and reached by it alone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.bootstrap import Interval, draw_weights, interval, ranking
from sf_assets.evaluation.origins import Origin
from sf_assets.evaluation.panel import positions_in, rank_share
from sf_assets.evaluation.tables import UTILITY
from sf_assets.features.registry import FEATURES, THEMES, Feature
from sf_assets.model.learning import RowLoader
from sf_assets.model.methods import ScoringMethod, score

THEME, SOURCE = "theme", "source"
# A method is fitted for every set of features at each origin: the last origins and a sample of rows suffice to compare sets.
ORIGINS = 3
LEARNING_ROWS = 20_000
# Fewer rounds than the default of the method: sets of features rank the same with trees of four leaves.
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """A theme or a source of features.

    Attributes:
        kind: `theme` or `source`.
        name: the name of the theme or source.
        without: the features that remain when it is removed.
        alone: the features that use nothing else.

    """

    kind: str
    name: str
    without: tuple[str, ...]
    alone: tuple[str, ...]


def feature_groups(features: tuple[Feature, ...] = FEATURES) -> tuple[FeatureGroup, ...]:
    """Return the themes of the features, then their sources.

    Removing a source removes all features that use it, also together with others.
    """
    themes = dict.fromkeys(one.theme for one in features)
    sources = dict.fromkeys(source for one in features for source in one.sources)
    by_theme = (
        FeatureGroup(
            THEME,
            THEMES[theme],
            tuple(one.name for one in features if one.theme != theme),
            tuple(one.name for one in features if one.theme == theme),
        )
        for theme in themes
    )
    by_source = (
        FeatureGroup(
            SOURCE,
            source,
            tuple(one.name for one in features if source not in one.sources),
            tuple(one.name for one in features if set(one.sources) == {source}),
        )
        for source in sources
    )
    return (*by_theme, *by_source)


def small_boosting(features: tuple[str, ...]) -> ScoringMethod:
    """Return the method that compares sets of features: gradient boosting with few rounds, fast to fit."""
    from sf_assets.model.boosting import BoostingMethod  # noqa: PLC0415 - slow to load

    return BoostingMethod(features, rounds=_ROUNDS)


def utility(
    origins: Iterable[Origin],
    *,
    load: RowLoader,
    draw: RowLoader,
    groups: tuple[FeatureGroup, ...],
    method: Callable[[tuple[str, ...]], ScoringMethod] = small_boosting,
) -> pl.DataFrame:
    """Return one row of `eval_utility` per group: the loss without it and what it reaches alone, with intervals.

    Rows of companies in a procedure are left out of both learning and measuring. A group "adds" (`apporte`) when the
    interval of its loss lies above 0.

    Args:
        origins: the origins at which methods learn and are measured.
        load: returns all labelled rows of some months, to measure on.
        draw: returns the rows to learn from, which may be sampled and weighted.
        groups: the themes and sources.
        method: returns an unfitted method for a set of features.

    """
    whole = tuple(dict.fromkeys(name for group in groups for name in (*group.without, *group.alone)))
    sets = dict.fromkeys(
        features
        for features in (whole, *(names for group in groups for names in (group.without, group.alone)))
        if features
    )
    by_origin = [_origin_scores(origin, tuple(sets), load, draw, method) for origin in origins]
    if not by_origin:
        return frame_of(UTILITY, ())
    rows = pl.concat(rows for rows, _ in by_origin)
    scores = {features: np.concatenate([scored[features] for _, scored in by_origin]) for features in sets}
    names = rows["siren"].unique().sort()
    company = positions_in(rows["siren"], names)
    weights, target = draw_weights(len(names)), rows["target"].to_numpy()
    precision = {features: ranking(values, target, company, weights)[1] for features, values in scores.items()}
    return frame_of(UTILITY, (_row(group, whole, precision) for group in groups))


def _origin_scores(
    origin: Origin,
    sets: tuple[tuple[str, ...], ...],
    load: RowLoader,
    draw: RowLoader,
    method: Callable[[tuple[str, ...]], ScoringMethod],
) -> tuple[pl.DataFrame, dict[tuple[str, ...], npt.NDArray[np.float32]]]:
    """Return the rows of the months that an origin scores, and the rank of each row in its month by each set of features."""
    learned = draw(origin.training).filter(~pl.col("en_procedure"))
    outcome = [learned[column].to_numpy() for column in ("target", "weight", "siren")]
    fitted = {features: method(features).fit(learned, *outcome) for features in sets}
    del learned
    rows, scores = [], {features: [] for features in sets}  # type: ignore[var-annotated]
    for month in origin.test:
        measured = load((month,)).filter(~pl.col("en_procedure"))
        rows.append(measured.select("siren", "target"))
        for features, learner in fitted.items():
            scores[features].append(rank_share(score(learner, measured)).astype(np.float32))
    return pl.concat(rows), {features: np.concatenate(months) for features, months in scores.items()}


def _row(
    group: FeatureGroup, whole: tuple[str, ...], precision: Mapping[tuple[str, ...], npt.NDArray[np.float64]]
) -> dict[str, object]:
    loss = interval(precision[whole] - precision[group.without] if group.without else precision[whole])
    alone = interval(precision[group.alone]) if group.alone else Interval(None)
    return {
        "nature": group.kind,
        "nom": group.name,
        "variables": len(whole) - len(group.without),
        "perte": loss.value,
        "perte_bas": loss.low,
        "perte_haut": loss.high,
        "seul": alone.value,
        "seul_bas": alone.low,
        "seul_haut": alone.high,
        "apporte": loss.low is not None and loss.low > 0,
        "raison": None if group.alone else "no feature uses this source alone",
    }
