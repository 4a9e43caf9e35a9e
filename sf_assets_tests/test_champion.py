"""The champion changes only when a challenger is better beyond noise, and lists follow from the next month."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sf_assets.commands import app as commands
from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.evaluation.bootstrap import draw_weights, ranking
from sf_assets.evaluation.champion import choose_champion, compare_with_champion, decision_rows
from sf_assets.model.learning import LearningResult, select_method
from sf_assets.model.selection import CHAMPION, Choice, preferred_choices
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
    comparisons = compare_with_champion("seuils", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    assert choose_champion("seuils", comparisons) == "foret"
    assert all(one.difference.low > 0 for one in comparisons)


def test_a_method_within_noise_does_not_replace_the_champion_even_when_its_figure_is_higher() -> None:
    drawn = precisions(seuils=0.50, foret=0.49)
    lower, higher = sorted(drawn, key=lambda name: drawn[name][0])
    (one,) = compare_with_champion(lower, drawn)
    assert one.challenger == higher
    assert one.difference.value > 0 > one.difference.low
    assert choose_champion(lower, (one,)) == lower
    # Both methods are measured on the same draws: with draws of their own, the interval is wider.
    apart = compare_with_champion(
        lower, {lower: drawn[lower], higher: np.append(drawn[higher][:1], drawn[higher][:0:-1])}
    )
    assert one.difference.high - one.difference.low < apart[0].difference.high - apart[0].difference.low


def test_a_worse_method_never_replaces_the_champion() -> None:
    comparisons = compare_with_champion("foret", precisions(foret=0.3, seuils=3.0))
    assert choose_champion("foret", comparisons) == "foret"
    assert choose_champion("foret", ()) == "foret"


def test_the_decision_and_its_figures_are_rows() -> None:
    comparisons = compare_with_champion("seuils", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    rows = decision_rows("seuils", comparisons)
    assert rows.columns == list(CHAMPION.column_names)
    assert rows.filter("remplace")["candidat"].to_list() == ["foret"]
    assert set(rows["champion"]) == {"foret"}
    assert (
        rows.select(pl.col("ap_candidat") - pl.col("ap_tenant") - pl.col("difference")).to_series().abs().max() < 1e-8
    )
    assert decision_rows("foret", ()).is_empty()


def test_a_champion_whose_method_was_removed_is_replaced_by_the_most_precise_challenger() -> None:
    comparisons = compare_with_champion("reseau", precisions(seuils=3.0, foret=0.3, logistique=0.9))
    assert choose_champion("reseau", comparisons) == "foret"
    rows = decision_rows("reseau", comparisons)
    assert set(rows["champion"]) == {"foret"}
    assert rows["ap_tenant"].null_count() == rows.height
    assert "no method any more" in rows["decision"][0]


OCTOBER_2025, OCTOBER, NOVEMBER, DECEMBER = date(2025, 10, 1), date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)


def evaluate(session: Session, month: date, champion: str) -> None:
    rows = decision_rows("seuils", compare_with_champion("seuils", precisions(**{"seuils": 3.0, champion: 0.3})))
    session.replace({CHAMPION: rows}, where={"month": month}, author="test", message="test")


def fit(session: Session, month: date, name: str, *, statement: str | None = None, choice: str = "décidée") -> None:
    row = {"methode": name, "retained": True, "statement": statement, "choice": choice}
    session.replace({FITTED: frame_of(FITTED, [row])}, where={"month": month}, author="test", message="test")


def choose_by_operator(session: Session, month: date, name: str) -> None:
    at = datetime(2026, 11, 2, tzinfo=UTC)
    choose(session, month, name, reason="la forêt ne s'explique pas", decided_by="A. Martin", decided_at=at)


def preferred(session: Session, month: date) -> list[str]:
    return [choice.method for choice in preferred_choices(session, month)]


def test_the_decision_of_an_evaluation_holds_from_the_next_month(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert preferred_choices(session, OCTOBER) == ()
        evaluate(session, OCTOBER_2025, "logistique")
        evaluate(session, OCTOBER, "foret")
        assert preferred_choices(session, OCTOBER_2025) == ()
        assert preferred(session, OCTOBER) == ["logistique"]
        assert preferred(session, NOVEMBER) == ["foret"]


def test_without_a_decision_a_list_uses_the_method_of_the_list_before(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        fit(session, OCTOBER, "boosting", choice="la plus précise")
        assert preferred(session, OCTOBER_2025) == []
        (same,) = preferred_choices(session, OCTOBER)
        assert same == Choice("boosting", "la plus précise"), "a month computed again has the same method and reason"
        (next_,) = preferred_choices(session, NOVEMBER)
        assert next_ == Choice("boosting", "la même que pour la liste de 10/2026, sans autre décision depuis")
        evaluate(session, OCTOBER, "foret")
        assert preferred(session, OCTOBER) == ["boosting"]
        assert preferred(session, NOVEMBER) == ["foret", "boosting"]


def test_a_list_made_for_lack_of_history_does_not_decide_the_method_of_later_lists(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        fit(session, OCTOBER, "seuils", statement="Historique insuffisant")
        assert preferred_choices(session, NOVEMBER) == ()


def test_an_operator_chooses_a_method_with_a_reason_that_the_list_shows(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        evaluate(session, OCTOBER, "foret")
        choose_by_operator(session, NOVEMBER, "logistique")
        assert preferred(session, OCTOBER) == []
        (choice,) = preferred_choices(session, NOVEMBER)
        assert choice == Choice("logistique", "choisie à partir de 11/2026 : la forêt ne s'explique pas")
        evaluate(session, NOVEMBER, "boosting")
        assert preferred(session, DECEMBER) == ["boosting"]
        for wrong in ({"name": "reseau"}, {"reason": " "}, {"decided_by": ""}):
            arguments = {"name": "foret", "reason": "parce que", "decided_by": "A. Martin"} | wrong
            with pytest.raises(CannotChoose, match="expected"):
                choose(session, DECEMBER, **arguments, decided_at=datetime(2026, 12, 2, tzinfo=UTC))


def test_the_command_records_a_choice_or_refuses_it_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SF_DATA_DIR", str(tmp_path))

    def exit_code(*arguments: str) -> object:
        monkeypatch.setattr("sys.argv", ["sf", "method", *arguments])
        with pytest.raises(SystemExit) as ended:
            commands.main()
        return ended.value.code

    reasoned = ("--reason", "lisible", "--by", "A. Martin")
    assert exit_code("choose", "2026-11", "logistique", *reasoned) == 0
    assert "2026-11, logistique: lisible (A. Martin," in capsys.readouterr().out
    assert exit_code("choose", "2026-11", "reseau", *reasoned) == 1
    assert "expected one of boosting" in capsys.readouterr().err
    assert exit_code("list") == 0
    assert "logistique" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("choices", "expected"),
    [((), "best"), (("other",), "other"), (("unusable", "other"), "other"), (("gone",), "best")],
)
def test_the_list_uses_the_first_choice_that_can_be_used(choices: tuple[str, ...], expected: str) -> None:
    def learned(name: str, precision: float, *, usable: bool = True) -> LearningResult:
        fitted = ThresholdMethod() if usable else None
        return LearningResult(name, fitted, None, None, None, (), {"rows": 0, "failures": 0}, precision)

    methods = (learned("best", 0.2), learned("other", 0.1), learned("unusable", 0.9, usable=False))
    found = select_method(methods, [Choice(name, "décidée") for name in choices])
    assert found.method == expected
    if expected == "other":
        assert found.reason == "décidée"
    else:
        assert found.reason.endswith("la plus précise sur les mois qui choisissent les seuils")
        assert found.reason.startswith("à la place de gone") == (choices == ("gone",))
