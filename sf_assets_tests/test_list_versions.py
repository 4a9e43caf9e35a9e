"""A list gets a new version when its content changes, and nothing handed over is overwritten."""

from datetime import date

import polars as pl
import pytest

from sf_assets.engine.storage import Session, Warehouse, frame_of
from sf_assets.lists.export import HandedOver
from sf_assets.lists.tables import ALERTS, EXPORT, LIST_VERSIONS
from sf_assets.lists.versions import Version, changes, current_version, last_handed_over, require_current, version_of
from sf_assets.model.evaluation import Thresholds
from sf_assets.model.scoring import SCORES_UNCHANGED
from sf_assets.vocabulary.failures import PermanentFailure

MONTH, NEXT = date(2026, 10, 1), date(2026, 11, 1)
THRESHOLDS = Thresholds(modere=0.05, fort=0.15)


def rows(*sirens: str, **values: object) -> pl.DataFrame:
    """Return the rows of a list, without its versions."""
    described = [
        {"siren": siren, "rang": n, "niveau": 2, "methode": "boosting", "motif_1": "Effectif : 12 salariés"} | values
        for n, siren in enumerate(sirens, start=1)
    ]
    return frame_of(ALERTS, described).drop("version", "scores_version")


def make(
    session: Session, listed: pl.DataFrame, *, scores: int = 1, month: date = MONTH, at: Thresholds = THRESHOLDS
) -> Version:
    """Make a list as the asset does."""
    session.bind({EXPORT: month, LIST_VERSIONS: month})
    found = version_of(session, listed, at, scores)
    described = {
        "version": found.number,
        "methode": "boosting",
        "seuil_modere": at.modere,
        "seuil_fort": at.fort,
        "companies": listed.height,
        "forts": listed.filter(niveau=2).height,
        "digest": found.digest,
        "scores_version": found.scores_version,
    }
    numbered = listed.with_columns(
        version=pl.lit(found.number, pl.Int32), scores_version=pl.lit(found.scores_version, pl.Int32)
    )
    session.replace(
        {ALERTS: numbered.select(ALERTS.column_names), LIST_VERSIONS: frame_of(LIST_VERSIONS, [described])},
        where={"month": month, "version": found.number},
        author="test",
        message="test",
    )
    return found


def hand_over(session: Session, list_version: int, *, version: int = 1, month: date = MONTH) -> None:
    row = {"file": "liste.csv", "sha256": f"{version:064}", "list_version": list_version, "scores_version": 1}
    session.replace(
        {EXPORT: frame_of(EXPORT, [row | {"version": version}])},
        where={"month": month, "version": version},
        author="test",
        message="test",
    )


def sirens(session: Session, version: int) -> list[str]:
    query = "select siren from lake.list_alerts where month = $month and version = $version order by rang"
    return [siren for (siren,) in session.connection.execute(query, {"month": MONTH, "version": version}).fetchall()]


def test_a_list_that_was_not_handed_over_is_replaced_and_one_that_was_stays(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert make(session, rows("000000001")).number == 1
        assert make(session, rows("000000001", "000000002")).number == 1
        hand_over(session, 1)
        assert make(session, rows("000000001")).number == 2
        assert make(session, rows("000000003")).number == 2, "it was not handed over"
        assert sirens(session, 1) == ["000000001", "000000002"]
        assert sirens(session, 2) == ["000000003"]


def test_the_same_content_is_the_same_version_whatever_scores_it_was_made_from(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        first = make(session, rows("000000001"))
        hand_over(session, 1)
        assert make(session, rows("000000001"), scores=2) == first
        assert first.scores_version == 1


def test_a_level_a_reason_or_a_threshold_that_changes_makes_a_version(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        make(session, rows("000000001"))
        changed = (
            (rows("000000001", niveau=1), THRESHOLDS),
            (rows("000000001", motif_1="Effectif : 13 salariés"), THRESHOLDS),
            (rows("000000001", corrections="dette récente"), THRESHOLDS),
            (rows("000000001"), Thresholds(modere=0.05, fort=0.16)),
        )
        for number, (listed, at) in enumerate(changed, start=2):
            hand_over(session, number - 1, version=number - 1)
            assert make(session, listed, at=at).number == number


def test_a_list_without_any_company_is_the_current_version_after_one_that_had_some(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        make(session, rows("000000001"))
        hand_over(session, 1)
        assert make(session, rows()).number == 2
        session.bind({LIST_VERSIONS: MONTH})
        assert current_version(session) == 2
        assert sirens(session, 1) == ["000000001"]


@pytest.mark.parametrize(
    "current",
    [
        rows("000000001", probabilite=0.4),
        rows("000000001", "000000002", probabilite=0.5),
        rows("000000001", "000000002", niveau=1, probabilite=0.4),
        rows("000000001", "000000003", probabilite=0.4),
    ],
)
def test_files_are_not_made_from_an_outdated_list(current: pl.DataFrame) -> None:
    listed = rows("000000001", "000000002", probabilite=0.4)
    require_current(listed, listed.reverse(), MONTH)
    require_current(listed[:0], listed[:0], MONTH)
    with pytest.raises(PermanentFailure, match="materialise list_corrections and list_alerts again"):
        require_current(listed, current, MONTH)


def test_the_last_files_handed_over_are_identified_by_their_checksums(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.bind({EXPORT: MONTH})
        assert last_handed_over(session) == HandedOver()
        hand_over(session, 1)
        hand_over(session, 1, version=2)
        session.bind({EXPORT: MONTH})
        found = last_handed_over(session)
    assert found == HandedOver(2, 1, {"liste.csv": f"{2:064}"})
    assert found.next_version({"liste.csv": f"{2:064}"}) == 2
    assert found.next_version({"liste.csv": "0"}) == 3


def test_changes_since_the_list_of_the_month_before_are_in_french(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        make(session, rows("000000001", "000000002", "000000003"))
        hand_over(session, 1)
        make(session, rows("000000009"))  # Never handed over.
        listed = rows("000000001", "000000004", niveau=1).with_columns(version=pl.lit(1, pl.Int32))
        make(session, listed.drop("version"), month=NEXT)
        texts = changes(session, NEXT, listed, "logistique", Thresholds(modere=0.06, fort=0.15))
        assert changes(session, MONTH, listed, "logistique", THRESHOLDS) == ()
    assert [text.replace("\xa0", " ") for text in texts] == [
        "Méthode : Régression logistique, au lieu de Gradient boosting (arbres successifs).",
        "Seuil du risque fort : 15,0 % (15,0 % le mois dernier).",
        "Seuil du risque modéré : 6,0 % (5,0 % le mois dernier).",
        (
            "Entreprises en alerte : 2 dont 0 en risque fort (3 dont 3 le mois dernier). "
            "Sorties de la liste : 2 (feuille « Sorties »)."
        ),
    ]


def test_scores_by_another_model_are_other_scores_even_when_they_are_equal(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.connection.execute(
            "create table model_scores as select 1 as version, '1' as siren, 'foret' as methode, 0.5 as probabilite, "
            "'a' as model_version"
        )
        for model, same in (("a", True), ("b", False)):
            session.connection.execute(
                "create or replace table scored as select '1' as siren, 'foret' as methode, 0.5 as probabilite, "
                f"'{model}' as model_version"
            )
            assert session.connection.execute(SCORES_UNCHANGED, {"version": 1}).fetchone() == (same,)
