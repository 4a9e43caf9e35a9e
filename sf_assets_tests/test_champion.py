"""A method replaces the champion only when it is better beyond noise, and lists follow from the month after."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.evaluation.bootstrap import draw_weights, ranking
from sf_assets.evaluation.champion import contests, decide, decision_rows
from sf_assets.model.champion import CHAMPION, Choice, choices_in_force
from sf_assets.model.learning import Learned, retained
from sf_assets.model.tables import FITTED
from sf_assets.model.threshold import ThresholdMethod
from sf_assets.operations.method import CannotChoose, choose

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


def test_a_champion_that_is_no_method_any_more_leaves_its_place_to_the_most_precise() -> None:
    held = contests("reseau", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    assert decide("reseau", held) == "foret"
    rows = decision_rows("reseau", held)
    assert set(rows["champion"]) == {"foret"}
    assert rows["ap_tenant"].null_count() == rows.height
    assert "no method any more" in rows["decision"][0]


OCTOBER_2025, OCTOBER, NOVEMBER, DECEMBER = date(2025, 10, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def evaluate(session: Session, month: date, champion: str) -> None:
    rows = decision_rows("seuils", contests("seuils", precisions(**{"seuils": 3.0, champion: 0.3})))
    session.replace({CHAMPION: rows}, where={"month": month}, author="test", message="test")


def keep(session: Session, month: date, name: str, *, statement: str | None = None, choice: str = "décidée") -> None:
    row = {"methode": name, "retained": True, "statement": statement, "choice": choice}
    session.replace({FITTED: frame_of(FITTED, [row])}, where={"month": month}, author="test", message="test")


def operate(session: Session, month: date, name: str) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    choose(session, month, name, reason="la forêt ne s'explique pas", decided_by="A. Martin", decided_at=at)


def in_force(session: Session, month: date) -> list[str]:
    return [choice.method for choice in choices_in_force(session, month)]


def test_a_decision_holds_from_the_month_after(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert choices_in_force(session, OCTOBER) == ()
        evaluate(session, OCTOBER_2025, "logistique")
        evaluate(session, OCTOBER, "foret")
        assert choices_in_force(session, OCTOBER_2025) == ()
        assert in_force(session, OCTOBER) == ["logistique"]
        assert in_force(session, NOVEMBER) == ["foret"]


def test_without_a_decision_a_list_keeps_the_method_of_the_list_before(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        keep(session, OCTOBER, "boosting", choice="la plus précise")
        assert in_force(session, OCTOBER_2025) == []
        (same,) = choices_in_force(session, OCTOBER)
        assert same == Choice("boosting", "la plus précise"), "a month made again says the same"
        (next_,) = choices_in_force(session, NOVEMBER)
        assert next_ == Choice("boosting", "la même que pour la liste de 10/2026, sans autre décision depuis")
        evaluate(session, OCTOBER, "foret")
        assert in_force(session, OCTOBER) == ["boosting"]
        assert in_force(session, NOVEMBER) == ["foret", "boosting"]


def test_a_list_made_for_want_of_history_binds_nobody(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        keep(session, OCTOBER, "seuils", statement="Historique insuffisant")
        assert choices_in_force(session, NOVEMBER) == ()


def test_an_operator_chooses_a_method_with_a_reason_that_the_list_says(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        evaluate(session, OCTOBER, "foret")
        operate(session, NOVEMBER, "logistique")
        assert in_force(session, OCTOBER) == []
        (choice,) = choices_in_force(session, NOVEMBER)
        assert choice == Choice("logistique", "choisie à partir de 11/2026 : la forêt ne s'explique pas")
        evaluate(session, NOVEMBER, "boosting")
        assert in_force(session, DECEMBER) == ["boosting"]
        for wrong in ({"name": "reseau"}, {"reason": " "}, {"decided_by": ""}):
            given = {"name": "foret", "reason": "parce que", "decided_by": "A. Martin"} | wrong
            with pytest.raises(CannotChoose, match="expected"):
                choose(session, DECEMBER, **given, decided_at=datetime(2026, 12, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("choices", "expected"),
    [((), "best"), (("other",), "other"), (("unusable", "other"), "other"), (("gone",), "best")],
)
def test_the_list_follows_the_first_choice_that_can_be_used(choices: tuple[str, ...], expected: str) -> None:
    def learned(name: str, precision: float, *, usable: bool = True) -> Learned:
        fitted = ThresholdMethod() if usable else None
        return Learned(name, fitted, None, None, None, (), {"rows": 0, "failures": 0}, precision)

    methods = (learned("best", 0.2), learned("other", 0.1), learned("unusable", 0.9, usable=False))
    found = retained(methods, [Choice(name, "décidée") for name in choices])
    assert found.method == expected
    if expected == "other":
        assert found.why == "décidée"
    else:
        assert found.why.endswith("la plus précise sur les mois qui choisissent les seuils")
        assert found.why.startswith("à la place de gone") == (choices == ("gone",))
