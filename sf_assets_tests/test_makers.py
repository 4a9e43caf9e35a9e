"""The code version of an asset covers all that makes it."""

from pathlib import Path

import pytest

from sf_assets.engine import makers
from sf_assets.engine.makers import ROOT, digest_of, files_of
from sf_assets.sources.nomenclatures.label_tables import csv_path


@pytest.mark.parametrize(
    ("root", "maker"),
    [
        ("sf_assets.sources.assets", "sources/arrival.py"),
        ("sf_assets.sources.assets", "sources/text.py"),
        ("sf_assets.staging.assets", "staging/reading.py"),
        ("sf_assets.staging.assets", "staging/judging.py"),
        ("sf_assets.staging.assets", "staging/readers.sql"),
        ("sf_assets.staging.assets", "staging/headcount_rules.sql"),
        ("sf_assets.staging.assets", "sources/text.py"),
        ("sf_assets.clean.assets", "clean/report.py"),
        ("sf_assets.model.assets", "model/boosting.py"),
        ("sf_assets.model.assets", "model/splits.py"),
        ("sf_assets.model.assets", "features/registry.py"),
        ("sf_assets.lists.assets", "lists/reasons.py"),
        ("sf_assets.lists.assets", "lists/wording.py"),
        ("sf_assets.lists.assets", "lists/previous_alerts.sql"),
        ("sf_assets.lists.assets", "model/explanations.py"),
        ("sf_assets.evaluation.assets", "evaluation/bootstrap.py"),
    ],
)
def test_a_change_of_what_makes_an_asset_changes_its_version(
    root: str, maker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_of(root)
    of_file = makers._digest
    monkeypatch.setattr(makers, "_digest", lambda path: b"changed" if path == ROOT / maker else of_file(path))
    assert digest_of(root) != before


def test_a_change_of_a_label_table_or_of_a_query_changes_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = csv_path("naf_codes")
    before = digest_of(texts=("select 1",), data=[labels])
    assert digest_of(texts=("select 2",), data=[labels]) != before
    monkeypatch.setattr(makers, "_digest", lambda _: b"changed")
    assert digest_of(texts=("select 1",), data=[labels]) != before


def test_what_only_judges_shows_or_carries_a_table_leaves_its_version_alone() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in files_of("sf_assets.lists.assets")}
    assert found.isdisjoint({"quality", "storage", "pictures", "cockpit", "catalogue.py", "materialization.py"})


def test_imports_are_followed_however_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sf_assets"
    package.mkdir()
    (package / "first.py").write_text(
        "from sf_assets import (\n    second,\n)\n\n\ndef late():\n    import sf_assets.third\n"
    )
    (package / "second.py").write_text('from sf_assets.fourth import NAME as OTHER\n\nQUERY = "asked.sql"\n')
    for name in ("third.py", "fourth.py", "fifth.py", "asked.sql"):
        (package / name).write_text("")
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(makers, "ROOT", package)
    found = files_of.__wrapped__("sf_assets.first")
    assert {path.name for path in found} == {"first.py", "second.py", "third.py", "fourth.py", "asked.sql"}
