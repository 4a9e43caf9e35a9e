"""The page of a company is written, or an error states what is missing."""

from datetime import date
from pathlib import Path

import pytest

from sf_assets.engine.storage import Session, Warehouse
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.operations import explain
from sf_assets.vocabulary.failures import Blocked, UserError

SIREN = "005520135"
AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)


def write_page(warehouse: Warehouse, folder: Path, siren: str = SIREN) -> Path:
    with warehouse.session() as session:
        return explain.write_page(
            session, OCTOBER, siren, models=Shelf(folder / "models"), into=folder / "explanations"
        )


@pytest.mark.parametrize(
    ("scored", "expected"),
    [((), "no month has any yet"), ((AUGUST, SEPTEMBER), "the newest month that has some is 2026-09")],
)
def test_a_month_that_was_never_scored_is_one_sentence_with_what_to_do(
    scored: tuple[date, ...], expected: str, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "months", lambda _, table: [*scored] if table == "model_scores" else [])
    with pytest.raises(UserError) as refused:
        write_page(warehouse, tmp_path)
    assert str(refused.value) == (
        f"2026-10: expected a month with scores, found none; {expected}. Run `sf run monthly 2026-10` first, or `sf status` to "
        "see what stops it."
    )
    assert not (tmp_path / "explanations").exists()


def test_a_month_with_scores_that_did_not_pass_names_the_tables(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain, "_require_scores", lambda *_: None)
    with pytest.raises(Blocked) as blocked:
        write_page(warehouse, tmp_path)
    assert "model_scores, 2026-10" in str(blocked.value.description)
    assert "list_corrections, 2026-10" in str(blocked.value.description)


@pytest.mark.parametrize("wrong", ["12345", "00552013A", "٠٠٥٥٢٠١٣٥"])
def test_a_siren_has_nine_digits(wrong: str, warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="siren: expected nine digits"):
        write_page(warehouse, tmp_path, wrong)


def test_blanks_in_a_siren_are_ignored(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "page", lambda _session, _month, siren, *_, **__: siren)
    path = write_page(warehouse, tmp_path, "005 520 135")
    assert path == tmp_path / "explanations" / "2610" / f"{SIREN}.html"
    assert path.read_text(encoding="utf-8") == SIREN
