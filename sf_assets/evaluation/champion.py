"""Who replaces the champion: the challenger that the backtest finds better, beyond noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sf_assets.engine.storage import frame_of
from sf_assets.evaluation.bootstrap import Interval, interval
from sf_assets.model.matrix import Floats
from sf_assets.model.selection import CHAMPION


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger against the champion: average precision of both, and of the challenger less the champion's.

    A champion that is no method any more has no precision: there is no difference to measure.
    """

    challenger: str
    champion_precision: float | None
    precision: float
    difference: Interval


def compare_with_champion(champion: str, precisions: dict[str, Floats]) -> tuple[Comparison, ...]:
    """Compare every other method with the champion; `precisions` holds the average precision of each draw by method.

    Both are measured on the same companies in each draw: what they share cancels out of the difference.
    """
    held = precisions.get(champion)
    if held is None:
        unknown = Interval(None, None, None)
        return tuple(Comparison(name, None, float(drawn[0]), unknown) for name, drawn in precisions.items())
    return tuple(
        Comparison(name, float(held[0]), float(drawn[0]), interval(drawn - held))
        for name, drawn in precisions.items()
        if name != champion
    )


def choose_champion(champion: str, held: Sequence[Comparison]) -> str:
    """Return the champion after the compare_with_champion: the challenger of the greatest gain among those whose interval excludes 0.

    A champion that is no method any more leaves its place to the most precise of the others.

    >>> choose_champion("seuils", [Comparison("foret", 0.10, 0.15, Interval(0.05, -0.01, 0.11))])
    'seuils'
    """
    better = [
        one
        for one in held
        if one.champion_precision is None or (one.difference.low is not None and one.difference.low > 0)
    ]
    return max(better, key=lambda one: (one.precision, one.challenger)).challenger if better else champion


def decision_rows(champion: str, held: Sequence[Comparison]) -> pl.DataFrame:
    """Return the rows of `eval_champion`: one per contest."""
    after = choose_champion(champion, held)
    gone = any(one.champion_precision is None for one in held)
    cause = "which is no method any more" if gone else "better beyond noise"
    told = (
        f"{champion} stays: no method is better beyond noise"
        if after == champion
        else f"{after} replaces {champion}{',' if gone else ':'} {cause}"
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
                "decision": told,
            }
            for one in held
        ),
    )
