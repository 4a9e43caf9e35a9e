"""The champion: which challenger replaces it, when the backtest finds one better beyond noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sf_assets.engine.storage import Session, frame_of
from sf_assets.evaluation.bootstrap import Interval, draw_weights, interval, ranking
from sf_assets.evaluation.figures import ALL_COMPANIES
from sf_assets.evaluation.loading import backtested_methods, load_scores
from sf_assets.evaluation.panel import Panel
from sf_assets.model.matrix import Floats
from sf_assets.model.selection import CHAMPION


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger compared with the champion: the average precision of both, and the difference with its interval.

    A champion whose method was removed from the code has no precision, and there is no difference to measure.
    """

    challenger: str
    champion_precision: float | None
    precision: float
    difference: Interval


def average_precisions(session: Session, panel: Panel) -> dict[str, Floats]:
    """Return the average precision of each draw by method, on rows of the backtest in no procedure."""
    rows = ~panel.en_procedure
    weights = draw_weights(len(panel.companies))
    precisions = {}
    for method in (method for method, companies in backtested_methods(session) if companies == ALL_COMPANIES):
        ranks = panel.ranks(load_scores(session, panel, method, ALL_COMPANIES), rows)
        precisions[method] = ranking(ranks[rows], panel.target[rows], panel.company[rows], weights)[1]
    return precisions


def compare_with_champion(champion: str, precisions: dict[str, Floats]) -> tuple[Comparison, ...]:
    """Compare every other method with the champion; `precisions` holds the average precision of each draw by method.

    Both are measured on the same companies in each draw: the noise that they share cancels out of the difference.
    """
    of_champion = precisions.get(champion)
    if of_champion is None:
        unknown = Interval(None, None, None)
        return tuple(Comparison(name, None, float(drawn[0]), unknown) for name, drawn in precisions.items())
    return tuple(
        Comparison(name, float(of_champion[0]), float(drawn[0]), interval(drawn - of_champion))
        for name, drawn in precisions.items()
        if name != champion
    )


def choose_champion(champion: str, comparisons: Sequence[Comparison]) -> str:
    """Return the champion after the comparisons: the most precise of the challengers whose gain excludes 0 from its interval.

    A champion whose method was removed is replaced by the most precise challenger.

    >>> choose_champion("seuils", [Comparison("foret", 0.10, 0.15, Interval(0.05, -0.01, 0.11))])
    'seuils'
    """
    better = [
        one
        for one in comparisons
        if one.champion_precision is None or (one.difference.low is not None and one.difference.low > 0)
    ]
    return max(better, key=lambda one: (one.precision, one.challenger)).challenger if better else champion


def decision_rows(champion: str, comparisons: Sequence[Comparison]) -> pl.DataFrame:
    """Return the rows of `eval_champion`, one per comparison."""
    after = choose_champion(champion, comparisons)
    removed = any(one.champion_precision is None for one in comparisons)
    cause = "which is no method any more" if removed else "better beyond noise"
    decision = (
        f"{champion} stays: no method is better beyond noise"
        if after == champion
        else f"{after} replaces {champion}{',' if removed else ':'} {cause}"
    )
    return frame_of(
        CHAMPION,
        (
            {
                "tenant": champion,
                "candidat": one.challenger,
                "ap_tenant": one.champion_precision,
                "ap_candidat": one.precision,
                "difference": one.difference.value,
                "bas": one.difference.low,
                "haut": one.difference.high,
                "remplace": one.challenger == after,
                "champion": after,
                "decision": decision,
            }
            for one in comparisons
        ),
    )
