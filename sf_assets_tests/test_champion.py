"""A method replaces the champion only when it is better beyond noise, and lists follow from the month after."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from sf_assets.evaluation.bootstrap import draw_weights, ranking
from sf_assets.evaluation.champion import contests, decide, decision_rows
from sf_assets.model.champion import CHAMPION, champion_in_force
from sf_assets.model.learning import Learned, retained
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.storage import Warehouse

ROWS = 4000


def precisions(**noise: float) -> dict[str, np.ndarray]:
    """Return the average precision, by draw, of methods that see a company's frailty through more or less noise."""
    rng = np.random.default_rng(0)
    frailty = rng.normal(size=ROWS)
    target = frailty + rng.normal(size=ROWS) > 2.2
    weights = draw_weights(ROWS)
    return {
        name: ranking(frailty + level * rng.normal(size=ROWS), target, np.arange(ROWS), weights)[1]
        for name, level in noise.items()
    }


def test_a_clearly_better_method_replaces_the_champion() -> None:
    held = contests("seuils", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    assert decide("seuils", held) == "foret"
    assert all(one.difference.low > 0 for one in held)


def test_a_method_within_noise_does_not_replace_the_champion_even_when_its_figure_is_higher() -> None:
    drawn = precisions(seuils=0.50, foret=0.49)
    lower, higher = sorted(drawn, key=lambda name: drawn[name][0])
    (one,) = contests(lower, drawn)
    assert one.challenger == higher
    assert one.difference.value > 0 > one.difference.low
    assert decide(lower, (one,)) == lower
    # It is the pairing that tells: alone, both intervals overlap by far more.
    apart = contests(lower, {lower: drawn[lower], higher: np.append(drawn[higher][:1], drawn[higher][:0:-1])})
    assert one.difference.high - one.difference.low < apart[0].difference.high - apart[0].difference.low


def test_a_worse_method_never_replaces_the_champion() -> None:
    held = contests("foret", precisions(foret=0.3, seuils=3.0))
    assert decide("foret", held) == "foret"
    assert decide("foret", ()) == "foret"


def test_the_decision_and_its_figures_are_rows() -> None:
    held = contests("seuils", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    rows = decision_rows("seuils", held)
    assert rows.columns == list(CHAMPION.column_names)
    assert rows.filter("remplace")["candidat"].to_list() == ["foret"]
    assert set(rows["champion"]) == {"foret"}
    assert (
        rows.select(pl.col("ap_candidat") - pl.col("ap_tenant") - pl.col("difference")).to_series().abs().max() < 1e-8
    )
    assert decision_rows("foret", ()).is_empty()


def test_a_decision_holds_from_the_month_after(warehouse: Warehouse) -> None:
    def keep(month: date, champion: str) -> None:
        rows = decision_rows("seuils", contests("seuils", precisions(**{"seuils": 3.0, champion: 0.3})))
        session.replace({CHAMPION: rows}, where={"month": month}, author="test", message="test")

    with warehouse.session() as session:
        assert champion_in_force(session, date(2026, 10, 1)) is None
        keep(date(2025, 10, 1), "logistique")
        keep(date(2026, 10, 1), "foret")
        assert champion_in_force(session, date(2025, 10, 1)) is None
        assert champion_in_force(session, date(2026, 10, 1)) == "logistique"
        assert champion_in_force(session, date(2026, 11, 1)) == "foret"


@pytest.mark.parametrize(
    ("champion", "expected"), [(None, "best"), ("other", "other"), ("unusable", "best"), ("gone", "best")]
)
def test_the_list_follows_the_champion_when_it_can_be_used(champion: str | None, expected: str) -> None:
    def learned(name: str, precision: float, *, usable: bool = True) -> Learned:
        method = ThresholdMethod() if usable else None
        return Learned(name, method, None, None, None, (), {"rows": 0, "failures": 0}, precision)

    methods = (learned("best", 0.2), learned("other", 0.1), learned("unusable", 0.9, usable=False))
    assert retained(methods, champion) == expected
